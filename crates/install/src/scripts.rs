//! The scripts that an installation writes: launchers of entry points, and a wheel's own scripts with a new
//! first line.

use std::path::Path;

use super::entry_points::EntryPoint;

/// The longest first line that every kernel in use reads, in bytes: Linux before 5.1 cut it at 127.
const LONGEST: usize = 127;

/// The first lines of a script, by which the kernel runs it with `python`. If the path is too long or has a
/// space, the shell runs the script first: it reads the second line as an `exec` of Python, and Python reads the
/// same bytes as a string that has no effect.
pub(super) fn shebang(python: &Path) -> Vec<u8> {
    let path = python.to_string_lossy();
    if path.len() + "#!\n".len() <= LONGEST && !path.contains(char::is_whitespace) {
        return format!("#!{path}\n").into_bytes();
    }
    format!("#!/bin/sh\n'''exec' \"{}\" \"$0\" \"$@\"\n' '''\n", sh_escaped(&path)).into_bytes()
}

/// Escapes a text for double quotes of a shell.
fn sh_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The text of the script that calls an entry point.
pub(super) fn launcher(script: &EntryPoint, python: &Path) -> Vec<u8> {
    let EntryPoint { module, call, .. } = script;
    let first = call.split('.').next().unwrap_or(call);
    let mut text = shebang(python);
    text.extend_from_slice(
        format!("import sys\n\nfrom {module} import {first}\n\nif __name__ == \"__main__\":\n    sys.exit({call}())\n")
            .as_bytes(),
    );
    text
}

/// A wheel's own script with another first line in place of `#!python`.
pub(super) fn with_interpreter(text: &[u8], python: &Path) -> Vec<u8> {
    let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
    [&shebang(python), &text[end..]].concat()
}

/// The interpreter in a script's first lines, of either form; `None` for a file that is no script.
pub(super) fn interpreter(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head.strip_prefix(b"#!")?);
    let mut lines = text.lines();
    let first = lines.next()?.trim();
    if first == "/bin/sh"
        && let Some(rest) = lines.next()?.strip_prefix("'''exec' ")
    {
        return Some(unescaped(rest.trim_start()));
    }
    first.split_whitespace().next().map(str::to_owned)
}

/// The first argument of a shell line, in double quotes or bare.
fn unescaped(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"') else {
        return text.split_whitespace().next().unwrap_or_default().to_owned();
    };
    let mut out = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_that_the_kernel_cannot_read_goes_through_the_shell() {
        let long = format!("/{}/bin/python", "x".repeat(120));
        for (python, line) in [
            ("/v/bin/python", "#!/v/bin/python\n".to_owned()),
            ("/v v/bin/python", "#!/bin/sh\n'''exec' \"/v v/bin/python\" \"$0\" \"$@\"\n' '''\n".to_owned()),
            (&long, format!("#!/bin/sh\n'''exec' \"{long}\" \"$0\" \"$@\"\n' '''\n")),
            ("/a \"$`\\/p", "#!/bin/sh\n'''exec' \"/a \\\"\\$\\`\\\\/p\" \"$0\" \"$@\"\n' '''\n".to_owned()),
        ] {
            let head = shebang(Path::new(python));
            assert_eq!(String::from_utf8_lossy(&head), line);
            assert_eq!(interpreter(&head).as_deref(), Some(python));
        }
    }

    #[test]
    fn only_a_script_has_an_interpreter() {
        assert_eq!(interpreter(b"\x7fELF"), None);
        assert_eq!(interpreter(b"#!/usr/bin/env python\n").as_deref(), Some("/usr/bin/env"));
        assert_eq!(interpreter(b"#!/bin/sh\necho\n").as_deref(), Some("/bin/sh"));
        assert_eq!(interpreter(b"#!"), None);
    }

    #[test]
    fn only_the_first_line_of_a_script_is_replaced() {
        let text = with_interpreter(b"#!python -u\r\nprint(1)\n", Path::new("/p"));
        assert_eq!(text, b"#!/p\nprint(1)\n");
        assert_eq!(with_interpreter(b"#!python", Path::new("/p")), b"#!/p\n");
    }
}
