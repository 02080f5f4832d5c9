//! A run that changes the root: it holds the lock, notes each step before it takes it, and begins by
//! putting right what a run that died left behind.

use super::config::Config;
use super::held::{self, Held, Patience};
use super::history::LeftOver;
use super::id::ReleaseId;
use super::journal::Journal;
use super::process::{Attention, Children, Ending, Log, Manner, Setting, run};
use super::record::{Begin, What};
use super::remove::{remove, remove_folder};
use super::root::Root;
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_process::Signal;
use pinfast_settings::SmokeTest;

/// A run that holds the lock.
pub(super) struct Run<'a> {
    pub(super) config: &'a Config,
    pub(super) journal: Journal,
    watcher: &'a dyn Watcher,
    _held: Held,
}

impl<'a> Run<'a> {
    /// Takes the lock, and puts right what a run that died left behind.
    pub(super) fn begin(config: &'a Config, patience: Patience, watcher: &'a dyn Watcher) -> Result<Self> {
        let root = &config.root;
        root.create()?;
        let held = held::hold(root, &config.by, patience, watcher)?;
        let journal = Journal::open(root, &config.by)?;
        let mut run = Self { config, journal, watcher, _held: held };
        run.recover()?;
        Ok(run)
    }

    pub(super) fn root(&self) -> &'a Root {
        &self.config.root
    }

    /// Notes and tells that a step is about to be taken.
    pub(super) fn step(
        &mut self,
        release: &ReleaseId,
        name: &'static str,
        what: impl Into<String>,
    ) -> Result<()> {
        let what = what.into();
        let step = format!("{name} {what}");
        let noted = self.journal.note(What::Step { release: release.clone(), step });
        self.watcher.on(Event::Stage { name, what });
        noted
    }

    pub(super) fn warn(&self, text: String) {
        self.watcher.on(Event::Warning(text));
    }

    fn recover(&mut self) -> Result<()> {
        let live = self.root().live()?;
        for left_over in self.journal.history().left_over(live.as_ref()) {
            self.put_right(left_over)?;
        }
        for name in self.journal.history().strangers(&self.root().listing()?) {
            self.warn(format!("releases/{name} is none of pinfast's, and stays"));
        }
        Ok(())
    }

    fn put_right(&mut self, left_over: LeftOver) -> Result<()> {
        match left_over {
            LeftOver::Half(release) => {
                self.warn(format!("a run ended while it built {release}: what it left is removed"));
                let cleared = self.clear(&release, "the run that built it ended early");
                self.at_least_said(cleared);
                Ok(())
            }
            LeftOver::Unused(release) if self.journal.history().was_good(&release) => {
                self.warn(format!("a run ended before {release} was live again: nothing changed"));
                self.journal.note(What::Back { release })
            }
            LeftOver::Unused(release) => {
                self.warn(format!("a run ended before {release} was live: it counts as failed"));
                let why = "the run that built it ended before it was live".to_owned();
                self.journal.note(What::Failed { release, why })
            }
            LeftOver::Removing(release) => {
                self.warn(format!("{release} was not removed to its end: the rest goes now"));
                let removed = remove(self.root(), &release, &mut self.journal);
                self.at_least_said(removed);
                Ok(())
            }
            LeftOver::Unproven(release) => {
                self.warn(format!(
                    "{release} is live, but the run that switched to it ended before its health was known"
                ));
                if self.journal.history().has_entered(&release) {
                    return Ok(());
                }
                self.journal.note(What::Live { release })
            }
        }
    }

    /// What cannot be removed now takes room, but bars nothing: it is tried again when all is done.
    fn at_least_said(&self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.warn(error.to_string());
        }
    }

    /// Removes half a release; on a full disk the room comes first, the notes follow.
    pub(super) fn clear(&mut self, release: &ReleaseId, why: &str) -> Result<()> {
        let why = why.to_owned();
        let noted = self.journal.note(What::Failed { release: release.clone(), why });
        remove_folder(self.root(), release)?;
        noted.and_then(|()| self.journal.note(What::Removed { release: release.clone() }))
    }

    /// Where the commands of a release run.
    pub(super) fn setting(&self, release: &ReleaseId, venv: &str) -> Setting {
        let folder = self.root().release(release);
        Setting {
            venv: folder.join(venv),
            folder,
            path: self.config.path.clone(),
            root: self.root().path().to_owned(),
            release: release.to_string(),
        }
    }

    /// Runs the smoke tests of a release, each in a process of its own.
    pub(super) fn smoke(&mut self, begin: &Begin) -> Result<()> {
        let tests = begin.smoke().map_err(|why| Error::no_answer(format!("in the journal, {why}")))?;
        let setting = self.setting(&begin.release, &begin.venv);
        for test in &tests {
            let title = test.to_string();
            self.step(&begin.release, "smoke", title.clone())?;
            let mut log = Log::open(self.root().log(&begin.release))?;
            let command = match test {
                SmokeTest::Import(module) => {
                    let mut command = setting.python();
                    command.args(["-c", &format!("import {module}")]);
                    command
                }
                SmokeTest::Run(text) => setting.shell(text),
            };
            let within = self.config.settings.smoke_within;
            let manner = Manner { within, children: Children::End, attention: Attention::Signals };
            match run(command, &title, manner, &mut log)? {
                Ending::Good => {}
                Ending::Bad(why) => return Err(failure(&format!("the smoke test `{title}` {why}"), &log)),
                Ending::Interrupted(signal) => return Err(interrupted(signal)),
            }
        }
        Ok(())
    }
}

/// The answer is no, with the end of what was printed.
pub(super) fn failure(what: &str, log: &Log) -> Error {
    let mut error = Error::no(what);
    error.details = log.tail().into_iter().map(|line| format!("  | {line}")).collect();
    error.hint(format!("all that was printed is in {}", log.path().display()))
}

pub(super) fn interrupted(signal: Signal) -> Error {
    match signal {
        Signal::Interrupt => Error::new(ErrorKind::Interrupted, "interrupted"),
        Signal::Terminate => Error::new(ErrorKind::Terminated, "terminated"),
    }
}
