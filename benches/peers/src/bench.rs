//! Lays out what a case wants, runs the contenders in turns, and keeps what each run took.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use crate::case::{Before, Case, Input, Job, Plan};
use crate::counts::Counts;
use crate::process::Taken;
use crate::server::{Manners, Server, Unknown};
use crate::sets::Set;
use crate::tool::{CACHE, INPUT, LOCK, Tools};

/// How often a run is repeated because something that it asked for was not recorded.
const REPEATS: usize = 5;

/// What all runs share.
pub(crate) struct Bench {
    pub(crate) tools: Tools,
    pub(crate) server: Arc<Server>,
    /// The folder in which runs happen.
    pub(crate) work: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) manners: Manners,
    pub(crate) rounds: usize,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    #[serde(flatten)]
    pub(crate) taken: Taken,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

/// All runs of a contender.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) set: String,
    pub(crate) case: Case,
    pub(crate) contender: &'static str,
    /// The pins of the lock, sorted.
    #[serde(skip)]
    pub(crate) pins: Vec<String>,
    pub(crate) samples: Vec<Sample>,
}

impl Bench {
    /// Records what both tools ask for while they lock `set` in every way that the cases do.
    pub(crate) fn record(&self, set: &Set) -> Result<()> {
        let cases = [Case::Cold, Case::ChangedCold, Case::Targets, Case::Conflict];
        for plan in cases.into_iter().flat_map(|case| case.plans(set)) {
            let plan = Plan { cache: Before::Absent, ..plan };
            eprintln!("recording {}: {}", set.name, plan.label);
            let manners = Manners {
                latency: std::time::Duration::ZERO,
                rate: None,
                unknown: Unknown::Recorded,
                ..self.manners
            };
            self.server.behave(manners);
            let folder = self.folder(set, Case::Cold, &plan);
            let base = self.prepare(set, &plan, &folder)?;
            self.run(set, &plan, &folder, base.as_deref())?;
        }
        self.server.store.make_releases()
    }

    /// Measures `case` on `set`: the contenders in turns, whoever began last begins first.
    pub(crate) fn measure(&self, set: &Set, case: Case) -> Result<Vec<Measured>> {
        let plans = case.plans(set);
        self.server.behave(Manners { max_age: case.max_age(), ..self.manners });
        let mut contenders = Vec::new();
        for plan in &plans {
            let folder = self.folder(set, case, plan);
            let base = self.prepare(set, plan, &folder)?;
            if plan.cache == Before::Present {
                self.run(set, plan, &folder, base.as_deref())?;
            }
            contenders.push((plan, folder, base, Vec::new()));
        }
        for round in 0..self.rounds {
            for (plan, folder, base, samples) in &mut contenders {
                samples.push(self.run(set, plan, folder, base.as_deref())?);
            }
            if round % 2 == 0 || plans.len() > 1 {
                contenders.reverse();
            }
        }
        contenders.sort_by_key(|(plan, ..)| plans.iter().position(|other| other.label == plan.label));
        let result = |(plan, folder, _, samples): (&Plan, PathBuf, _, _)| {
            let pins = pins(&folder.join(LOCK));
            Measured { set: set.name.clone(), case, contender: plan.label, pins, samples }
        };
        Ok(contenders.into_iter().map(result).collect())
    }

    /// A fresh folder of the contender's own.
    fn folder(&self, set: &Set, case: Case, plan: &Plan) -> PathBuf {
        self.work.join(&set.name).join(format!("{case:?}")).join(plan.label.replace([' ', ','], "-"))
    }

    /// Lays out the folder; the lock that lies there before each run, where there is one.
    fn prepare(&self, set: &Set, plan: &Plan, folder: &Path) -> Result<Option<Vec<u8>>> {
        remove(folder)?;
        fs::create_dir_all(folder)?;
        let mut base = None;
        if plan.lock == Before::Present {
            fs::write(folder.join(INPUT), &set.base)?;
            let first = Plan { job: Job::Lock, input: Input::Base, lock: Before::Absent, ..plan.clone() };
            self.run(set, &first, folder, None)?;
            base = Some(fs::read(folder.join(LOCK))?);
        }
        let input = match plan.input {
            Input::Base => &set.base,
            Input::Changed => &set.changed,
            Input::Conflict => set.conflict.as_ref().context("no such input")?,
        };
        fs::write(folder.join(INPUT), input)?;
        Ok(base)
    }

    /// One run of a contender. If it asked for what was not recorded, a run that records it comes first, and the
    /// cache begins anew: it may have learnt that something is not there, which is.
    fn run(&self, set: &Set, plan: &Plan, folder: &Path, base: Option<&[u8]>) -> Result<Sample> {
        let usual = self.server.manners();
        for _ in 0..REPEATS {
            let (sample, missing) = self.once(set, plan, folder, base)?;
            if missing.is_empty() {
                let status = sample.taken.status;
                let said = || fs::read_to_string(folder.join(SAID)).unwrap_or_default();
                ensure!(status == Some(plan.status), "{} ends with {status:?}:\n{}", plan.label, said());
                return Ok(sample);
            }
            eprintln!(
                "{}: {} resources are recorded first, such as {}",
                plan.label,
                missing.len(),
                missing[0]
            );
            remove(&folder.join(CACHE))?;
            self.server.behave(Manners { unknown: Unknown::Recorded, ..usual });
            let recorded = self.once(set, plan, folder, base);
            self.server.behave(usual);
            recorded?;
            while self.server.recordings() > 0 {
                thread::sleep(Duration::from_millis(50));
            }
        }
        bail!("{} asks for ever more that is not recorded", plan.label)
    }

    /// One run, whatever it comes to, and what of it was not recorded.
    fn once(
        &self,
        set: &Set,
        plan: &Plan,
        folder: &Path,
        base: Option<&[u8]>,
    ) -> Result<(Sample, Vec<String>)> {
        if plan.cache == Before::Absent {
            self.put_aside(&folder.join(CACHE))?;
        }
        match base {
            Some(base) => fs::write(folder.join(LOCK), base)?,
            None => remove(&folder.join(LOCK))?,
        }
        let line = match plan.job {
            Job::Lock => self.tools.lock(plan.tool, set, plan.scope),
            Job::Check => self.tools.check(),
        };
        self.server.counter.take();
        let taken = line.measure(folder, &self.surroundings(folder), &folder.join(SAID))?;
        let (counts, missing) = self.server.counter.take();
        Ok((Sample { taken, counts }, missing))
    }

    /// Puts a cache where no run finds it. It is removed with everything else, in the end: file systems are slow to make
    /// files where many were just removed, which is not the contenders' doing.
    fn put_aside(&self, cache: &Path) -> Result<()> {
        if cache.exists() {
            let aside = tempfile::tempdir_in(&self.work)?.keep();
            fs::rename(cache, aside.join(CACHE))?;
        }
        Ok(())
    }

    /// All variables that a run sees.
    fn surroundings(&self, folder: &Path) -> Vec<(String, OsString)> {
        let pairs: [(&str, OsString); 8] = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
            ("HOME", folder.into()),
            ("LANG", "C.UTF-8".into()),
            ("NO_COLOR", "1".into()),
            ("SSL_CERT_FILE", self.certificate.clone().into()),
            ("PIP_CONFIG_FILE", "/dev/null".into()),
            ("UV_PYTHON_DOWNLOADS", "never".into()),
            ("TMPDIR", self.work.clone().into()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }
}

/// What a run said.
const SAID: &str = "said";

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The pins of a lock, sorted.
fn pins(lock: &Path) -> Vec<String> {
    let text = fs::read_to_string(lock).unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with(|letter: char| letter.is_ascii_alphanumeric()));
    let mut pins: Vec<_> = lines
        .filter(|line| line.contains("=="))
        .filter_map(|line| line.split([' ', ';']).next())
        .map(str::to_owned)
        .collect();
    pins.sort();
    pins
}
