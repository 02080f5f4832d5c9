//! `pinfast deploy`, `rollback` and `releases`: the settings' `[deploy]`, and environments for the releases.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::environment::EnvironmentRequest;
use super::install::{self as installs, InstallRequest, VerifyLockRequest};
use super::lock_settings::IndexRequest;
use super::read_lock::{self, FreshnessCheck};
use super::session::Session;
use pinfast_base::error::{Error, ErrorKind, Result};
use pinfast_deploy::{
    self as deploy, DeployConfig, DeployOptions, DeployRoot, DeployStep, Environments, LiveRelease,
    MissingShared, ReleaseId, ReleaseSummary, SourceView, WhenLocked,
};
use pinfast_install::{
    self as install, BasePython, Compile, DryRun, Inspection, PlacedFile, Prune, Strictness, VerifyReport,
};
use pinfast_settings::{DeploySettings, DeploySource};

/// Deploys as `[deploy]` configures it.
///
/// # Errors
/// After `LiveButUnclean` the new release is live; after any other error the old one is.
pub fn deploy(indexes: &IndexRequest, options: DeployOptions, session: &Session) -> Result<LiveRelease> {
    let session = session.warning_once();
    let config = read_config(&session)?;
    deploy::deploy(&config, &maker(&config, indexes, &session), options, &*session.watcher)
}

/// The steps of a deploy, without running them.
///
/// # Errors
/// The errors that a deploy finds before its first step.
pub fn plan_deploy(
    indexes: &IndexRequest,
    missing_shared: MissingShared,
    session: &Session,
) -> Result<Vec<DeployStep>> {
    let session = session.warning_once();
    let config = read_config(&session)?;
    deploy::plan_deploy(&config, &maker(&config, indexes, &session), missing_shared)
}

/// Goes back to a release, by default to the one that was live before.
///
/// # Errors
/// As for [`deploy()`]; `No` if there is none.
pub fn rollback(
    wanted: Option<&ReleaseId>,
    when_locked: WhenLocked,
    session: &Session,
) -> Result<LiveRelease> {
    let config = read_config(session)?;
    let indexes = IndexRequest::default();
    let maker = maker(&config, &indexes, session);
    deploy::rollback(&config, &maker, wanted, when_locked, &*session.watcher)
}

/// The release that a rollback would go to.
///
/// # Errors
/// `No` if there is none.
pub fn rollback_target(wanted: Option<&ReleaseId>, session: &Session) -> Result<ReleaseId> {
    deploy::rollback_target(&read_config(session)?, wanted)
}

/// The releases, the newest first.
///
/// # Errors
/// `NoAnswer` if the journal cannot be read.
pub fn releases(session: &Session) -> Result<Vec<ReleaseSummary>> {
    deploy::releases(&read_config(session)?.root)
}

fn read_config(session: &Session) -> Result<DeployConfig> {
    let settings = deploy_settings(session)?.clone();
    let project = session.settings.folder.clone();
    let place = session.settings.path(&settings.root, &session.env);
    let root = std::path::absolute(&place).map_err(|error| {
        Error::usage(format!("the root {} is not a valid path", place.display())).because(error)
    })?;
    let (source, revision) = match &settings.source {
        DeploySource::Revision(revision) => (project.clone(), revision.clone()),
        DeploySource::Folder(folder) => {
            (normalise(&session.settings.path(folder, &session.env)), "HEAD".to_owned())
        }
    };
    Ok(DeployConfig {
        root: DeployRoot::new(normalise(&root)),
        project,
        source,
        revision,
        by: user(session),
        path: session.env.variable("PATH").unwrap_or_default().to_owned(),
        settings,
    })
}

/// The path in plain form: without `.`, a slash at its end, and `..`, for which the links before it are
/// resolved. What is not there yet is taken by its text.
fn normalise(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, component| {
        if component != Component::ParentDir {
            path.push(component);
            return path;
        }
        let mut resolved = fs::canonicalize(&path).unwrap_or(path);
        resolved.pop();
        resolved
    })
}

fn deploy_settings(session: &Session) -> Result<&DeploySettings> {
    session.settings.deploy.as_ref().ok_or_else(|| {
        let message = match &session.settings.file {
            Some(file) => format!("{} has no `[deploy]`", session.display_path(file)),
            None => "there is no pinfast.toml with a `[deploy]`".to_owned(),
        };
        Error::usage(message).hint("write one: `pinfast deploy --init`")
    })
}

/// The name of the user who runs pinfast, else the user id.
fn user(session: &Session) -> String {
    let name = ["LOGNAME", "USER"].into_iter().find_map(|name| session.env.text(name));
    let is_printable = |name: &&str| !name.chars().any(char::is_control);
    name.filter(is_printable)
        .map_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()), str::to_owned)
}

/// Creates environments as `pinfast install` does, and compares them with their locks as `pinfast verify` does.
struct Maker<'a> {
    config: &'a DeployConfig,
    indexes: &'a IndexRequest,
    session: &'a Session,
    python: Option<String>,
}

fn maker<'a>(config: &'a DeployConfig, indexes: &'a IndexRequest, session: &'a Session) -> Maker<'a> {
    let python = config.settings.python.as_ref().map(|python| {
        let is_path = python.value.contains('/');
        let path = || session.settings.path(python, &session.env).to_string_lossy().into_owned();
        if is_path { path() } else { python.value.clone() }
    });
    Maker { config, indexes, session, python }
}

impl Maker<'_> {
    /// The request that makes `venv` from the lock, with the interpreter of the project.
    fn install_request(&self, venv: PathBuf) -> Result<InstallRequest> {
        let python = Some(self.interpreter()?.to_string_lossy().into_owned());
        Ok(InstallRequest {
            lock: self.config.settings.lock.clone().into(),
            environment: EnvironmentRequest { venv: Some(venv), python },
            indexes: self.indexes.clone(),
            // `lock_problems` compared it with its inputs.
            check: FreshnessCheck::Nothing,
            prune: Prune::All,
            inspection: Inspection::Metadata,
            compile: Compile::No,
            dry_run: DryRun::No,
        })
    }

    /// The interpreter of the project; the session finds and probes it once.
    fn base(&self) -> Result<BasePython> {
        BasePython::of(&self.session.named_interpreter(self.python.as_deref())?.probe)
    }

    /// A session in which the source is read as the project's folder would be.
    fn session_in(&self, view: SourceView<'_>) -> Session {
        self.session.in_folder(view.source, Some(view.project))
    }

    fn check_covered(&self, session: &Session) -> Result<()> {
        let lock =
            read_lock::installable(self.config.settings.lock.as_ref(), FreshnessCheck::Nothing, session)?;
        install::check_compatible(&lock.lock, &self.base()?.target)
    }
}

impl Environments for Maker<'_> {
    fn lock_problems(&self, view: SourceView<'_>) -> Vec<Error> {
        let session = self.session_in(view);
        let fresh =
            read_lock::installable(self.config.settings.lock.as_ref(), FreshnessCheck::Inputs, &session)
                .map(drop);
        let unreadable = fresh.as_ref().is_err_and(|error| error.kind == ErrorKind::Usage);
        let covered = if unreadable { Ok(()) } else { self.check_covered(&session) };
        [fresh, covered].into_iter().filter_map(Result::err).map(hint_to_commit).collect()
    }

    fn contents(&self, view: SourceView<'_>) -> Result<Vec<PlacedFile>> {
        // Where the environment would be does not matter, as long as nothing is there.
        let venv = self.config.root.path().join("releases/.new").join(&self.config.settings.venv);
        installs::contents(&self.install_request(venv)?, &self.session_in(view))
    }

    fn interpreter(&self) -> Result<PathBuf> {
        Ok(self.base()?.executable)
    }

    fn install(&self, release: &Path) -> Result<()> {
        let session = self.session.in_folder(release, None);
        let request = self.install_request(self.config.settings.venv.clone().into())?;
        installs::install(&request, &session).map(drop)
    }

    fn verify(&self, release: &Path, lock: &str, venv: &str) -> Result<VerifyReport> {
        let session = self.session.in_folder(release, None);
        let request = VerifyLockRequest {
            lock: lock.into(),
            environment: EnvironmentRequest { venv: Some(venv.into()), python: None },
            prune: Prune::All,
            strictness: Strictness::Owned,
        };
        installs::verify(&request, &session)
    }
}

/// A release has the committed lock, so each hint to lock again says to commit, too.
fn hint_to_commit(mut error: Error) -> Error {
    for hint in &mut error.hints {
        if hint.contains("pinfast lock") {
            "lock again, and commit: `pinfast lock`".clone_into(hint);
        }
    }
    error
}
