//! What all operations of one run share: the environment, the settings and the cache's place.

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

/// Passes each warning on once.
struct DistinctWarnings {
    watcher: Arc<dyn Watcher>,
    said: Mutex<BTreeSet<String>>,
}

impl Watcher for DistinctWarnings {
    fn on(&self, event: Event) {
        let is_new = |text: &String| unpoisoned(self.said.lock()).insert(text.clone());
        match &event {
            Event::Warning(text) if !is_new(text) => {}
            _ => self.watcher.on(event),
        }
    }

    fn cancelled(&self) -> bool {
        self.watcher.cancelled()
    }
}

/// One run of pinfast in one folder.
pub struct Session {
    /// Environment variables, home folder and current folder.
    pub env: ProcessEnv,
    /// The project's settings.
    pub settings: Settings,
    /// The cache's folder; `None` where there is no place for one.
    pub cache: Option<PathBuf>,
    /// Who is told what happens.
    pub watcher: Arc<dyn Watcher>,
    interpreter: OnceLock<FoundInterpreter>,
    /// What is freed with the session, hence not at all by a program that ends.
    kept: Mutex<Vec<Box<dyn Any + Send + Sync>>>,
}

impl Session {
    /// Reads the settings that hold in the current folder. `cache` is the flag's word on the cache.
    ///
    /// # Errors
    /// `Usage` when the settings cannot be read.
    pub fn new(env: ProcessEnv, cache: Option<PathBuf>, watcher: Arc<dyn Watcher>) -> Result<Self> {
        let settings = Settings::find(&env)?;
        for warning in &settings.warnings {
            watcher.on(Event::Warning(warning.clone()));
        }
        let told = settings.cache_dir.as_ref().map(|folder| settings.path(folder, &env));
        let cache = cache.or_else(|| cache_folder(&env, told));
        Ok(Self { env, settings, cache, watcher, interpreter: OnceLock::new(), kept: Mutex::default() })
    }

    /// The same run standing in another `folder`; the settings' relative paths stand in `project`, where it is
    /// given.
    #[must_use]
    pub(super) fn standing_in(&self, folder: &Path, project: Option<&Path>) -> Self {
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
            kept: Mutex::default(),
        }
    }

    /// The same run, told by a watcher that passes each warning on once: what reads the same files again and
    /// again has the same things to say.
    #[must_use]
    pub(super) fn warning_once(&self) -> Self {
        let once = DistinctWarnings { watcher: self.watcher.clone(), said: Mutex::default() };
        Self { watcher: Arc::new(once), ..self.standing_in(self.env.current_dir(), None) }
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
                watcher.on(Event::Detail(format!("passed over: {passed_over}")));
            }
            watcher.on(Event::Detail(format!("the interpreter is {}", found.interpreter.path.display())));
            Ok(found)
        }
    }

    /// Keeps what was `met` until the session is dropped. Freeing tens of thousands of listed files one by one
    /// takes a tenth of a warm run: a program that ends forgets its session instead.
    pub(super) fn keep(&self, met: impl Any + Send + Sync) {
        unpoisoned(self.kept.lock()).push(Box::new(met));
    }

    /// A path as people read it: from the current folder, where it is in there.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        let inside = path.strip_prefix(self.env.current_dir()).ok();
        inside.filter(|rest| !rest.as_os_str().is_empty()).unwrap_or(path).display().to_string()
    }

    /// Tells of something for `--verbose`.
    pub(super) fn detail(&self, text: String) {
        self.watcher.on(Event::Detail(text));
    }

    /// Warns.
    pub(super) fn warn(&self, text: String) {
        self.watcher.on(Event::Warning(text));
    }
}
