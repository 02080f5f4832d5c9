//! Arguments, the settings file, a lock's header and input files -> one value for each option of `lock`.
//!
//! The strongest source that sets an option wins. The order: arguments, the settings file, the header of an
//! existing lock (`check` reads it), options inside input files, the default. No other module merges sources.

mod indexes;
mod inputs;
mod instant;
mod policy;
mod targets;
mod writing;

pub use indexes::{CacheUse, IndexRequest};
pub(super) use indexes::{IndexLocations, IndexSettings};
use inputs::InputSettings;
pub use policy::PolicyRequest;
pub(super) use policy::PolicySettings;
pub use targets::TargetRequest;
pub(super) use targets::{TargetSet, TargetSettings};
pub use writing::WritingRequest;
use writing::WritingSettings;

use std::fmt::Display;
use std::str::FromStr;

use super::session::Session;
use pinfast_base::error::Result;
use pinfast_inputs::{self as input_files, FileOption, InputFiles, InputRequest, Inputs};
use pinfast_lock::{CurrentOption, Header};
use pinfast_settings::{Origin, Setting, Sourced};

/// The arguments that set options of `lock`.
pub(super) struct LockArguments<'a> {
    pub(super) inputs: &'a InputRequest,
    pub(super) targets: &'a TargetRequest,
    pub(super) policy: &'a PolicyRequest,
    pub(super) writing: &'a WritingRequest,
}

/// The options of `lock`, merged.
pub(super) struct LockSettings {
    pub(super) inputs: InputSettings,
    pub(super) targets: TargetSettings,
    pub(super) policy: PolicySettings,
    pub(super) writing: WritingSettings,
}

impl LockSettings {
    /// Merges all sources, and reads the inputs: the options inside them are the weakest source.
    ///
    /// `header` is that of the lock to check.
    ///
    /// # Errors
    /// `Usage` for an input that cannot be read, or an invalid setting.
    pub(super) fn read(
        arguments: &LockArguments<'_>,
        header: Option<&Header>,
        files: &impl InputFiles,
        session: &Session,
    ) -> Result<(Self, Inputs)> {
        let selection = InputSettings::merge(arguments.inputs, header, session)?;
        let inputs = input_files::read(&selection.request(), files)?;
        let settings = Self::merge(arguments, selection, &inputs.options, session)?;
        Ok((settings, inputs))
    }

    fn merge(
        arguments: &LockArguments<'_>,
        inputs: InputSettings,
        file_options: &[FileOption],
        session: &Session,
    ) -> Result<Self> {
        Ok(Self {
            inputs,
            targets: TargetSettings::merge(arguments.targets, session),
            policy: PolicySettings::merge(arguments.policy, file_options, session)?,
            writing: WritingSettings::merge(arguments.writing, session)?,
        })
    }

    /// The options that a lock's header records, without targets. An option that nobody set is left out.
    pub(super) fn header_options(&self) -> Vec<CurrentOption> {
        let mut options = self.policy.header_options();
        options.extend(self.inputs.header_options());
        options
    }
}

fn argument<T>(name: &'static str, value: Option<T>) -> Option<Sourced<T>> {
    value.map(|value| Sourced::new(value, Origin::Argument(name)))
}

/// A list argument; an empty list counts as none.
fn arguments<T: Clone>(name: &'static str, values: &[T]) -> Option<Sourced<Vec<T>>> {
    argument(name, (!values.is_empty()).then(|| values.to_vec()))
}

fn parse_setting<T: FromStr<Err: Display>>(setting: Option<&Setting<String>>) -> Result<Option<Sourced<T>>> {
    setting.map(|setting| Ok(setting.parse()?.sourced())).transpose()
}

/// The values of a list setting; an empty list is not set. The origin is the first value's line.
fn copy_setting<T: Clone>(values: &[Setting<T>]) -> Option<Sourced<Vec<T>>> {
    let first = values.first()?;
    Some(Sourced::new(values.iter().map(|setting| setting.value.clone()).collect(), first.origin()))
}

/// The values of a list setting, each read by `parse`; else as [`copy_setting`].
fn list_setting<U>(
    values: &[Setting<String>],
    parse: impl Fn(&Setting<String>) -> Result<U>,
) -> Result<Option<Sourced<Vec<U>>>> {
    let Some(first) = values.first() else { return Ok(None) };
    Ok(Some(Sourced::new(values.iter().map(parse).collect::<Result<_>>()?, first.origin())))
}
