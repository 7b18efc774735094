//! Overlays: the changes that a definition makes to an upstream spec and to the files beside it, as loaded.
//!
//! The kinds of the original are written and mean what they do there; the typed kinds are ours. What an overlay does to
//! a spec is not decided here: this is what was written, checked as far as it can be without the spec.

mod operation;
mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::diagnostic::Position;
use crate::pattern::Pattern;

pub use operation::OperationError;
pub use read::OVERLAY_TYPES;
pub(crate) use read::{read, read_file, read_metadata};

/// A change to a component's spec or to the files beside it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Overlay {
    /// What is changed.
    #[serde(flatten)]
    pub kind: OverlayKind,
    /// Why, in a sentence; required of typed overlays.
    pub description: Option<String>,
    /// What sort of change it is and how it relates to upstream.
    pub metadata: Metadata,
    /// The last day on which it is wanted, as in `2027-03-31`.
    pub expires: Option<Date>,
    /// It may change nothing: that is then no error.
    pub optional: bool,
    /// Where it is defined: the start of its table.
    pub at: Position,
    /// Where the value of each of its keys is written.
    #[serde(skip)]
    pub values: BTreeMap<&'static str, Position>,
}

impl Overlay {
    /// Where the value of `key` is written, or the overlay itself where it is not.
    pub fn value_at(&self, key: &str) -> &Position {
        self.values.get(key).unwrap_or(&self.at)
    }

    /// Whether it changes the spec; patches change the spec and the files beside it.
    pub fn changes_spec(&self) -> bool {
        !matches!(
            self.kind,
            OverlayKind::PrependFileLines { .. }
                | OverlayKind::SearchReplaceInFile { .. }
                | OverlayKind::AddFile { .. }
                | OverlayKind::RemoveFile { .. }
                | OverlayKind::RenameFile { .. }
        )
    }

    /// The source archive that it changes the inside of.
    pub fn archive(&self) -> Option<&str> {
        match &self.kind {
            OverlayKind::SearchReplaceInFile { archive, .. } | OverlayKind::RemoveFile { archive, .. } => {
                archive.as_deref()
            }
            _ => None,
        }
    }

    /// The file of the definition that it brings along.
    pub fn source(&self) -> Option<&PathBuf> {
        match &self.kind {
            OverlayKind::AddPatch { source, .. } | OverlayKind::AddFile { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The name that its own file gets beside the spec.
    pub fn source_name(&self) -> Option<&str> {
        match &self.kind {
            OverlayKind::AddPatch { file: Some(file), .. } | OverlayKind::AddFile { file, .. } => Some(file),
            OverlayKind::AddPatch { file: None, source, .. } => source.file_name()?.to_str(),
            _ => None,
        }
    }
}

/// The part of a spec that an overlay looks at.
///
/// Names are compared as they are written, letter by letter: `%files`, and `devel` for `%files devel`, `libfoo` for
/// `%files -n libfoo`. Without a section it is the whole spec.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Scope {
    /// As in `%build`.
    pub section: Option<String>,
    /// The subpackage of the section; the main package if not said. Never without a section.
    pub package: Option<String>,
}

/// What an overlay changes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "type")]
pub enum OverlayKind {
    /// Adds a line `tag: value` at the end of the preamble, or of the `%package` section of `package`.
    #[serde(rename = "spec-add-tag")]
    AddTag {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// What stands after the colon.
        value: String,
    },
    /// Adds a line `tag: value` after the last tag of the same family: `Source9` after `Source3`.
    #[serde(rename = "spec-insert-tag")]
    InsertTag {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `Source9`.
        tag: String,
        /// What stands after the colon.
        value: String,
    },
    /// Gives the tag a value, and adds it where it is missing.
    #[serde(rename = "spec-set-tag")]
    SetTag {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `Version`.
        tag: String,
        /// What stands after the colon.
        value: String,
    },
    /// Gives a tag that is there another value.
    #[serde(rename = "spec-update-tag")]
    UpdateTag {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `Version`.
        tag: String,
        /// What stands after the colon.
        value: String,
    },
    /// Removes all lines of the tag, or those with this value.
    #[serde(rename = "spec-remove-tag")]
    RemoveTag {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// The value, whose letters may differ in case; any if not said.
        value: Option<String>,
    },
    /// Adds lines at the start of the section's body, or of the spec.
    #[serde(rename = "spec-prepend-lines")]
    PrependLines {
        /// Where.
        #[serde(flatten)]
        scope: Scope,
        /// The lines.
        lines: Vec<String>,
    },
    /// Adds lines at the end of the section's body, or of the spec.
    #[serde(rename = "spec-append-lines")]
    AppendLines {
        /// Where.
        #[serde(flatten)]
        scope: Scope,
        /// The lines.
        lines: Vec<String>,
    },
    /// Replaces what the expression finds, line by line, by a text that is taken literally.
    #[serde(rename = "spec-search-replace")]
    SearchReplace {
        /// Where.
        #[serde(flatten)]
        scope: Scope,
        /// What is looked for.
        regex: Pattern,
        /// What is written instead; a dollar sign is one.
        replacement: String,
    },
    /// Removes a section.
    #[serde(rename = "spec-remove-section")]
    RemoveSection {
        /// As in `%check`.
        section: String,
        /// The subpackage of the section; the main package if not said.
        package: Option<String>,
    },
    /// Removes all sections of a subpackage.
    #[serde(rename = "spec-remove-subpackage")]
    RemoveSubpackage {
        /// Its name as the sections write it.
        package: String,
    },
    /// Brings a patch along and names it in the spec.
    #[serde(rename = "patch-add")]
    AddPatch {
        /// The patch.
        source: PathBuf,
        /// Its name beside the spec; that of `source` if not said.
        file: Option<String>,
        /// What it repairs, as in `CVE-2026-1234`.
        fixes: Vec<String>,
    },
    /// Removes patches and their lines in the spec.
    #[serde(rename = "patch-remove")]
    RemovePatch {
        /// Glob of their names.
        file: String,
    },
    /// Adds lines at the start of files beside the spec.
    #[serde(rename = "file-prepend-lines")]
    PrependFileLines {
        /// Glob of their paths.
        file: String,
        /// The lines.
        lines: Vec<String>,
    },
    /// Replaces what the expression finds in files beside the spec, or inside of a source archive.
    #[serde(rename = "file-search-replace")]
    SearchReplaceInFile {
        /// The archive that is unpacked, changed and packed again.
        archive: Option<String>,
        /// Glob of the files' paths.
        file: String,
        /// What is looked for, in the whole text of a file.
        regex: Pattern,
        /// What is written instead; a dollar sign is one.
        replacement: String,
    },
    /// Brings a file along.
    #[serde(rename = "file-add")]
    AddFile {
        /// Its path beside the spec.
        file: String,
        /// The file.
        source: PathBuf,
    },
    /// Removes files beside the spec, or from inside of a source archive.
    #[serde(rename = "file-remove")]
    RemoveFile {
        /// The archive that is unpacked, changed and packed again.
        archive: Option<String>,
        /// Glob of their paths.
        file: String,
    },
    /// Gives a file beside the spec another name in the same folder.
    #[serde(rename = "file-rename")]
    RenameFile {
        /// Glob of its path; one file may match.
        file: String,
        /// The new name.
        replacement: String,
    },
    /// Gives a `%global` or `%define` that is there another body.
    #[serde(rename = "spec-set-macro")]
    SetMacro {
        /// The macro, without a percent sign.
        name: String,
        /// Its new body.
        value: String,
    },
    /// Removes a `%global` or `%define`.
    #[serde(rename = "spec-delete-macro")]
    DeleteMacro {
        /// The macro, without a percent sign.
        name: String,
    },
    /// Gives a build conditional another default.
    #[serde(rename = "spec-set-bcond")]
    SetBcond {
        /// The conditional, as `%{with NAME}` says it.
        name: String,
        /// Whether it is on if nobody says otherwise.
        enabled: bool,
    },
    /// Adds a dependency beside those of its kind.
    #[serde(rename = "spec-add-dependency")]
    AddDependency {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `BuildRequires` or `Requires(post)`.
        tag: String,
        /// As in `libfoo-devel >= 1.2`.
        value: String,
    },
    /// Removes a dependency, wherever its line names others too.
    #[serde(rename = "spec-remove-dependency")]
    RemoveDependency {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// What is depended on, without a version.
        name: String,
    },
    /// Gives a dependency another bound on the version.
    #[serde(rename = "spec-rebound-dependency")]
    ReboundDependency {
        /// The subpackage; the main package if not said.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// What is depended on, without a version.
        name: String,
        /// As in `>= 1.2`; `None`: any version will do.
        bound: Option<String>,
    },
    /// Adds an argument where the build is configured.
    #[serde(rename = "spec-add-configure-argument")]
    AddConfigureArgument {
        /// What configures, as in `%configure`, `%cmake` or `./configure`; the one that the spec uses if not said.
        command: Option<String>,
        /// As in `--disable-static`.
        value: String,
    },
    /// Removes an argument where the build is configured.
    #[serde(rename = "spec-remove-configure-argument")]
    RemoveConfigureArgument {
        /// What configures; the one that the spec uses if not said.
        command: Option<String>,
        /// As in `--enable-static`, also without what follows its `=`.
        value: String,
    },
    /// Removes a subpackage with its files, scriptlets and all that names it.
    #[serde(rename = "spec-drop-subpackage")]
    DropSubpackage {
        /// Its name as the sections write it.
        package: String,
    },
    /// Leaves one check out of `%check`.
    #[serde(rename = "spec-skip-check")]
    SkipCheck {
        /// The check, as the test runner names it.
        name: String,
    },
}

impl OverlayKind {
    /// The word for it in the definition.
    pub fn as_str(&self) -> &'static str {
        match self {
            OverlayKind::AddTag { .. } => "spec-add-tag",
            OverlayKind::InsertTag { .. } => "spec-insert-tag",
            OverlayKind::SetTag { .. } => "spec-set-tag",
            OverlayKind::UpdateTag { .. } => "spec-update-tag",
            OverlayKind::RemoveTag { .. } => "spec-remove-tag",
            OverlayKind::PrependLines { .. } => "spec-prepend-lines",
            OverlayKind::AppendLines { .. } => "spec-append-lines",
            OverlayKind::SearchReplace { .. } => "spec-search-replace",
            OverlayKind::RemoveSection { .. } => "spec-remove-section",
            OverlayKind::RemoveSubpackage { .. } => "spec-remove-subpackage",
            OverlayKind::AddPatch { .. } => "patch-add",
            OverlayKind::RemovePatch { .. } => "patch-remove",
            OverlayKind::PrependFileLines { .. } => "file-prepend-lines",
            OverlayKind::SearchReplaceInFile { .. } => "file-search-replace",
            OverlayKind::AddFile { .. } => "file-add",
            OverlayKind::RemoveFile { .. } => "file-remove",
            OverlayKind::RenameFile { .. } => "file-rename",
            OverlayKind::SetMacro { .. } => "spec-set-macro",
            OverlayKind::DeleteMacro { .. } => "spec-delete-macro",
            OverlayKind::SetBcond { .. } => "spec-set-bcond",
            OverlayKind::AddDependency { .. } => "spec-add-dependency",
            OverlayKind::RemoveDependency { .. } => "spec-remove-dependency",
            OverlayKind::ReboundDependency { .. } => "spec-rebound-dependency",
            OverlayKind::AddConfigureArgument { .. } => "spec-add-configure-argument",
            OverlayKind::RemoveConfigureArgument { .. } => "spec-remove-configure-argument",
            OverlayKind::DropSubpackage { .. } => "spec-drop-subpackage",
            OverlayKind::SkipCheck { .. } => "spec-skip-check",
        }
    }
}

/// What sort of change an overlay is, and how it relates to upstream. It never changes what is built.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Metadata {
    /// The sort of change, as written: see [`CATEGORIES`].
    pub category: Option<&'static str>,
    /// How it relates to upstream: see [`UPSTREAM_STATUSES`].
    pub upstream_status: Option<&'static str>,
    /// Where upstream talks about it, has it, or was told.
    pub upstream: Option<String>,
    /// Upstream's commits.
    pub commits: Vec<String>,
    /// Entries of issue trackers.
    pub bugs: Vec<String>,
}

/// The sorts of change. Those that start with `azl-` are the original's; the same words without it mean the same.
pub const CATEGORIES: &[&str] = &[
    "upstream-backport",
    "azl-pruning",
    "azl-compatibility",
    "azl-temp-workaround",
    "azl-branding-policy",
    "azl-disable-flaky-tests",
    "azl-disable-unsupported-tests",
    "azl-security-compliance",
    "azl-release-management",
    "azl-platform-adaptation",
    "pruning",
    "compatibility",
    "temp-workaround",
    "branding-policy",
    "disable-flaky-tests",
    "disable-unsupported-tests",
    "security-compliance",
    "release-management",
    "platform-adaptation",
];

/// How a change relates to upstream.
pub const UPSTREAM_STATUSES: &[&str] =
    &["upstreamed", "upstreamable", "needs-upstream-hook", "inapplicable", "unknown"];

/// A day of the Gregorian calendar, as in `2027-03-31`. Days are ordered as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
}

impl Date {
    /// Parses `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Date> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten();
        let (year, month, day) = (number(text.get(..4)?)?, number(text.get(5..7)?)?, number(text.get(8..)?)?);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            _ => return None,
        };
        let date = Date { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? };
        (1..=days).contains(&day).then_some(date)
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl serde::Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_that_exist() {
        for (text, exists) in [
            ("2027-03-31", true),
            ("2028-02-29", true),
            ("2027-02-29", false),
            ("2027-13-01", false),
            ("2027-04-31", false),
            ("2027-4-30", false),
            ("27-04-30xx", false),
            ("2027-04-+1", false),
        ] {
            assert_eq!(Date::parse(text).is_some_and(|date| date.to_string() == text), exists, "{text}");
        }
        assert!(Date::parse("2027-03-31") < Date::parse("2027-04-01"));
    }
}
