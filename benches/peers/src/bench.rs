//! Prepares the folders of a case, runs the contenders in turns, and keeps the figures of each run.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use crate::case::{BenchCase, Contender, ContenderCommand, InputVariant, Presence};
use crate::counts::RequestCounts;
use crate::process::ProcessUsage;
use crate::server::{RecordedServer, ServerBehaviour, UnrecordedResource};
use crate::sets::RequirementSet;
use crate::tool::{CACHE, INPUT, LOCK, ToolPaths};

/// How often a run is repeated because something that it asked for was not recorded.
const REPEATS: usize = 5;

/// What all runs share.
pub(crate) struct Benchmark {
    pub(crate) tools: ToolPaths,
    pub(crate) server: Arc<RecordedServer>,
    /// The folder in which runs happen.
    pub(crate) work: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) behaviour: ServerBehaviour,
    pub(crate) rounds: usize,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    #[serde(flatten)]
    pub(crate) taken: ProcessUsage,
    #[serde(flatten)]
    pub(crate) counts: RequestCounts,
}

/// All runs of a contender.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ContenderResult {
    pub(crate) set: String,
    pub(crate) case: BenchCase,
    pub(crate) contender: &'static str,
    /// The pins of the lock, sorted.
    #[serde(skip)]
    pub(crate) pins: Vec<String>,
    pub(crate) samples: Vec<Sample>,
}

impl Benchmark {
    /// Records what both tools request while they lock `set` in every way that the cases do.
    pub(crate) fn record(&self, set: &RequirementSet) -> Result<()> {
        let cases = [BenchCase::Cold, BenchCase::ChangedCold, BenchCase::Targets, BenchCase::Conflict];
        for plan in cases.into_iter().flat_map(|case| case.plans(set)) {
            let plan = Contender { cache: Presence::Absent, ..plan };
            eprintln!("recording {}: {}", set.name, plan.label);
            let behaviour = ServerBehaviour {
                latency: std::time::Duration::ZERO,
                rate: None,
                unknown: UnrecordedResource::Recorded,
                ..self.behaviour
            };
            self.server.set_behaviour(behaviour);
            let folder = self.folder(set, BenchCase::Cold, &plan);
            let base = self.prepare(set, &plan, &folder)?;
            self.run(set, &plan, &folder, base.as_deref())?;
        }
        self.server.store.make_releases()
    }

    /// Measures `case` on `set`: the contenders in turns, in alternating order.
    pub(crate) fn measure(&self, set: &RequirementSet, case: BenchCase) -> Result<Vec<ContenderResult>> {
        let plans = case.plans(set);
        self.server.set_behaviour(ServerBehaviour { max_age: case.max_age(), ..self.behaviour });
        let mut contenders = Vec::new();
        for plan in &plans {
            let folder = self.folder(set, case, plan);
            let base = self.prepare(set, plan, &folder)?;
            if plan.cache == Presence::Present {
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
        let result = |(plan, folder, _, samples): (&Contender, PathBuf, _, _)| {
            let pins = pins(&folder.join(LOCK));
            ContenderResult { set: set.name.clone(), case, contender: plan.label, pins, samples }
        };
        Ok(contenders.into_iter().map(result).collect())
    }

    /// A fresh folder of the contender's own.
    fn folder(&self, set: &RequirementSet, case: BenchCase, plan: &Contender) -> PathBuf {
        self.work.join(&set.name).join(format!("{case:?}")).join(plan.label.replace([' ', ','], "-"))
    }

    /// Prepares the folder; returns the lock to restore before each run, where there is one.
    fn prepare(&self, set: &RequirementSet, plan: &Contender, folder: &Path) -> Result<Option<Vec<u8>>> {
        remove(folder)?;
        fs::create_dir_all(folder)?;
        let mut base = None;
        if plan.lock == Presence::Present {
            fs::write(folder.join(INPUT), &set.base)?;
            let first = Contender {
                job: ContenderCommand::Lock,
                input: InputVariant::Base,
                lock: Presence::Absent,
                ..plan.clone()
            };
            self.run(set, &first, folder, None)?;
            base = Some(fs::read(folder.join(LOCK))?);
        }
        let input = match plan.input {
            InputVariant::Base => &set.base,
            InputVariant::Changed => &set.changed,
            InputVariant::Conflict => set.conflict.as_ref().context("no such input")?,
        };
        fs::write(folder.join(INPUT), input)?;
        Ok(base)
    }

    /// One run of a contender. If it requested something that is not recorded, a run records that first. The cache is
    /// then removed, because it may remember the missing resource as absent.
    fn run(
        &self,
        set: &RequirementSet,
        plan: &Contender,
        folder: &Path,
        base: Option<&[u8]>,
    ) -> Result<Sample> {
        let usual = self.server.behaviour();
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
            self.server.set_behaviour(ServerBehaviour { unknown: UnrecordedResource::Recorded, ..usual });
            let recording = self.once(set, plan, folder, base);
            self.server.set_behaviour(usual);
            recording?;
            while self.server.recordings() > 0 {
                thread::sleep(Duration::from_millis(50));
            }
        }
        bail!("{} keeps requesting what is not recorded", plan.label)
    }

    /// One run, and the paths that it requested and that are not recorded.
    fn once(
        &self,
        set: &RequirementSet,
        plan: &Contender,
        folder: &Path,
        base: Option<&[u8]>,
    ) -> Result<(Sample, Vec<String>)> {
        if plan.cache == Presence::Absent {
            self.put_aside(&folder.join(CACHE))?;
        }
        match base {
            Some(base) => fs::write(folder.join(LOCK), base)?,
            None => remove(&folder.join(LOCK))?,
        }
        let line = match plan.job {
            ContenderCommand::Lock => self.tools.lock(plan.tool, set, plan.scope),
            ContenderCommand::Check => self.tools.check(),
        };
        self.server.counter.take();
        let taken = line.measure(folder, &self.surroundings(folder), &folder.join(SAID))?;
        let (counts, missing) = self.server.counter.take();
        Ok((Sample { taken, counts }, missing))
    }

    /// Moves a cache out of the way; it is removed at the end. File systems are slow to create files where many were
    /// just removed, and that must not count.
    fn put_aside(&self, cache: &Path) -> Result<()> {
        if cache.exists() {
            let aside = tempfile::tempdir_in(&self.work)?.keep();
            fs::rename(cache, aside.join(CACHE))?;
        }
        Ok(())
    }

    /// The environment variables of a run.
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

/// The file for the output of a run.
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
