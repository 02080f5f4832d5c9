//! Which inputs are read: files, constraints, overrides, extras and dependency groups.

use super::{argument, arguments, list_setting};
use crate::paths::file_name;
use crate::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_inputs::{Extras, InputRequest};
use pinfast_lock::{CurrentOption, Header};
use pinfast_packaging::ExtraName;
use pinfast_settings::{Origin, Setting, Sourced};

/// Which inputs are read.
pub(crate) struct InputSettings {
    pub(crate) files: Sourced<Vec<String>>,
    constraints: Sourced<Vec<String>>,
    overrides: Sourced<Vec<String>>,
    extras: Sourced<Extras>,
    groups: Sourced<Vec<ExtraName>>,
}

/// The inputs of a project that names none, in order of preference.
const USUAL_INPUTS: [&str; 2] = ["requirements.in", "pyproject.toml"];

impl InputSettings {
    pub(super) fn merge(request: &InputRequest, header: Option<&Header>, session: &Session) -> Result<Self> {
        let (settings, recorded) = (&session.settings, Recorded(header));
        let files = arguments("INPUT", &request.inputs).or_else(|| recorded.files());
        Ok(Self {
            files: files.map_or_else(|| usual_input(session), Ok)?,
            constraints: arguments("--constraint", &request.constraints)
                .or(paths(&settings.constraints, session)?)
                .or_else(|| recorded.values("constraint"))
                .unwrap_or_default(),
            overrides: arguments("--override", &request.overrides)
                .or(paths(&settings.overrides, session)?)
                .or_else(|| recorded.values("override"))
                .unwrap_or_default(),
            extras: match argument(
                "--extra",
                (request.extras != Extras::default()).then(|| request.extras.clone()),
            )
            .or(extras_setting(session)?)
            {
                Some(extras) => extras,
                None => recorded.extras()?.unwrap_or_default(),
            },
            groups: match arguments("--group", &request.groups).or(list_setting(&settings.groups, name)?) {
                Some(groups) => groups,
                None => recorded.names("group")?.unwrap_or_default(),
            },
        })
    }

    /// The request for the reader of inputs.
    pub(super) fn request(&self) -> InputRequest {
        InputRequest {
            inputs: self.files.value.clone(),
            constraints: self.constraints.value.clone(),
            overrides: self.overrides.value.clone(),
            extras: self.extras.value.clone(),
            groups: self.groups.value.clone(),
        }
    }

    /// All files that the settings name.
    pub(crate) fn named_files(&self) -> impl Iterator<Item = &String> {
        self.files.value.iter().chain(&self.constraints.value).chain(&self.overrides.value)
    }

    /// The options that a lock's header records: those that select something.
    pub(super) fn header_options(&self) -> Vec<CurrentOption> {
        let texts = |names: &[ExtraName]| names.iter().map(ToString::to_string).collect();
        let extras = match &self.extras.value {
            Extras::All => ("all-extras", vec![String::new()]),
            Extras::Named(extras) => ("extra", texts(extras)),
        };
        let options = [
            ("constraint", self.constraints.value.clone()),
            ("override", self.overrides.value.clone()),
            extras,
            ("group", texts(&self.groups.value)),
        ];
        let set = options.into_iter().filter(|(_, values)| !values.is_empty());
        set.map(|(name, values)| CurrentOption { name: name.to_owned(), values }).collect()
    }
}

fn usual_input(session: &Session) -> Result<Sourced<Vec<String>>> {
    let existing = USUAL_INPUTS.iter().find(|name| session.env.current_dir().join(name).is_file());
    let name = existing.ok_or_else(|| {
        Error::usage("there is no requirements.in and no pyproject.toml here")
            .hint("name the inputs: `pinfast lock FILE`; or write requirements.in, one requirement a line")
    })?;
    Ok(Sourced::new(vec![(*name).to_owned()], Origin::Default))
}

/// The settings' paths start from the settings' folder, those of inputs from the current one.
fn paths(setting: &[Setting<String>], session: &Session) -> Result<Option<Sourced<Vec<String>>>> {
    list_setting(setting, |path| {
        let absolute = session.settings.path(path, &session.env);
        Ok(file_name(&absolute.to_string_lossy(), session))
    })
}

fn extras_setting(session: &Session) -> Result<Option<Sourced<Extras>>> {
    let settings = &session.settings;
    let named = list_setting(&settings.extras, name)?;
    Ok(match (&settings.all_extras, named) {
        (Some(all), _) if all.value => Some(Sourced::new(Extras::All, all.origin())),
        (_, Some(named)) => Some(Sourced::new(Extras::Named(named.value), named.origin)),
        (Some(all), None) => Some(Sourced::new(Extras::default(), all.origin())),
        (None, None) => None,
    })
}

fn name(setting: &Setting<String>) -> Result<ExtraName> {
    ExtraName::new(&setting.value).map_err(|error| setting.place.error(error))
}

/// The options that a lock's header records.
struct Recorded<'a>(Option<&'a Header>);

impl Recorded<'_> {
    fn files(&self) -> Option<Sourced<Vec<String>>> {
        // The header lists constraint files among the inputs: they are files with lines, too.
        let is_constraint_file =
            |lines: &[String]| !lines.is_empty() && lines.iter().all(|line| line.starts_with("-c "));
        let inputs = self.0?.inputs.iter().filter(|input| !is_constraint_file(&input.lines));
        Self::sourced(inputs.map(|input| input.file.clone()).filter(|file| file != "-").collect())
    }

    fn values(&self, option: &str) -> Option<Sourced<Vec<String>>> {
        let options = self.0?.options.iter().filter(|(name, _)| name == option);
        Self::sourced(options.map(|(_, value)| value.clone()).collect())
    }

    fn names(&self, option: &str) -> Result<Option<Sourced<Vec<ExtraName>>>> {
        let name = |text: &String| {
            ExtraName::new(text).map_err(|error| Error::no(format!("in the lock's header, {error}")))
        };
        let Some(texts) = self.values(option) else { return Ok(None) };
        Ok(Self::sourced(texts.value.iter().map(name).collect::<Result<_>>()?))
    }

    fn extras(&self) -> Result<Option<Sourced<Extras>>> {
        if let Some(all) = self.values("all-extras") {
            return Ok(Some(Sourced::new(Extras::All, all.origin)));
        }
        Ok(self.names("extra")?.map(|names| Sourced::new(Extras::Named(names.value), names.origin)))
    }

    fn sourced<T>(values: Vec<T>) -> Option<Sourced<Vec<T>>> {
        (!values.is_empty()).then(|| Sourced::new(values, Origin::LockHeader))
    }
}
