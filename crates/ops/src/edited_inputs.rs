//! Input files, some of them with the text that a fix gives them.

use std::collections::BTreeMap;

use super::session::Session;
use pinfast_files::DiskInputs;
use pinfast_inputs::InputFiles;

/// Reads input files; `edited` texts replace those on disk.
pub(super) struct EditedInputs<'a> {
    texts: DiskInputs,
    edited: &'a BTreeMap<String, String>,
}

impl<'a> EditedInputs<'a> {
    pub(super) fn new(edited: &'a BTreeMap<String, String>, session: &Session) -> Self {
        Self { texts: DiskInputs::new(session.env.current_dir()), edited }
    }
}

impl InputFiles for EditedInputs<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        self.edited.get(path).map_or_else(|| self.texts.read(path), |text| Ok(text.clone()))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.texts.variable(name)
    }
}
