//! A lock -> `pylock.toml`.

use std::fmt::Write as _;

use super::{DIGEST, PylockCompatibility};
use crate::digest::with_digest;
use crate::{Annotations, FORMAT, FileLocation, Header, Lock, LockedFile, PermittedBuild, Pin, Via};
use pinfast_base::error::{Error, Result};
use pinfast_packaging::{DirectUrl, Sha256};

impl Lock {
    /// The text of the `pylock.toml`. Equal locks, compatibility and annotations give equal bytes.
    ///
    /// # Errors
    /// Of kind `Usage`, when a file has no location: in a lock that was read from a requirements file.
    pub fn write_pylock(
        &self,
        compatibility: &PylockCompatibility,
        annotations: Annotations,
    ) -> Result<String> {
        let mut body = String::new();
        for pin in &self.pins {
            write_pin(&mut body, "packages", pin)?;
            write_via(&mut body, pin, annotations);
        }
        let mut head = "lock-version = \"1.0\"\n".to_owned();
        if !compatibility.environments.is_empty() {
            head.push_str(&list("environments", compatibility.environments.iter().map(ToString::to_string)));
        }
        if let Some(python) = &compatibility.requires_python {
            head.push_str(&pair("requires-python", &python.to_string()));
        }
        head.push_str("created-by = \"pinfast\"\n");
        if self.pins.is_empty() {
            head.push_str("packages = []\n");
        }
        let Some(header) = &self.header else { return Ok(head + &body) };
        let before = format!("{head}\n[tool.pinfast]\nformat = {FORMAT}\n");
        let builds = self.builds.iter().map(write_build).collect::<Result<String>>()?;
        Ok(with_digest(&before, DIGEST, "\"\n", &(write_header(header) + &builds + &body)))
    }
}

/// The part of `[tool.pinfast]` below the digest.
fn write_header(header: &Header) -> String {
    let mut text = list("targets", header.targets.iter().cloned());
    for input in &header.inputs {
        text.push_str("\n[[tool.pinfast.inputs]]\n");
        text.push_str(&pair("file", &input.file));
        text.push_str(&list("lines", input.lines.iter().cloned()));
    }
    for (name, value) in &header.options {
        text.push_str("\n[[tool.pinfast.options]]\n");
        text.push_str(&pair("name", name));
        text.push_str(&pair("value", value));
    }
    text
}

fn write_build(build: &PermittedBuild) -> Result<String> {
    let mut text = "\n[[tool.pinfast.builds]]\n".to_owned();
    text.push_str(&pair("name", build.name.as_str()));
    text.push_str(&pair("version", &build.version.to_string()));
    build.pins.iter().try_for_each(|pin| write_pin(&mut text, "tool.pinfast.builds.packages", pin))?;
    Ok(text)
}

fn write_pin(text: &mut String, table: &str, pin: &Pin) -> Result<()> {
    let _ = writeln!(text, "\n[[{table}]]");
    text.push_str(&pair("name", pin.name.as_str()));
    text.push_str(&pair("version", &pin.version.to_string()));
    if !pin.marker.is_always() {
        text.push_str(&pair("marker", &pin.marker.to_string()));
    }
    match &pin.url {
        Some(url) => text.push_str(&archive(pin, url)?),
        None => write_files(text, pin)?,
    }
    Ok(())
}

fn write_via(text: &mut String, pin: &Pin, annotations: Annotations) {
    if annotations == Annotations::Via && !pin.via.is_empty() {
        text.push_str("\n[packages.tool.pinfast]\n");
        text.push_str(&list("via", pin.via.iter().map(Via::to_string)));
    }
}

fn archive(pin: &Pin, url: &DirectUrl) -> Result<String> {
    let Some(hash) = pin.hashes.first() else { return Err(unknown_location(pin)) };
    let size = pin.files.first().and_then(|file| file.size);
    Ok(format!("archive = {{ url = {}{} }}\n", quoted(&url.to_string()), size_and_hash(size, hash)))
}

fn write_files(text: &mut String, pin: &Pin) -> Result<()> {
    if pin.files.is_empty() {
        return Err(unknown_location(pin));
    }
    let (wheels, sdists): (Vec<_>, Vec<_>) = pin.files.iter().partition(|file| file.name.ends_with(".whl"));
    // The specification allows one source distribution a package: `.tar.gz` before `.zip`.
    if let Some(sdist) = sdists.iter().find(|file| file.name.ends_with(".tar.gz")).or(sdists.first()) {
        let _ = writeln!(text, "sdist = {}", file_table(pin, sdist)?);
    }
    if !wheels.is_empty() {
        text.push_str("wheels = [\n");
        for wheel in wheels {
            let _ = writeln!(text, "    {},", file_table(pin, wheel)?);
        }
        text.push_str("]\n");
    }
    Ok(())
}

fn file_table(pin: &Pin, file: &LockedFile) -> Result<String> {
    let location = match &file.location {
        Some(FileLocation::Url(url)) => {
            let url = DirectUrl { url: url::Url::clone(url), sha256: None };
            format!("url = {}", quoted(&url.to_string()))
        }
        Some(FileLocation::Path(path)) => format!("path = {}", quoted(path)),
        None => return Err(unknown_location(pin)),
    };
    let size_and_hash = size_and_hash(file.size, &file.sha256);
    Ok(format!("{{ name = {}, {location}{size_and_hash} }}", quoted(&file.name)))
}

fn size_and_hash(size: Option<u64>, hash: &Sha256) -> String {
    let size = size.map(|size| format!(", size = {size}")).unwrap_or_default();
    format!("{size}, hashes = {{ sha256 = \"{hash}\" }}")
}

fn unknown_location(pin: &Pin) -> Error {
    Error::usage(format!("a pylock.toml must say where each file is, and that is not known of {}", pin.name))
        .hint("lock again: `pinfast lock -o pylock.toml`")
}

fn pair(key: &str, value: &str) -> String {
    format!("{key} = {}\n", quoted(value))
}

/// An array with one value a line, so that a change is one line.
fn list(key: &str, values: impl Iterator<Item = String>) -> String {
    let lines: String = values.map(|value| format!("    {},\n", quoted(&value))).collect();
    if lines.is_empty() { format!("{key} = []\n") } else { format!("{key} = [\n{lines}]\n") }
}

/// `text` as a TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
