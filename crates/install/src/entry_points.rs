//! `entry_points.txt` -> the scripts that an installation writes (PyPA "Entry points specification").

use serde::{Deserialize, Serialize};

/// A script to be made: calls one function of one module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryPoint {
    /// The name of the script's file.
    pub(super) name: String,
    /// The module, such as `black`.
    pub(super) module: String,
    /// The object reference in it, such as `patched_main` or `Cli.run`.
    pub(super) call: String,
}

/// Parses the console and GUI scripts; one list, since both are the same on Unix.
pub(super) fn scripts(text: &[u8]) -> Result<Vec<EntryPoint>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut scripts: Vec<EntryPoint> = Vec::new();
    let mut is_script_section = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            let section = section.strip_suffix(']').ok_or_else(|| not_a_script(line))?;
            is_script_section = matches!(section.trim(), "console_scripts" | "gui_scripts");
        } else if is_script_section {
            let script = script(line).ok_or_else(|| not_a_script(line))?;
            if scripts.iter().any(|other| other.name.eq_ignore_ascii_case(&script.name)) {
                return Err(format!("it names the script `{}` twice", script.name));
            }
            scripts.push(script);
        }
    }
    Ok(scripts)
}

fn not_a_script(line: &str) -> String {
    let line: String = line.chars().take(120).flat_map(char::escape_debug).collect();
    format!("`{line}` is not a script")
}

/// Parses `name = module:attribute [extras]`. Each part becomes part of a file name or of Python code, so only
/// names pass.
fn script(line: &str) -> Option<EntryPoint> {
    let (name, object) = line.split_once('=')?;
    // Extras are of no use to a script: whoever locked the package has chosen them.
    let object = object.split_once('[').map_or(object, |(object, _extras)| object);
    let (module, call) = object.split_once(':')?;
    let (name, module, call) = (name.trim(), module.trim(), call.trim());
    let sound = is_file_name(name) && is_dotted_name(module) && is_dotted_name(call);
    sound.then(|| EntryPoint { name: name.to_owned(), module: module.to_owned(), call: call.to_owned() })
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        // Below the 255 bytes that the usual disks allow, with room for a suffix.
        && name.len() <= 200
        // A hidden script could not be found, and one with a dash reads like an option.
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | ' ' | '@' | '!'))
}

fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|name| {
        name.chars().all(|c| c.is_alphanumeric() || c == '_')
            && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn console_and_gui_scripts_are_parsed() {
        let text =
            b"[console_scripts]\r\nblack = black:patched_main\r\n  blackd=blackd:patched_main [d]\n\n# no\n\
            [other]\nx = ///\n[ gui_scripts ]\nwin = a.b:C.d";
        let found: Vec<_> = scripts(text)
            .unwrap()
            .into_iter()
            .map(|script| format!("{} {} {}", script.name, script.module, script.call))
            .collect();
        assert_eq!(found, ["black black patched_main", "blackd blackd patched_main", "win a.b C.d"]);
    }

    #[test]
    fn an_entry_point_that_leaves_its_folder_or_holds_code_is_refused() {
        for line in [
            "../x = a:b",
            "a/b = a:b",
            ".. = a:b",
            "= a:b",
            "x = a",
            "x = a:b()",
            "x = a;import os:b",
            "x = a:b\u{1}",
            "x = a..b:c",
            "x = :b",
            "-rf = a:b",
        ] {
            assert!(scripts(format!("[console_scripts]\n{line}\n").as_bytes()).is_err(), "{line}");
        }
        assert!(scripts(b"[console_scripts]\nx = a:b\nX = c:d\n").is_err());
        assert!(scripts(b"[console_scripts\n").is_err());
    }
}
