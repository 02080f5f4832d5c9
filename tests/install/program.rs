//! The program itself, in a project of its own: a lock, a folder of files, a cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::kit::MemoryFiles;

/// A folder with all that a run needs, and no network.
pub(crate) struct Project {
    pub(crate) folder: tempfile::TempDir,
}

/// The exit code and output of a run.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Project {
    /// With the files of these sources to be found, and no lock yet.
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = &'a MemoryFiles>) -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(project.path("files")).unwrap();
        sources.into_iter().for_each(|source| source.spill(&project.path("files")));
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes the lock of a source's files.
    pub(crate) fn lock(&self, name: &str, source: &MemoryFiles) {
        self.write(name, &source.lock().write(&pinfast::lock::WriteOptions::default()));
    }

    /// `program` with the clean environment of a run.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH"))
            .env("HOME", self.path("home"))
            .env("PINFAST_CACHE_DIR", self.path("cache"));
        command
    }

    /// `pinfast ARGUMENTS`, which finds files in `files` only.
    pub(crate) fn pinfast(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_pinfast"));
        command.args(arguments);
        if !matches!(arguments.first(), Some(&"verify" | &"check" | &"cache")) {
            command.args(["--no-index", "--find-links", "files"]);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> ProgramOutput {
        self.pinfast(arguments).output().unwrap().into()
    }

    /// A run that has to end well.
    pub(crate) fn done(&self, arguments: &[&str]) -> ProgramOutput {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
        ended
    }

    /// What `python -c CODE` of the environment prints.
    pub(crate) fn python(&self, code: &str) -> String {
        let ended: ProgramOutput =
            Command::new(self.path(".venv/bin/python")).args(["-c", code]).output().unwrap().into();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        ended.out.trim().to_owned()
    }

    pub(crate) fn site(&self) -> PathBuf {
        let lib = fs::read_dir(self.path(".venv/lib")).unwrap().next().unwrap().unwrap().path();
        lib.join("site-packages")
    }
}

impl From<Output> for ProgramOutput {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Every plain file below a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    crate::kit::tree(folder).into_keys().map(|name| folder.join(name)).filter(|path| path.is_file()).collect()
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed * 2 + 1)
    }

    /// One that is less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}
