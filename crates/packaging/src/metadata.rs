//! `METADATA` or `PKG-INFO` text -> the core metadata fields that a resolver needs (PyPA "Core metadata specifications";
//! PEP 566, PEP 643).

use std::borrow::Cow;
use std::fmt;

use super::{ExtraName, PackageName, Requirement, SpecifierSet, Version, excerpt};

/// The core metadata fields that a resolver needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// `Name`
    pub name: PackageName,
    /// `Version`
    pub version: Version,
    /// Every `Requires-Dist`, in order.
    pub requires: Vec<Requirement>,
    /// `Requires-Python`; an invalid one is `None` and a warning.
    pub requires_python: Option<SpecifierSet>,
    /// Every `Provides-Extra`.
    pub extras: Vec<ExtraName>,
    /// Where it comes from.
    pub source: MetadataSource,
    /// What was ignored, a sentence each.
    pub warnings: Vec<String>,
}

/// Where metadata comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataSource {
    /// The file itself: its METADATA or PKG-INFO, or the index's hash-checked copy of it.
    File,
    /// The index's `info` about a release. Its files may differ, so it must be confirmed.
    Release,
}

/// Metadata that is invalid: it excludes the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError {
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
}

/// Larger metadata is refused.
const MAX_BYTES: usize = 16 << 20;

impl Metadata {
    /// Parses a `METADATA` or `PKG-INFO` text of at most 16 MB.
    ///
    /// # Errors
    /// When it is larger, has no valid name or version, or has an invalid `Requires-Dist`.
    pub fn parse(text: &[u8]) -> Result<Self, MetadataError> {
        Fields::read(text)?.into_metadata()
    }

    /// Parses the `PKG-INFO` of an sdist; `None` if only a build can give its requirements: a metadata version below 2.2, or
    /// one that declares them dynamic (PEP 643).
    ///
    /// # Errors
    /// As for [`Metadata::parse`].
    pub fn parse_static(text: &[u8]) -> Result<Option<Self>, MetadataError> {
        let fields = Fields::read(text)?;
        if fields.are_static() { fields.into_metadata().map(Some) } else { Ok(None) }
    }

    /// Only the headers of `text` that [`parse`](Self::parse) uses, verbatim: a small part of most texts.
    #[must_use]
    pub fn headers(text: &[u8]) -> Vec<u8> {
        let mut headers = Vec::new();
        let mut lines = HeaderLines::of(text);
        while let Some(header) = lines.next_header() {
            if Field::of(header).is_some() {
                headers.extend_from_slice(header);
            }
        }
        headers
    }

    /// From the fields of the JSON API's `info` about a release.
    ///
    /// # Errors
    /// When a requirement is invalid.
    pub fn of_release(
        name: &PackageName,
        version: &Version,
        requires_dist: &[String],
        requires_python: Option<&str>,
        provides_extra: &[String],
    ) -> Result<Self, MetadataError> {
        let mut metadata = Self {
            name: name.clone(),
            version: version.clone(),
            requires: Vec::with_capacity(requires_dist.len()),
            requires_python: None,
            extras: Vec::with_capacity(provides_extra.len()),
            source: MetadataSource::Release,
            warnings: Vec::new(),
        };
        metadata.add(requires_dist, requires_python, provides_extra)?;
        Ok(metadata)
    }

    /// Parses the fields beside name and version.
    fn add(
        &mut self,
        requires: &[impl AsRef<str>],
        python: Option<&str>,
        extras: &[impl AsRef<str>],
    ) -> Result<(), MetadataError> {
        for text in requires {
            let requirement = read_requirement(text.as_ref())?;
            let shown = |warning| format!("its Requires-Dist `{}`: {warning}", excerpt(text.as_ref(), 200));
            self.warnings.extend(requirement.marker.warnings().iter().map(shown));
            self.requires.push(requirement);
        }
        if let Some(text) = python.map(str::trim).filter(|text| !text.is_empty()) {
            match SpecifierSet::parse_lenient(text) {
                Ok(specifiers) => self.requires_python = Some(specifiers),
                Err(error) => {
                    let text = excerpt(text, 80);
                    self.warnings.push(format!("its Requires-Python `{text}` is ignored: {error}"));
                }
            }
        }
        for text in extras {
            match ExtraName::new(text.as_ref().trim()) {
                Ok(extra) => self.extras.push(extra),
                Err(error) => self.warnings.push(format!("a Provides-Extra is ignored: {error}")),
            }
        }
        Ok(())
    }
}

fn read_requirement(text: &str) -> Result<Requirement, MetadataError> {
    Requirement::parse_lenient(text).map_err(|error| {
        unreadable(format!("its Requires-Dist `{}` cannot be read: {error}", excerpt(text, 200)))
    })
}

fn unreadable(message: String) -> MetadataError {
    MetadataError { message }
}

/// The header fields that are used, as text.
#[derive(Default)]
struct Fields<'a> {
    format: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    requires: Vec<Cow<'a, str>>,
    python: Option<Cow<'a, str>>,
    extras: Vec<Cow<'a, str>>,
    dynamic: Vec<Cow<'a, str>>,
}

impl<'a> Fields<'a> {
    /// Reads the headers, which end at the first empty line; the description after it is skipped.
    fn read(text: &'a [u8]) -> Result<Self, MetadataError> {
        if text.len() > MAX_BYTES {
            return Err(unreadable(format!("its metadata is larger than {} MB", MAX_BYTES >> 20)));
        }
        let mut fields = Self::default();
        let mut lines = HeaderLines::of(text);
        while let Some(header) = lines.next_header() {
            fields.record(header);
        }
        Ok(fields)
    }

    fn record(&mut self, header: &'a [u8]) {
        let Some((field, value)) = Field::of(header) else { return };
        let first = match field {
            Field::RequiresDist => return self.requires.push(unfold(value)),
            Field::ProvidesExtra => return self.extras.push(unfold(value)),
            Field::Dynamic => return self.dynamic.push(unfold(value)),
            Field::MetadataVersion => &mut self.format,
            Field::Name => &mut self.name,
            Field::Version => &mut self.version,
            Field::RequiresPython => &mut self.python,
        };
        // Of a field that may appear once, the first one counts.
        first.get_or_insert_with(|| unfold(value));
    }

    /// Whether a build of the sdist may not change the requirements (PEP 643).
    fn are_static(&self) -> bool {
        let dynamic_fields = ["Requires-Dist", "Requires-Python", "Provides-Extra"];
        self.format.as_deref().and_then(format_version).is_some_and(|format| format >= (2, 2))
            && !self
                .dynamic
                .iter()
                .any(|field| dynamic_fields.iter().any(|name| name.eq_ignore_ascii_case(field)))
    }

    /// Checks and parses the fields.
    fn into_metadata(self) -> Result<Metadata, MetadataError> {
        if let Some(format) = &self.format
            && format_version(format).is_some_and(|format| format >= (3, 0))
        {
            return Err(unreadable(format!("its Metadata-Version `{}` is not known", excerpt(format, 20))));
        }
        let name = self.name.ok_or_else(|| unreadable("its metadata has no Name".to_owned()))?;
        let version = self.version.ok_or_else(|| unreadable("its metadata has no Version".to_owned()))?;
        let mut metadata = Metadata {
            name: PackageName::new(&name).map_err(|error| unreadable(format!("its Name: {error}")))?,
            version: version.parse().map_err(|_| {
                unreadable(format!("its Version `{}` is not a version", excerpt(&version, 80)))
            })?,
            requires: Vec::with_capacity(self.requires.len()),
            requires_python: None,
            extras: Vec::with_capacity(self.extras.len()),
            source: MetadataSource::File,
            warnings: Vec::new(),
        };
        metadata.add(&self.requires, self.python.as_deref(), &self.extras)?;
        Ok(metadata)
    }
}

/// A header field that is used.
#[derive(Clone, Copy)]
enum Field {
    MetadataVersion,
    Name,
    Version,
    RequiresDist,
    RequiresPython,
    ProvidesExtra,
    Dynamic,
}

impl Field {
    const ALL: [(&str, Self); 7] = [
        ("Metadata-Version", Self::MetadataVersion),
        ("Name", Self::Name),
        ("Version", Self::Version),
        ("Requires-Dist", Self::RequiresDist),
        ("Requires-Python", Self::RequiresPython),
        ("Provides-Extra", Self::ProvidesExtra),
        ("Dynamic", Self::Dynamic),
    ];

    /// The field of a header and its value.
    fn of(header: &[u8]) -> Option<(Self, &[u8])> {
        let colon = header.iter().position(|byte| *byte == b':')?;
        let key = header[..colon].trim_ascii();
        let (_, field) = Self::ALL.iter().find(|(name, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
        Some((*field, &header[colon + 1..]))
    }
}

/// `X.Y`
fn format_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A header's value on one line. Bytes that are not UTF-8 become replacement characters.
fn unfold(value: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(value.trim_ascii());
    if text.contains('\n') {
        Cow::Owned(text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
    } else {
        text
    }
}

/// Splits a text into headers, each with its continuation lines.
struct HeaderLines<'a> {
    rest: &'a [u8],
}

impl<'a> HeaderLines<'a> {
    /// Starts at the beginning of `text`, after a byte order mark.
    fn of(text: &'a [u8]) -> Self {
        Self { rest: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) }
    }

    fn next_header(&mut self) -> Option<&'a [u8]> {
        let mut end = line_length(self.rest);
        if self.rest[..end].trim_ascii_end().is_empty() {
            return None;
        }
        while matches!(self.rest.get(end), Some(b' ' | b'\t')) {
            end += line_length(&self.rest[end..]);
        }
        let (header, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(header)
    }
}

/// The length of the first line with its end.
fn line_length(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1)
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MetadataError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Metadata {
        Metadata::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn headers_of_every_form_give_the_same_metadata() {
        let plain = "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\nSummary: x\nRequires-Dist: a (>=1.0)\n\
            Requires-Dist: b>=2; extra == 'Test'\nRequires-Python: >=3.8,\nProvides-Extra: Test\n\nName: other\n";
        let expected = read(plain);
        assert_eq!(expected.name.as_str(), "foo-bar");
        assert_eq!(expected.version.to_string(), "1.0");
        let requires: Vec<_> = expected.requires.iter().map(ToString::to_string).collect();
        assert_eq!(requires, ["a>=1.0", "b>=2 ; extra == 'test'"]);
        assert_eq!(expected.requires_python.as_ref().unwrap().to_string(), ">=3.8");
        assert_eq!(expected.extras, [ExtraName::new("test").unwrap()]);
        assert!(expected.warnings.is_empty());
        for other in [
            plain.replace('\n', "\r\n"),
            format!("\u{feff}{plain}"),
            plain.replace("Name:", "NAME :").replace("Requires-Dist:", "requires-dist:"),
            plain.replace("Summary: x", "Description: x\n        Name: wrong\n\tVersion: 9\n |\n        "),
            plain.replace("b>=2; extra", "b>=2;\n  extra"),
            plain.replace("Summary: x", "License: some\nunfolded text without a colon"),
            plain.split("\n\n").next().unwrap().to_owned(),
        ] {
            assert_eq!(read(&other), expected, "{other}");
        }
        let mut garbage = b"Author: J\xf6rg\n".to_vec();
        garbage.extend_from_slice(plain.as_bytes());
        garbage.extend_from_slice(b"\xff\xfe\x00");
        assert_eq!(Metadata::parse(&garbage).unwrap(), expected);
    }

    #[test]
    fn only_the_used_headers_are_kept() {
        let matter = "Metadata-Version: 2.2\nname : a\nVersion: 1\nRequires-Dist: b>=2;\n  extra == 't'\n\
            Provides-Extra: t\nDynamic: License\nRequires-Python: >=3\n";
        for (before, after) in [
            ("", ""),
            ("\u{feff}Summary: x\n", "\nRequires-Dist: c\n"),
            ("Description: x\n        Name: wrong\n", "License: some\nunfolded text without a colon\n"),
        ] {
            let text = format!("{before}{matter}{after}");
            assert_eq!(Metadata::headers(text.as_bytes()), matter.as_bytes(), "{text}");
            assert_eq!(read(&text), read(matter));
        }
        assert_eq!(Metadata::headers(b"Name: a\r\nSummary: x\r\n\r\nVersion: 1\r\n"), b"Name: a\r\n");
        assert_eq!(Metadata::headers(b"Summary: x\nName: a"), b"Name: a");
    }

    #[test]
    fn invalid_metadata_is_an_error() {
        let large = vec![b'a'; MAX_BYTES + 1];
        for (text, message) in [
            (&b""[..], "its metadata has no Name"),
            (b"Name: a\n\nVersion: 1\n", "its metadata has no Version"),
            (
                b"Name: a b\nVersion: 1\n",
                "its Name: `a b` is not a name: ASCII letters and digits, with `-`, `_` and `.` between them",
            ),
            (b"Name: a\nVersion: one\n", "its Version `one` is not a version"),
            (
                b"Name: a\nVersion: 1\nRequires-Dist: b >> 1\n",
                "its Requires-Dist `b >> 1` cannot be read: `>>` is not an operator: expected `==`, `!=`, `~=`, `<=`, `>=`, `<`, `>` or `===`",
            ),
            (b"Metadata-Version: 3.0\nName: a\nVersion: 1\n", "its Metadata-Version `3.0` is not known"),
            (&large, "its metadata is larger than 16 MB"),
        ] {
            assert_eq!(Metadata::parse(text).unwrap_err().message, message);
        }
    }

    #[test]
    fn an_ignored_field_is_a_warning() {
        let metadata = read(
            "Name: a\nVersion: 1\nRequires-Python: ~=three\nProvides-Extra: a b\n\
             Requires-Dist: b; python_version >= 'x'\nRequires-Python: >=3\n",
        );
        assert_eq!(metadata.requires_python, None);
        assert!(metadata.extras.is_empty());
        assert_eq!(
            metadata.warnings,
            [
                "its Requires-Dist `b; python_version >= 'x'`: `python_version >= 'x'` is taken as false: it does not \
                 compare with a version",
                "its Requires-Python `~=three` is ignored: `three` is not a version such as `1.2.3`",
                "a Provides-Extra is ignored: `a b` is not a name: ASCII letters and digits, with `-`, `_` and `.` \
                 between them",
            ]
        );
        assert_eq!(read("Name: a\nVersion: 1\nRequires-Python:\n").warnings, [""; 0]);
    }

    #[test]
    fn an_sdist_of_version_2_2_without_dynamic_requirements_is_static() {
        for (format, dynamic, is_static) in [
            ("2.1", "", false),
            ("2.2", "", true),
            ("2.10", "", true),
            ("2", "", false),
            ("2.4", "Dynamic: License\n", true),
            ("2.2", "Dynamic: requires-dist\n", false),
            ("2.2", "Dynamic: Version\nDynamic: Provides-Extra\n", false),
            ("2.2", "Dynamic: Requires-Python\n", false),
        ] {
            let text = format!("Metadata-Version: {format}\nName: a\nVersion: 1\n{dynamic}");
            let read = Metadata::parse_static(text.as_bytes()).unwrap();
            assert_eq!(read.is_some(), is_static, "{text}");
        }
    }

    #[test]
    fn fields_of_the_json_api_become_metadata() {
        let (name, version) = (PackageName::new("a").unwrap(), "1".parse().unwrap());
        let requires = ["b>=1,".to_owned(), "c ; extra == 'x'".to_owned()];
        let metadata =
            Metadata::of_release(&name, &version, &requires, Some(">=3.8"), &["x".to_owned()]).unwrap();
        assert_eq!(metadata.source, MetadataSource::Release);
        assert_eq!(metadata.requires.len(), 2);
        assert_eq!(metadata.extras.len(), 1);
        assert!(Metadata::of_release(&name, &version, &["?".to_owned()], None, &[]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let mut text = b"Name: a\nVersion: 1\nRequires-Dist: ".to_vec();
            text.extend_from_slice(&bytes);
            let _ = Metadata::parse(&text);
            let _ = Metadata::parse_static(&bytes);
        }
    }
}
