//! Verifies that an environment is exactly a lock, down to each file's hash. Changes nothing, and needs no
//! network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::compatibility::check_compatible;
use super::disk;
use super::environment::{Environment, is_seed};
use super::finding::{VerifyFinding, VerifyReport};
use super::installed::{self, InstalledDistribution, OwnedFile, Provenance, RecordError, SitePackages};
use super::journal::{self, InstallJournal};
use super::plan::{self, InstallReason, Prune};
use super::record::{self, RecordDigest};
use super::scripts;
use super::unowned;
use pinfast_base::error::Result;
use pinfast_lock::{Lock, Pin};
use pinfast_packaging::{ExtraName, Metadata, PackageName};

/// What to verify.
#[derive(Clone, Copy, Debug)]
pub struct VerifyJob<'a> {
    /// The lock.
    pub lock: &'a Lock,
    /// The environment.
    pub environment: &'a Environment,
    /// Which distributions may be there that the lock does not name.
    pub prune: Prune,
    /// Whether unowned files are findings.
    pub strictness: Strictness,
}

/// Whether files that no distribution owns are findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// They are not.
    #[default]
    Owned,
    /// They are.
    Strict,
}

/// Compares an environment with a lock.
///
/// # Errors
/// When the lock cannot be installed from, or the environment cannot be read.
pub fn verify(job: &VerifyJob<'_>) -> Result<VerifyReport> {
    let environment = job.environment.resolved()?;
    check_compatible(job.lock, &environment.target)?;
    let pins = plan::applicable(job.lock, &environment.target)?;
    let _shared = journal::lock_shared(&environment);
    let journal = InstallJournal::read(&environment)?;
    let mut site = installed::scan(&environment)?;
    for distribution in &mut site.distributions {
        distribution.provenance = journal.provenance(distribution);
    }
    let mut findings = Vec::new();
    if journal.is_unfinished() {
        findings.push(VerifyFinding::Unfinished);
    }
    compare(&pins, &site.distributions, job.prune, &mut findings);
    findings.extend(site.unreadable.iter().map(|path| VerifyFinding::Metadata {
        name: path.display().to_string(),
        what: "looks like a distribution, but its name cannot be read".to_owned(),
    }));
    let metadata = read_metadata(&site, &mut findings);
    check_dependencies(&pins, &metadata, &environment, job.lock, &mut findings);
    let records = Records::read(&site.distributions, &environment, &mut findings);
    findings.extend(records.check_files());
    findings.extend(records.check_scripts(&environment));
    if job.strictness == Strictness::Strict {
        let owned = records.owned.iter().map(|(_, owned)| owned.path.as_path());
        let unowned = unowned::find(&environment, owned)?;
        findings.extend(unowned.into_iter().map(|path| VerifyFinding::Unowned { path }));
    }
    findings.sort();
    findings.dedup();
    Ok(VerifyReport { findings, distributions: site.distributions.len(), files: records.owned.len() })
}

/// The distributions with a file that is missing or altered.
pub(super) fn altered(
    distributions: &[InstalledDistribution],
    environment: &Environment,
) -> BTreeMap<PackageName, InstallReason> {
    let mut findings = Vec::new();
    let records = Records::read(distributions, environment, &mut findings);
    findings.extend(records.check_files());
    findings.extend(records.check_scripts(environment));
    let names = findings.into_iter().filter_map(|finding| match finding {
        VerifyFinding::FileMissing { name, .. }
        | VerifyFinding::FileAltered { name, .. }
        | VerifyFinding::Script { name, .. } => Some(name),
        VerifyFinding::Metadata { name, .. } => PackageName::new(&name).ok(),
        _ => None,
    });
    names.map(|name| (name, InstallReason::Altered)).collect()
}

/// Compares names, versions and archives.
fn compare(
    pins: &[&Pin],
    installed: &[InstalledDistribution],
    prune: Prune,
    findings: &mut Vec<VerifyFinding>,
) {
    let mut by_name: BTreeMap<&PackageName, Vec<&InstalledDistribution>> = BTreeMap::new();
    for distribution in installed {
        by_name.entry(&distribution.name).or_default().push(distribution);
    }
    for pin in pins {
        let found = by_name.remove(&pin.name).unwrap_or_default();
        match found.as_slice() {
            [] => {
                findings.push(VerifyFinding::Missing { name: pin.name.clone(), version: pin.version.clone() })
            }
            [only] => findings.extend(compare_one(pin, only)),
            several => findings.push(VerifyFinding::Twice {
                name: pin.name.clone(),
                found: several.iter().map(|one| one.info.clone()).collect(),
            }),
        }
    }
    let allowed = |name: &PackageName| match prune {
        Prune::All => false,
        Prune::KeepSeed => is_seed(name),
        Prune::Nothing => true,
    };
    let extra = by_name.into_values().flatten().filter(|it| !allowed(&it.name));
    findings
        .extend(extra.map(|it| VerifyFinding::Extra { name: it.name.clone(), version: it.version.clone() }));
}

fn compare_one(pin: &Pin, found: &InstalledDistribution) -> Option<VerifyFinding> {
    if found.version.as_ref() != Some(&pin.version) {
        let (wanted, found) = (pin.version.clone(), found.version.clone());
        return Some(VerifyFinding::WrongVersion { name: pin.name.clone(), wanted, found });
    }
    match found.provenance {
        Provenance::Archive(archive) if !pin.hashes.contains(&archive) => {
            Some(VerifyFinding::OtherArchive { name: pin.name.clone(), archive: archive.to_string() })
        }
        _ => None,
    }
}

/// The metadata of what is installed, by name; unreadable metadata is a finding.
fn read_metadata(site: &SitePackages, findings: &mut Vec<VerifyFinding>) -> BTreeMap<PackageName, Metadata> {
    let read: Vec<_> = site.distributions.par_iter().map(|it| (it, read_one_metadata(it))).collect();
    let mut found = BTreeMap::new();
    for (distribution, metadata) in read {
        match metadata {
            Ok(metadata) => drop(found.insert(distribution.name.clone(), metadata)),
            Err(what) => findings.push(VerifyFinding::Metadata { name: distribution.name.to_string(), what }),
        }
    }
    found
}

fn read_one_metadata(distribution: &InstalledDistribution) -> Result<Metadata, String> {
    let info = &distribution.info;
    let path = ["METADATA", "PKG-INFO"].map(|name| info.join(name)).into_iter().find(|path| path.exists());
    let path = path.unwrap_or_else(|| info.clone());
    let text = disk::read(&path, 16 << 20).map_err(|error| format!("has no readable METADATA: {error}"))?;
    let metadata = Metadata::parse(&text).map_err(|error| format!("has unreadable METADATA: {error}"))?;
    if metadata.name != distribution.name || Some(&metadata.version) != distribution.version.as_ref() {
        return Err(format!("says in METADATA that it is {} {}", metadata.name, metadata.version));
    }
    Ok(metadata)
}

/// Follows the dependencies of every pin, with the extras that pins and dependencies request.
fn check_dependencies(
    pins: &[&Pin],
    installed: &BTreeMap<PackageName, Metadata>,
    environment: &Environment,
    lock: &Lock,
    findings: &mut Vec<VerifyFinding>,
) {
    let overridden = overridden(lock);
    let mut extras: BTreeMap<&PackageName, BTreeSet<&ExtraName>> =
        pins.iter().map(|pin| (&pin.name, pin.extras.iter().collect())).collect();
    let mut queue: Vec<&PackageName> = extras.keys().copied().collect();
    while let Some(name) = queue.pop() {
        let Some(metadata) = installed.get(name) else { continue };
        let on: Vec<ExtraName> = extras.get(name).into_iter().flatten().copied().cloned().collect();
        for requirement in metadata.requires.iter().filter(|it| it.applies(&environment.target, &on)) {
            if !installed.contains_key(&requirement.name) {
                if !overridden.contains(&requirement.name) {
                    findings.push(VerifyFinding::MissingDependency {
                        name: requirement.name.clone(),
                        of: name.clone(),
                        requirement: requirement.to_string(),
                    });
                }
                continue;
            }
            // Followed again only with new extras, so that circles of dependencies end.
            let requested = extras.entry(&requirement.name).or_default();
            let before = requested.len();
            requested.extend(&requirement.extras);
            if requested.len() > before {
                queue.push(&requirement.name);
            }
        }
    }
}

/// The packages with an override in the lock: requirements of their dependents do not count.
fn overridden(lock: &Lock) -> BTreeSet<PackageName> {
    let header = lock.header.iter();
    let lines = header.flat_map(|header| header.inputs.iter().flat_map(|input| &input.lines));
    let names = lines.filter_map(|line| line.strip_prefix("--override ")).filter_map(|text| {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
        PackageName::new(&text[..end.unwrap_or(text.len())]).ok()
    });
    names.collect()
}

/// The files of all distributions.
struct Records<'a> {
    owned: Vec<(&'a InstalledDistribution, OwnedFile)>,
    /// Each digest that some RECORD has for a path: a file that two distributions carry may have either.
    expected: FxHashMap<PathBuf, Vec<String>>,
}

impl<'a> Records<'a> {
    fn read(
        distributions: &'a [InstalledDistribution],
        environment: &Environment,
        findings: &mut Vec<VerifyFinding>,
    ) -> Self {
        let read: Vec<_> =
            distributions.par_iter().map(|distribution| distribution.owned(environment)).collect();
        let mut owned = Vec::new();
        for (distribution, read) in distributions.iter().zip(read) {
            match read {
                Ok((own, outside)) => {
                    owned.extend(own.into_iter().map(|own| (distribution, own)));
                    findings.extend(outside.into_iter().map(|row| VerifyFinding::Metadata {
                        name: distribution.name.to_string(),
                        what: format!("claims `{}`, outside the environment", row.path.escape_debug()),
                    }));
                }
                Err(why) => findings.push(VerifyFinding::Metadata {
                    name: distribution.name.to_string(),
                    what: match why {
                        RecordError::Missing => "has no RECORD".to_owned(),
                        RecordError::Unreadable(what) => format!("has a RECORD that {what}"),
                    },
                }),
            }
        }
        let mut expected: FxHashMap<PathBuf, Vec<String>> = FxHashMap::default();
        for (_, own) in &owned {
            expected.entry(own.path.clone()).or_default().push(own.row.digest.clone());
        }
        Self { owned, expected }
    }

    /// Hashes every file, on all cores.
    fn check_files(&self) -> Vec<VerifyFinding> {
        self.owned
            .par_iter()
            .filter_map(|(distribution, owned)| self.check_file(distribution, owned))
            .collect()
    }

    fn check_file(&self, distribution: &InstalledDistribution, owned: &OwnedFile) -> Option<VerifyFinding> {
        let (name, path) = (distribution.name.clone(), owned.path.clone());
        let compiled = path.extension().is_some_and(|extension| extension == "pyc");
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            // Python writes and removes byte code as it likes.
            return (!compiled).then_some(VerifyFinding::FileMissing { name, path });
        };
        if owned.row.digest.is_empty() {
            return None;
        }
        let expected = self.expected.get(&path).into_iter().flatten();
        let shared = expected.clone().any(|digest| *digest != owned.row.digest);
        let sized = shared || owned.row.size.parse().map_or(true, |size: u64| size == metadata.len());
        let right = |digest: &String| {
            let Some(digest) = RecordDigest::parse(digest) else { return false };
            let found = File::open(&path).and_then(|file| record::hash(file, digest.algorithm));
            found.is_ok_and(|(found, _)| found == digest)
        };
        let sound = metadata.is_file() && sized && expected.clone().any(right);
        (!sound).then_some(VerifyFinding::FileAltered { name, path })
    }

    /// Checks that the interpreters in the scripts' first lines exist.
    fn check_scripts(&self, environment: &Environment) -> Vec<VerifyFinding> {
        let scripts =
            self.owned.par_iter().filter(|(_, own)| own.path.starts_with(&environment.scheme.scripts));
        let nowhere = |path: &Path| -> Option<String> {
            let interpreter = scripts::interpreter(&head(path)?)?;
            let there = !interpreter.starts_with('/') || Path::new(&interpreter).exists();
            (!there).then_some(interpreter)
        };
        let findings = scripts.filter_map(|(distribution, own)| {
            let interpreter = nowhere(&own.path)?;
            Some(VerifyFinding::Script {
                name: distribution.name.clone(),
                path: own.path.clone(),
                interpreter,
            })
        });
        findings.collect()
    }
}

/// The first bytes of a file, enough for its first lines.
fn head(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(8 << 10).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
