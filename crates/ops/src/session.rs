//! What all operations of one run share: process environment, settings, cache folder, watcher, interpreter.

use std::any::Any;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use pinfast_base::error::Result;
use pinfast_base::event::{Event, Watcher};
use pinfast_base::sync::unpoisoned;
use pinfast_cache::Cache;
use pinfast_python::{self as python, FoundInterpreter, InterpreterRequest, Prober};
use pinfast_settings::{Origin, ProcessEnv, Setting, Settings, Sourced, cache_folder};

/// Passes each warning on only once.
struct DistinctWarnings {
    watcher: Arc<dyn Watcher>,
    sent: Mutex<BTreeSet<String>>,
}

impl Watcher for DistinctWarnings {
    fn on(&self, event: Event) {
        let is_new = |text: &String| unpoisoned(self.sent.lock()).insert(text.clone());
        match &event {
            Event::Warning(text) if !is_new(text) => {}
            _ => self.watcher.on(event),
        }
    }

    fn cancelled(&self) -> bool {
        self.watcher.cancelled()
    }
}

/// One run of pinfast, in one folder.
pub struct Session {
    /// Environment variables, home folder and current folder.
    pub env: ProcessEnv,
    /// The project's settings.
    pub settings: Settings,
    /// The folder of the cache; `None` if no folder for it is known.
    pub cache: Option<PathBuf>,
    /// Receives the events.
    pub watcher: Arc<dyn Watcher>,
    interpreter: OnceLock<FoundInterpreter>,
    /// Values that live as long as the session; see [`Self::keep_alive`].
    kept_alive: Mutex<Vec<Box<dyn Any + Send + Sync>>>,
}

impl Session {
    /// Reads the settings for the current folder. `cache` is the folder that an argument names.
    ///
    /// # Errors
    /// `Usage` if the settings cannot be read.
    pub fn new(env: ProcessEnv, cache: Option<PathBuf>, watcher: Arc<dyn Watcher>) -> Result<Self> {
        let settings = Settings::find(&env)?;
        for warning in &settings.warnings {
            watcher.on(Event::Warning(warning.clone()));
        }
        let in_settings = settings.cache_dir.as_ref().map(|folder| settings.path(folder, &env));
        let cache = cache.or_else(|| cache_folder(&env, in_settings));
        Ok(Self { env, settings, cache, watcher, interpreter: OnceLock::new(), kept_alive: Mutex::default() })
    }

    /// The same run in another current `folder`. The settings' relative paths start from `project`, if given.
    #[must_use]
    pub(super) fn in_folder(&self, folder: &Path, project: Option<&Path>) -> Self {
        let mut settings = self.settings.clone();
        if let Some(project) = project {
            project.clone_into(&mut settings.folder);
        }
        Self {
            env: self.env.in_dir(folder),
            settings,
            cache: self.cache.clone(),
            watcher: self.watcher.clone(),
            interpreter: OnceLock::new(),
            kept_alive: Mutex::default(),
        }
    }

    /// The same run with each warning only once: a deployment reads the same files several times.
    #[must_use]
    pub(super) fn warning_once(&self) -> Self {
        let once = DistinctWarnings { watcher: self.watcher.clone(), sent: Mutex::default() };
        Self { watcher: Arc::new(once), ..self.in_folder(self.env.current_dir(), None) }
    }

    /// Which interpreter to use: the one that `argument` (`--python`) names, else that of the settings.
    pub(super) fn interpreter_request(&self, argument: Option<&str>) -> Sourced<InterpreterRequest> {
        if let Some(text) = argument {
            return Sourced::new(InterpreterRequest::parse(text, &self.env), Origin::Argument("--python"));
        }
        let settings = &self.settings;
        let parse = |text: &Setting<String>| {
            let request = InterpreterRequest::parse_in(&text.value, &settings.folder, &self.env);
            Sourced::new(request, text.origin())
        };
        settings.python.as_ref().map(parse).unwrap_or_default()
    }

    /// The interpreter of this session, found at the first call. A session uses one interpreter, so later calls
    /// pass the same `request`.
    ///
    /// # Errors
    /// `NoAnswer` if none is found that runs.
    pub(super) fn interpreter(&self, request: &InterpreterRequest) -> Result<&FoundInterpreter> {
        if let Some(found) = self.interpreter.get() {
            return Ok(found);
        }
        let found = self.finder(request)()?;
        Ok(self.interpreter.get_or_init(|| found))
    }

    /// The interpreter of this session, for [`Self::interpreter_request`].
    ///
    /// # Errors
    /// As for [`Self::interpreter`].
    pub(super) fn named_interpreter(&self, argument: Option<&str>) -> Result<&FoundInterpreter> {
        self.interpreter(&self.interpreter_request(argument).value)
    }

    /// A function that finds an interpreter, for use on any thread.
    pub(super) fn finder(
        &self,
        request: &InterpreterRequest,
    ) -> impl Fn() -> Result<FoundInterpreter> + Send + Sync + use<> {
        let request = request.clone();
        let prober = Prober::new(self.cache.clone().map(Cache::new));
        let (env, watcher) = (self.env.clone(), self.watcher.clone());
        move || {
            let found = python::discover(&request, &env, &prober)?;
            for passed_over in &found.passed_over {
                watcher.on(Event::Detail(format!("ignored interpreter: {passed_over}")));
            }
            watcher.on(Event::Detail(format!("the interpreter is {}", found.interpreter.path.display())));
            Ok(found)
        }
    }

    /// Keeps `value` until the session is dropped. To free tens of thousands of listed files takes a tenth of a warm
    /// run, so the command line forgets its session at the end.
    pub(super) fn keep_alive(&self, value: impl Any + Send + Sync) {
        unpoisoned(self.kept_alive.lock()).push(Box::new(value));
    }

    /// A path for messages: relative if it is inside the current folder.
    #[must_use]
    pub fn display_path(&self, path: &Path) -> String {
        let inside = path.strip_prefix(self.env.current_dir()).ok();
        inside.filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path).display().to_string()
    }

    /// Sends a detail, which `--verbose` prints.
    pub(super) fn detail(&self, text: String) {
        self.watcher.on(Event::Detail(text));
    }

    /// Sends a warning.
    pub(super) fn warn(&self, text: String) {
        self.watcher.on(Event::Warning(text));
    }
}
