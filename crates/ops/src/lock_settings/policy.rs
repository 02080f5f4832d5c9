//! Which releases and files a resolution may choose, and which it prefers.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Timestamp;

use super::{argument, arguments, instant, list_setting, parse_setting};
use crate::session::Session;
use pinfast_base::error::Result;
use pinfast_inputs::{FileOption, FileOptionKind, FormatControl};
use pinfast_lock::CurrentOption;
use pinfast_packaging::PackageName;
use pinfast_settings::{Origin, Setting, Sourced};
use pinfast_solve::{PackageSet, Policy, PrereleaseMode, ResolutionMode};

/// The arguments that set the policy.
#[derive(Clone, Debug, Default)]
pub struct PolicyRequest {
    /// `--resolution`
    pub resolution: Option<ResolutionMode>,
    /// `--prerelease`, `--pre`
    pub prerelease: Option<PrereleaseMode>,
    /// `--exclude-newer`: a date, an instant or an age.
    pub exclude_newer: Option<String>,
    /// `--no-binary`, each.
    pub no_binary: Vec<FormatControl>,
    /// `--only-binary`, each.
    pub only_binary: Vec<FormatControl>,
    /// `--no-build`
    pub no_build: Option<()>,
    /// `--allow-build`, each.
    pub allow_build: Vec<PackageName>,
}

/// The merged options that choose releases and files.
pub(crate) struct PolicySettings {
    resolution: Sourced<ResolutionMode>,
    prerelease: Sourced<PrereleaseMode>,
    /// For single packages; only the settings file can set them.
    prerelease_packages: BTreeMap<PackageName, PrereleaseMode>,
    exclude_newer: Option<Sourced<CutOff>>,
    exclude_newer_packages: BTreeMap<PackageName, CutOff>,
    /// In the order in which they apply: a later one can undo an earlier one.
    no_binary: Vec<Sourced<FormatControl>>,
    only_binary: Vec<Sourced<FormatControl>>,
    pub(crate) no_build: Sourced<bool>,
    pub(crate) allow_build: Sourced<Vec<PackageName>>,
}

/// The latest upload time of a file that may be chosen.
struct CutOff {
    /// As the user wrote it, such as `7 days`; a lock records this.
    text: String,
    /// For this run.
    instant: Timestamp,
}

impl CutOff {
    fn parse(text: &str) -> Result<Self> {
        Ok(Self { text: text.to_owned(), instant: instant::parse(text, Timestamp::now())? })
    }

    fn of_setting(setting: &Setting<String>) -> Result<Self> {
        Self::parse(&setting.value).map_err(|error| setting.place.error(error))
    }
}

impl PolicySettings {
    /// Merges the arguments, the settings file and the options inside the inputs.
    ///
    /// # Errors
    /// `Usage` for a setting or an argument that is not valid.
    pub(crate) fn merge(
        given: &PolicyRequest,
        file_options: &[FileOption],
        session: &Session,
    ) -> Result<Self> {
        let settings = &session.settings;
        Ok(Self {
            resolution: match argument("--resolution", given.resolution) {
                Some(mode) => mode,
                None => parse_setting(settings.resolution.as_ref())?.unwrap_or_default(),
            },
            prerelease: match argument("--prerelease", given.prerelease) {
                Some(mode) => mode,
                None => parse_setting(settings.prerelease.as_ref())?
                    .or_else(|| allow_in_files(file_options))
                    .unwrap_or_default(),
            },
            prerelease_packages: per_package(&settings.prerelease_of, |mode| Ok(mode.parse()?.value))?,
            exclude_newer: cut_off(given.exclude_newer.as_deref(), settings.exclude_newer.as_ref())?,
            exclude_newer_packages: per_package(&settings.exclude_newer_of, CutOff::of_setting)?,
            no_binary: controls(
                "--no-binary",
                &given.no_binary,
                settings.no_binary.as_ref(),
                no_binary_option,
                file_options,
            ),
            only_binary: controls(
                "--only-binary",
                &given.only_binary,
                settings.only_binary.as_ref(),
                only_binary_option,
                file_options,
            ),
            no_build: argument("--no-build", given.no_build.map(|()| true))
                .or_else(|| settings.no_build.clone().map(Setting::sourced))
                .unwrap_or_default(),
            allow_build: match arguments("--allow-build", &given.allow_build) {
                Some(names) => names,
                None => list_setting(&settings.allow_build, package_name)?.unwrap_or_default(),
            },
        })
    }

    /// The policy of the solver.
    pub(crate) fn policy(&self) -> Policy {
        let cut_offs = self.exclude_newer_packages.iter();
        Policy {
            resolution: self.resolution.value,
            prerelease: self.prerelease.value,
            prerelease_packages: self
                .prerelease_packages
                .iter()
                .map(|(name, mode)| (name.clone(), *mode))
                .collect(),
            exclude_newer: self.exclude_newer(),
            exclude_newer_packages: cut_offs.map(|(name, cut_off)| (name.clone(), cut_off.instant)).collect(),
            no_binary: package_set(&self.no_binary),
            only_binary: package_set(&self.only_binary),
        }
    }

    /// The upload time that files of all packages must be before.
    pub(crate) fn exclude_newer(&self) -> Option<Timestamp> {
        self.exclude_newer.as_ref().map(|cut_off| cut_off.value.instant)
    }

    /// The options that a lock's header records. One without values stands for the default.
    pub(super) fn header_options(&self) -> Vec<CurrentOption> {
        let option = |name: &str, values| CurrentOption { name: name.to_owned(), values };
        let mut options = Vec::new();
        options
            .extend(self.resolution.is_set().then(|| option("resolution", unless_default(&self.resolution))));
        options
            .extend(self.prerelease.is_set().then(|| option("prerelease", unless_default(&self.prerelease))));
        let cut_off = self.exclude_newer.iter().map(|cut_off| cut_off.value.text.clone());
        options.extend(cut_off.map(|text| option("exclude-newer", vec![text])));
        let lists = [
            ("no-binary", recorded_controls(&self.no_binary)),
            ("only-binary", recorded_controls(&self.only_binary)),
            ("allow-build", self.allow_build.value.iter().map(ToString::to_string).collect()),
        ];
        options.extend(
            lists
                .into_iter()
                .filter(|(_, values)| !values.is_empty())
                .map(|(name, values)| option(name, values)),
        );
        options.extend(self.no_build.value.then(|| option("no-build", vec![String::new()])));
        let modes = self.prerelease_packages.iter().map(|(name, mode)| format!("{name} = {mode}"));
        let cut_offs =
            self.exclude_newer_packages.iter().map(|(name, cut_off)| format!("{name} = {}", cut_off.text));
        // Always compared, even when empty: no argument can stand in for them.
        options.push(option("prerelease-of", modes.collect()));
        options.push(option("exclude-newer-of", cut_offs.collect()));
        options
    }
}

/// `--pre` inside an input file.
fn allow_in_files(options: &[FileOption]) -> Option<Sourced<PrereleaseMode>> {
    let pre = options.iter().find(|option| matches!(option.kind, FileOptionKind::Pre))?;
    Some(Sourced::new(PrereleaseMode::Allow, Origin::InputFile(pre.at.clone())))
}

/// The cut-off of all packages: the argument, else the setting.
fn cut_off(given: Option<&str>, setting: Option<&Setting<String>>) -> Result<Option<Sourced<CutOff>>> {
    match (given, setting) {
        (Some(text), _) => Ok(argument("--exclude-newer", Some(CutOff::parse(text)?))),
        (None, Some(setting)) => Ok(Some(Sourced::new(CutOff::of_setting(setting)?, setting.origin()))),
        (None, None) => Ok(None),
    }
}

/// The values of a setting for single packages, each parsed.
fn per_package<T>(
    texts: &BTreeMap<PackageName, Setting<String>>,
    parse: impl Fn(&Setting<String>) -> Result<T>,
) -> Result<BTreeMap<PackageName, T>> {
    texts.iter().map(|(name, text)| Ok((name.clone(), parse(text)?))).collect()
}

fn no_binary_option(kind: &FileOptionKind) -> Option<&FormatControl> {
    match kind {
        FileOptionKind::NoBinary(control) => Some(control),
        _ => None,
    }
}

fn only_binary_option(kind: &FileOptionKind) -> Option<&FormatControl> {
    match kind {
        FileOptionKind::OnlyBinary(control) => Some(control),
        _ => None,
    }
}

/// Those of the input files, then those of the arguments or else the setting.
fn controls(
    name: &'static str,
    given: &[FormatControl],
    setting: Option<&Setting<FormatControl>>,
    of_kind: fn(&FileOptionKind) -> Option<&FormatControl>,
    file_options: &[FileOption],
) -> Vec<Sourced<FormatControl>> {
    let in_files = file_options.iter().filter_map(|option| {
        Some(Sourced::new(of_kind(&option.kind)?.clone(), Origin::InputFile(option.at.clone())))
    });
    let stronger: Vec<_> = match given {
        [] => setting.cloned().map(Setting::sourced).into_iter().collect(),
        _ => given.iter().map(|control| Sourced::new(control.clone(), Origin::Argument(name))).collect(),
    };
    in_files.chain(stronger).collect()
}

/// Those of input files are recorded with the lines of their file.
fn recorded_controls(controls: &[Sourced<FormatControl>]) -> Vec<String> {
    controls.iter().filter(|control| control.is_set()).map(|control| control.value.to_string()).collect()
}

/// Each control adds to those before; `:none:` removes all, as with pip.
fn package_set(controls: &[Sourced<FormatControl>]) -> PackageSet {
    let mut set = PackageSet::None;
    for control in controls {
        match (&control.value, &mut set) {
            (FormatControl::None, _) => set = PackageSet::None,
            (FormatControl::All, _) => set = PackageSet::All,
            (FormatControl::Packages(_), PackageSet::All) => {}
            (FormatControl::Packages(names), PackageSet::Only(set)) => set.extend(names.iter().cloned()),
            (FormatControl::Packages(names), PackageSet::None) => {
                set = PackageSet::Only(names.iter().cloned().collect());
            }
        }
    }
    set
}

fn package_name(setting: &Setting<String>) -> Result<PackageName> {
    PackageName::new(&setting.value).map_err(|error| setting.place.error(error))
}

fn unless_default<T: Default + PartialEq + Display>(mode: &Sourced<T>) -> Vec<String> {
    if mode.value == T::default() { Vec::new() } else { vec![mode.value.to_string()] }
}
