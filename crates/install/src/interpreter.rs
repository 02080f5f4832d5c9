//! The probe of an interpreter -> the environment that it belongs to, and the base of new ones.

use super::environment::{Environment, EnvironmentKind, InstallScheme};
use super::venv::BasePython;
use pinfast_base::error::Result;
use pinfast_packaging::Threading;
use pinfast_python::Probe;

impl Environment {
    /// The environment of an interpreter.
    ///
    /// # Errors
    /// `NoAnswer` when its wheel tags are not known.
    pub fn of(probe: &Probe) -> Result<Self> {
        let paths = &probe.paths;
        let virtual_python = paths.scripts.join("python");
        let (python, headers, kind) = if probe.is_virtual() {
            let python = if virtual_python.exists() { virtual_python } else { probe.executable.clone() };
            // As with pip: the scheme's own folder for headers is outside the environment.
            let lib = paths.stdlib.file_name().unwrap_or_default();
            (python, probe.prefix.join("include").join("site").join(lib), EnvironmentKind::Virtual)
        } else {
            let stdlib = paths.stdlib.clone();
            (probe.executable.clone(), paths.include.clone(), EnvironmentKind::Interpreter { stdlib })
        };
        let scheme = InstallScheme {
            purelib: paths.purelib.clone(),
            platlib: paths.platlib.clone(),
            scripts: paths.scripts.clone(),
            data: paths.data.clone(),
            headers,
        };
        Ok(Self { root: probe.prefix.clone(), python, scheme, target: probe.target()?, kind })
    }
}

impl BasePython {
    /// The base of an interpreter: itself, or what its virtual environment was made from.
    ///
    /// # Errors
    /// `NoAnswer` when its wheel tags are not known.
    pub fn of(probe: &Probe) -> Result<Self> {
        let base = probe.base_executable.as_ref().filter(|_| probe.is_virtual());
        Ok(Self {
            executable: base.unwrap_or(&probe.executable).clone(),
            target: probe.target()?,
            implementation: probe.markers.implementation_name.clone(),
            threading: if probe.abi.build.gil_disabled { Threading::Free } else { Threading::Gil },
        })
    }
}
