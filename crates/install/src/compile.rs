//! Byte code, compiled by the environment's own `compileall` on all cores.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::disk::{self, FileMode};
use super::environment::Environment;
use super::layout::WheelLayout;
use super::record::RecordRow;
use super::remove::is_compiled_from;
use pinfast_base::error::{Error, Result};
use pinfast_base::event::{Event, Watcher};

/// Whether an installation compiles sources to byte code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compile {
    /// Python compiles them when they are first imported.
    #[default]
    No,
    /// All are compiled now.
    Yes,
}

/// Compiles the sources of `layouts` and adds the byte code to their RECORDs. A source that cannot be compiled,
/// such as a template, is no error, as with pip.
pub(super) fn compile(
    layouts: &mut [WheelLayout],
    environment: &Environment,
    watcher: &dyn Watcher,
) -> Result<()> {
    let list: Vec<u8> = layouts
        .iter()
        .flat_map(WheelLayout::targets)
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .flat_map(|path| [path.as_os_str().as_encoded_bytes(), b"\n"].concat())
        .collect();
    if list.is_empty() {
        return Ok(());
    }
    watcher.on(Event::Step("compiling".to_owned()));
    run(environment, list)?;
    for layout in layouts {
        add_rows(layout);
        layout.write_record();
        disk::write(&layout.info.join("RECORD"), &layout.record, FileMode::Plain)?;
    }
    Ok(())
}

/// Runs `compileall` isolated (`-I`) and without `site` (`-S`), so that no code of a package runs: `.pth` files
/// could.
fn run(environment: &Environment, list: Vec<u8>) -> Result<()> {
    let failed = |error| {
        Error::no_answer(format!("cannot compile with {}", environment.python.display()))
            .because(error)
            .hint("leave `--compile` out; sources are compiled when they are first imported")
    };
    let mut child = Command::new(&environment.python)
        .args(["-I", "-S", "-m", "compileall", "-q", "-q", "-j", "0", "-i", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // Taken, so that it is closed after the list: `-i -` reads to the end.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&list).map_err(failed)?;
    }
    // Its exit status means only that some source could not be compiled, which is no error.
    child.wait().map(drop).map_err(failed)
}

/// Adds rows for the byte code of a layout's sources. They have no hashes, since an interpreter may rewrite
/// byte code at any time.
fn add_rows(layout: &mut WheelLayout) {
    let mut rows = Vec::new();
    for source in layout.targets().filter(|path| path.extension().is_some_and(|e| e == "py")) {
        let (Some(folder), Some(stem)) = (source.parent(), source.file_stem().and_then(|s| s.to_str()))
        else {
            continue;
        };
        let cache = folder.join("__pycache__");
        rows.extend(
            compiled(&cache, stem)
                .into_iter()
                .map(|name| RecordRow::bare(layout.record_path(&cache.join(name)))),
        );
    }
    layout.rows.extend(rows);
}

fn compiled(cache: &Path, stem: &str) -> Vec<String> {
    let entries = std::fs::read_dir(cache).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| is_compiled_from(name, stem)).collect()
}
