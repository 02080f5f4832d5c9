//! A deploy or rollback that holds the root's lock. It records each step before it starts, and first recovers
//! from a run that died.

use super::command::{
    CommandEnv, CommandLog, CommandOutcome, Descendants, OnSignal, RunOptions, interrupted, run_command,
};
use super::config::DeployConfig;
use super::history::RecoveryTask;
use super::id::ReleaseId;
use super::journal::ReleaseJournal;
use super::journal_entry::{JournalEvent, ReleaseManifest};
use super::lock_file::{RootLock, WhenLocked};
use super::remove::{remove_folder, remove_release};
use super::root::DeployRoot;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};
use pinfast_settings::SmokeTest;

/// A deploy or rollback that holds the lock.
pub(super) struct DeployRun<'a> {
    pub(super) config: &'a DeployConfig,
    pub(super) journal: ReleaseJournal,
    watcher: &'a dyn Watcher,
    _lock: RootLock,
}

impl<'a> DeployRun<'a> {
    /// Takes the lock, opens the journal, and recovers.
    pub(super) fn begin(
        config: &'a DeployConfig,
        when_locked: WhenLocked,
        watcher: &'a dyn Watcher,
    ) -> Result<Self> {
        let root = &config.root;
        root.create()?;
        let lock = RootLock::acquire(root, &config.by, when_locked, watcher)?;
        let journal = ReleaseJournal::open(root, &config.by)?;
        let mut run = Self { config, journal, watcher, _lock: lock };
        run.recover()?;
        Ok(run)
    }

    pub(super) fn root(&self) -> &'a DeployRoot {
        &self.config.root
    }

    /// Records and reports that a step starts.
    pub(super) fn start_step(
        &mut self,
        release: &ReleaseId,
        name: &'static str,
        what: impl Into<String>,
    ) -> Result<()> {
        let what = what.into();
        let step = format!("{name} {what}");
        let recorded = self.journal.record(JournalEvent::Step { release: release.clone(), step });
        self.watcher.on(Event::Stage { name, what });
        recorded
    }

    fn warn(&self, text: String) {
        self.watcher.on(Event::Warning(text));
    }

    fn recover(&mut self) -> Result<()> {
        let live = self.root().live_release()?;
        for task in self.journal.history().recovery_tasks(live.as_ref()) {
            self.perform(task)?;
        }
        for name in self.journal.history().unknown_names(&self.root().release_names()?) {
            self.warn(format!("releases/{name} was not made by pinfast, and stays"));
        }
        Ok(())
    }

    fn perform(&mut self, task: RecoveryTask) -> Result<()> {
        match task {
            RecoveryTask::RemovePartialBuild(release) => {
                self.warn(format!("a run died while it built {release}: removing what it left"));
                let removed = self.discard_build(&release, "the run that built it ended early");
                self.warn_of_error(removed);
                Ok(())
            }
            RecoveryTask::RecordUnused(release) if self.journal.history().was_healthy(&release) => {
                self.warn(format!("a rollback died before {release} was live: nothing changed"));
                self.journal.record(JournalEvent::SwitchedBack { release })
            }
            RecoveryTask::RecordUnused(release) => {
                self.warn(format!("a run died before {release} was live: it counts as failed"));
                let reason = "the run that built it ended before it was live".to_owned();
                self.journal.record(JournalEvent::Failed { release, reason })
            }
            RecoveryTask::FinishRemoval(release) => {
                self.warn(format!("{release} was only partly removed: removing the rest"));
                let removed = remove_release(self.root(), &release, &mut self.journal);
                self.warn_of_error(removed);
                Ok(())
            }
            RecoveryTask::RecordLive(release) => {
                self.warn(format!(
                    "{release} is live, but the run that switched to it died before the health check"
                ));
                if self.journal.history().is_recorded_live(&release) {
                    return Ok(());
                }
                self.journal.record(JournalEvent::Live { release })
            }
        }
    }

    /// A failed removal only costs disk space. It is no reason to stop: pruning tries again at the end.
    fn warn_of_error(&self, result: Result<()>) {
        if let Err(error) = result {
            self.warn(error.to_string());
        }
    }

    /// Removes a release that was not built completely, and records it as failed.
    pub(super) fn discard_build(&mut self, release: &ReleaseId, reason: &str) -> Result<()> {
        let reason = reason.to_owned();
        // On a full disk this fails; then the removal must come first, to make room for the second record.
        let recorded = self.journal.record(JournalEvent::Failed { release: release.clone(), reason });
        remove_folder(self.root(), release)?;
        recorded.and_then(|()| self.journal.record(JournalEvent::Removed { release: release.clone() }))
    }

    /// The environment of the commands of a release whose virtual environment is `venv`.
    pub(super) fn command_env(&self, release: &ReleaseId, venv: &str) -> CommandEnv {
        let folder = self.root().release(release);
        CommandEnv {
            venv: folder.join(venv),
            folder,
            path: self.config.path.clone(),
            root: self.root().path().to_owned(),
            release: release.to_string(),
        }
    }

    /// Runs the smoke tests of a release, each in a process of its own.
    pub(super) fn smoke_test(&mut self, manifest: &ReleaseManifest) -> Result<()> {
        let tests =
            manifest.smoke_tests().map_err(|why| Error::no_answer(format!("in the journal, {why}")))?;
        let env = self.command_env(&manifest.release, &manifest.venv);
        for test in &tests {
            let title = test.to_string();
            self.start_step(&manifest.release, "smoke", title.clone())?;
            let mut log = CommandLog::open(self.root().log(&manifest.release))?;
            let command = match test {
                SmokeTest::Import(module) => {
                    let mut command = env.python();
                    command.args(["-c", &format!("import {module}")]);
                    command
                }
                SmokeTest::Run(text) => env.shell(text),
            };
            let within = self.config.settings.smoke_within;
            let options = RunOptions { within, descendants: Descendants::Kill, on_signal: OnSignal::Stop };
            match run_command(command, &title, options, &mut log)? {
                CommandOutcome::Success => {}
                CommandOutcome::Failure(why) => {
                    return Err(log.failure(&format!("the smoke test `{title}` {why}")));
                }
                CommandOutcome::Interrupted(signal) => return Err(interrupted(signal)),
            }
        }
        Ok(())
    }
}
