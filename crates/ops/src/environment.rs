//! Finds the virtual environment to install into or to verify.

use std::path::{Path, PathBuf};

use super::session::Session;
use pinfast_base::error::{Error, Result};
use pinfast_install::venv::{self, BasePython, VenvState};
use pinfast_install::{Destination, Environment};

/// The arguments that name an environment; the default is `.venv` in the current folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentRequest {
    /// `--venv`
    pub venv: Option<PathBuf>,
    /// `--python`. Without `--venv`, its own environment is used; with `--venv`, a new environment is created
    /// from it.
    pub python: Option<String>,
}

impl EnvironmentRequest {
    fn folder(&self, session: &Session) -> PathBuf {
        session.env.current_dir().join(self.venv.as_deref().unwrap_or(Path::new(".venv")))
    }

    /// The environment, or how to make it.
    pub(super) fn destination(&self, session: &Session) -> Result<Destination> {
        if let (None, Some(python)) = (&self.venv, &self.python) {
            return Ok(Destination::Existing(Environment::of(
                &session.named_interpreter(Some(python))?.probe,
            )?));
        }
        let folder = self.folder(session);
        if venv::state(&folder)? == VenvState::Ready {
            return Ok(Destination::Existing(self.open_venv(&folder, session)?));
        }
        let base = BasePython::of(&session.named_interpreter(self.python.as_deref())?.probe)?;
        Ok(Destination::New { folder, base })
    }

    /// The environment, which must exist.
    pub(super) fn existing(&self, session: &Session) -> Result<Environment> {
        if let (None, Some(python)) = (&self.venv, &self.python) {
            return Environment::of(&session.named_interpreter(Some(python))?.probe);
        }
        let folder = self.folder(session);
        if venv::state(&folder)? == VenvState::Ready {
            return self.open_venv(&folder, session);
        }
        Err(Error::no(format!("there is no environment in {}", session.display_path(&folder)))
            .hint("create it: `pinfast install`; or name another one: `--venv DIR` or `--python PATH`"))
    }

    fn open_venv(&self, folder: &Path, session: &Session) -> Result<Environment> {
        let probe = &session.named_interpreter(Some(&folder.to_string_lossy()))?.probe;
        if let Some(python) = &self.python {
            let named =
                BasePython::of(&session.finder(&session.interpreter_request(Some(python)).value)()?.probe)?;
            let own = BasePython::of(probe)?;
            if !own.is_same_program(&named) {
                let made =
                    format!("{} was created from {}", session.display_path(folder), own.executable.display());
                return Err(Error::usage(format!(
                    "{made}, but --python names {}",
                    named.executable.display()
                ))
                .hint("omit `--python`; or remove the folder, so that pinfast creates it again"));
            }
        }
        Environment::of(probe)
    }
}
