//! Parses the INI dialect of pip's configuration files, that of Python's `configparser.RawConfigParser`.
//!
//! It has `[section]`, `key = value` or `key: value`, and whole-line comments with `#` or `;`. A line indented
//! deeper than the key continues the value. There is no interpolation.

/// One `key = value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IniEntry {
    /// The section's name.
    pub(super) section: String,
    /// The key, in lower case.
    pub(super) key: String,
    /// The value; its lines are joined by `\n`.
    pub(super) value: String,
    /// The line of the key, from 1.
    pub(super) line: u32,
}

/// The first line that is not valid INI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IniError {
    /// The line, from 1.
    pub(super) line: u32,
    /// What is wrong with it: a predicate such as "has no key before its `=`".
    pub(super) message: String,
}

/// Parses `text` into its entries, in order.
pub(super) fn parse(text: &str) -> Result<Vec<IniEntry>, IniError> {
    let mut parser = IniParser::default();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        parser.line(number, line).map_err(|message| IniError { line: number, message })?;
    }
    for entry in &mut parser.entries {
        entry.value.truncate(entry.value.trim_end().len());
    }
    Ok(parser.entries)
}

#[derive(Default)]
struct IniParser {
    entries: Vec<IniEntry>,
    /// The sections so far; entries belong to the last one.
    sections: Vec<String>,
    /// The indentation of the last key while its value may continue.
    open: Option<usize>,
}

impl IniParser {
    fn line(&mut self, number: u32, line: &str) -> Result<(), String> {
        let content = line.trim();
        if content.starts_with(['#', ';']) {
            return Ok(());
        }
        let indent = line.len() - line.trim_start().len();
        if let (Some(key_indent), Some(entry)) = (self.open, self.entries.last_mut())
            && (content.is_empty() || indent > key_indent)
        {
            entry.value.push('\n');
            entry.value.push_str(content);
            return Ok(());
        }
        match content.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
            _ if content.is_empty() => Ok(()),
            Some((name, _)) => self.section(name),
            None => self.entry(number, indent, content),
        }
    }

    fn section(&mut self, name: &str) -> Result<(), String> {
        if self.sections.iter().any(|section| section == name) {
            return Err(format!("opens [{name}] for the second time"));
        }
        self.sections.push(name.to_owned());
        self.open = None;
        Ok(())
    }

    fn entry(&mut self, line: u32, indent: usize, content: &str) -> Result<(), String> {
        let section = self.sections.last().cloned().ok_or("stands before the first [section]")?;
        let (key, value) = content.split_once(['=', ':']).ok_or("is no `key = value`")?;
        let key = key.trim().to_lowercase();
        if key.is_empty() {
            return Err("has no key before its `=`".to_owned());
        }
        if self.entries.iter().any(|entry| entry.section == section && entry.key == key) {
            return Err(format!("gives `{key}` for the second time in [{section}]"));
        }
        self.entries.push(IniEntry { section, key, value: value.trim().to_owned(), line });
        self.open = Some(indent);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let entry = |e: IniEntry| format!("{} {}.{}={:?}", e.line, e.section, e.key, e.value);
        parse(text).unwrap().into_iter().map(entry).collect()
    }

    #[test]
    fn reads_what_python_reads() {
        let text = "# c\n[global]\nIndex-URL = https://a=b\n\n; c\ntimeout: 60\nfind-links =\n    /a\n  # c\n    /b\n\n[install]\n  no-index = yes\n  x=1\n";
        assert_eq!(
            shown(text),
            [
                "3 global.index-url=\"https://a=b\"",
                "6 global.timeout=\"60\"",
                "7 global.find-links=\"\\n/a\\n/b\"",
                "13 install.no-index=\"yes\"",
                "14 install.x=\"1\"",
            ]
        );
        assert_eq!(shown("\u{feff}[a]\r\nb = c\r\n"), ["2 a.b=\"c\""]);
        assert_eq!(shown("[a]\nb = 1 # not a comment\n"), ["2 a.b=\"1 # not a comment\""]);
    }

    #[test]
    fn invalid_ini_is_an_error_with_its_line() {
        for (text, line, message) in [
            ("a = 1", 1, "stands before the first [section]"),
            ("[a]\nb", 2, "is no `key = value`"),
            ("[a]\n= 1", 2, "has no key before its `=`"),
            ("[c]\nb = 1\n[a]\nb = 1\nB = 2", 5, "gives `b` for the second time in [a]"),
            ("[a]\n[c]\n[a]", 3, "opens [a] for the second time"),
        ] {
            assert_eq!(parse(text), Err(IniError { line, message: message.to_owned() }), "{text}");
        }
    }
}
