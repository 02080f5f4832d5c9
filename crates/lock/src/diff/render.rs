//! A diff as text, as a Markdown table for a pull request, and as JSON.

use serde::Serialize;

use super::{BuildChange, BuildPermission, ChangeKind, Diff, PinChange};
use crate::Pin;

/// The JSON document of a diff.
#[derive(Clone, Debug, Serialize)]
pub struct DiffReport {
    /// The version of this schema: 1. A new field does not raise it.
    #[serde(rename = "schema")]
    pub schema_version: u32,
    /// How many changes there are of each kind.
    pub summary: Summary,
    /// The changes, sorted by name.
    pub changes: Vec<ReportedChange>,
    /// The changes of the permitted builds, sorted by name.
    pub builds: Vec<ReportedBuild>,
}

/// A change of a permitted build.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedBuild {
    /// The package that is built.
    pub name: String,
    /// `added` (the build is permitted now), `removed` (no longer) or `changed`.
    pub change: &'static str,
    /// The changes of the pins that its build requires.
    pub changes: Vec<ReportedChange>,
}

/// How many changes there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field counts the kind of its name; `changed` the rest")]
pub struct Summary {
    pub added: usize,
    pub removed: usize,
    pub up: usize,
    pub down: usize,
    pub changed: usize,
    /// Packages whose permitted build was added, removed or changed.
    pub builds: usize,
}

/// One change.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedChange {
    /// The package.
    pub name: String,
    /// `added`, `removed`, `up`, `down`, `source`, `marker` or `hashes`.
    pub change: &'static str,
    /// The old pin; absent if the package is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<ReportedPin>,
    /// The new pin; absent if the package is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<ReportedPin>,
    /// How many hashes were added.
    pub hashes_added: usize,
    /// How many hashes were removed.
    pub hashes_removed: usize,
}

/// One side of a change.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedPin {
    /// The version.
    pub version: String,
    /// Its marker; absent if it is always installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The URL of a `name @ URL` pin, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl ChangeKind {
    /// A stable name for machines.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Up => "up",
            Self::Down => "down",
            Self::Source => "source",
            Self::Marker => "marker",
            Self::Hashes => "hashes",
        }
    }

    fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Up => '^',
            Self::Down => 'v',
            Self::Source | Self::Marker | Self::Hashes => '~',
        }
    }
}

impl Diff {
    /// One line a change, and a summary.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines: String = self.changes.iter().map(|change| format!("{change}\n")).collect();
        let builds: String = self.builds.iter().map(ToString::to_string).collect();
        format!("{lines}{builds}{}\n", self.summary())
    }

    /// A table fit for a comment on a pull request.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!("**{}**\n", self.summary());
        if !self.changes.is_empty() || !self.builds.is_empty() {
            text.push_str("\n| package | old | new | change |\n|---|---|---|---|\n");
        }
        for change in &self.changes {
            let (old, new) = (cell(change.old.as_ref()), cell(change.new.as_ref()));
            text.push_str(&format!("| {} | {old} | {new} | {} |\n", change.name, change.note()));
        }
        for build in &self.builds {
            if build.permission != BuildPermission::Unchanged {
                text.push_str(&format!("| build of {} | | | {} |\n", build.name, build.permission.code()));
            }
            for change in &build.changes {
                let (old, new) = (cell(change.old.as_ref()), cell(change.new.as_ref()));
                let (package, note) = (&change.name, change.note());
                text.push_str(&format!("| {package} (build of {}) | {old} | {new} | {note} |\n", build.name));
            }
        }
        text
    }

    /// The JSON document.
    #[must_use]
    pub fn report(&self) -> DiffReport {
        let changes = self.changes.iter().map(ReportedChange::from).collect();
        let builds = self.builds.iter().map(ReportedBuild::from).collect();
        DiffReport { schema_version: 1, summary: self.summary(), changes, builds }
    }

    /// How many changes there are of each kind.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary { builds: self.builds.len(), ..Summary::default() };
        for change in &self.changes {
            let count = match change.kind {
                ChangeKind::Added => &mut summary.added,
                ChangeKind::Removed => &mut summary.removed,
                ChangeKind::Up => &mut summary.up,
                ChangeKind::Down => &mut summary.down,
                ChangeKind::Source | ChangeKind::Marker | ChangeKind::Hashes => &mut summary.changed,
            };
            *count += 1;
        }
        summary
    }
}

/// `1 added, 2 up`, or that nothing changed.
impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            (self.added, "added"),
            (self.removed, "removed"),
            (self.up, "up"),
            (self.down, "down"),
            (self.changed, "changed"),
            (self.builds, if self.builds == 1 { "build changed" } else { "builds changed" }),
        ];
        let counts: Vec<_> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        f.write_str(if counts.is_empty() { "no package changed" } else { "" })?;
        f.write_str(&counts.join(", "))
    }
}

impl BuildPermission {
    fn code(self) -> &'static str {
        match self {
            Self::Granted => "added",
            Self::Revoked => "removed",
            Self::Unchanged => "changed",
        }
    }
}

/// `+ build of docopt`, then a line a change of what its build requires.
impl std::fmt::Display for BuildChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.permission {
            BuildPermission::Granted => '+',
            BuildPermission::Revoked => '-',
            BuildPermission::Unchanged => '~',
        };
        writeln!(f, "{sign} build of {}", self.name)?;
        self.changes.iter().try_for_each(|change| writeln!(f, "    {change}"))
    }
}

/// `^ certifi 2025.1.1 -> 2026.1.4`.
impl std::fmt::Display for PinChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ", self.kind.sign(), self.name)?;
        match (self.old.as_ref().map(pinned), self.new.as_ref().map(pinned)) {
            (Some(old), Some(new)) if old != new => write!(f, "{old} -> {new}")?,
            (old, new) => f.write_str(&new.or(old).unwrap_or_default())?,
        }
        match self.kind {
            ChangeKind::Hashes => write!(f, " ({})", self.note()),
            _ => Ok(()),
        }
    }
}

impl PinChange {
    fn note(&self) -> String {
        match self.kind {
            ChangeKind::Hashes => match self.hashes() {
                (added, 0) => format!("hashes: {added} new"),
                (added, removed) => format!("hashes: {added} new, {removed} gone"),
            },
            kind => kind.code().to_owned(),
        }
    }
}

/// `1.0 ; marker`, with the URL of a URL pin.
fn pinned(pin: &Pin) -> String {
    let mut text = pin.version.to_string();
    if let Some(url) = &pin.url {
        text.push_str(&format!(" @ {url}"));
    }
    if !pin.marker.is_always() {
        text.push_str(&format!(" ; {}", pin.marker));
    }
    text
}

fn cell(pin: Option<&Pin>) -> String {
    pin.map(|pin| format!("`{}`", pinned(pin).replace('|', "\\|").replace('`', "'"))).unwrap_or_default()
}

impl From<&BuildChange> for ReportedBuild {
    fn from(build: &BuildChange) -> Self {
        Self {
            name: build.name.to_string(),
            change: build.permission.code(),
            changes: build.changes.iter().map(ReportedChange::from).collect(),
        }
    }
}

impl From<&PinChange> for ReportedChange {
    fn from(change: &PinChange) -> Self {
        let pin = |pin: &Pin| ReportedPin {
            version: pin.version.to_string(),
            marker: (!pin.marker.is_always()).then(|| pin.marker.to_string()),
            url: pin.url.as_ref().map(ToString::to_string),
        };
        let (hashes_added, hashes_removed) = change.hashes();
        Self {
            name: change.name.to_string(),
            change: change.kind.code(),
            old: change.old.as_ref().map(pin),
            new: change.new.as_ref().map(pin),
            hashes_added,
            hashes_removed,
        }
    }
}
