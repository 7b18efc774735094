use pkg::Relation;
use rpm::{FileEntry, FileFlags};

use crate::PackageFile;

/// What a transaction is to do to a root. Nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Packages that come beside what is there, as with `rpm -i`.
    pub install: Vec<PackageFile>,
    /// Packages that take the place of older ones and of what they obsolete, as with `rpm -U`.
    pub upgrade: Vec<PackageFile>,
    /// Packages that take the place of the same ones.
    pub reinstall: Vec<PackageFile>,
    /// Installed packages that go: all that the name and version of each relation mean.
    pub erase: Vec<Relation>,
    /// What is not refused.
    pub allow: Allowances,
    /// Files that are left out.
    pub filters: Filters,
    /// What is written to the history with this transaction, such as the command; without it no history is kept.
    pub history: Option<String>,
}

/// What is otherwise refused. Refuses all by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "rpm has a switch for each")]
pub struct Allowances {
    /// Requirements that nothing fulfils, and conflicts (`--nodeps`).
    pub dependencies: bool,
    /// Versions older than the installed one (`--oldpackage`).
    pub older: bool,
    /// The very version that is installed (`--replacepkgs`).
    pub installed: bool,
    /// Files that differ from those of a package that stays (`--replacefiles`).
    pub files: bool,
}

/// Files of packages that are left out. Leaves out none by default. A licence text is never left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// Documentation (`--excludedocs`).
    pub no_docs: bool,
    /// Configuration (`--noconfig`).
    pub no_configs: bool,
    /// What is made by the package manager's own means (`--excludeartifacts`).
    pub no_artifacts: bool,
    /// Languages that are wanted (`%_install_langs`); all when not set.
    pub languages: Option<Vec<String>>,
}

impl Filters {
    /// Whether `file` is left out.
    pub(crate) fn leaves_out(&self, file: &FileEntry) -> bool {
        if file.flags.has(FileFlags::LICENSE) {
            return false;
        }
        let is_foreign = !file.languages.is_empty()
            && self.languages.as_ref().is_some_and(|wanted| {
                !file.languages.split('|').any(|own| {
                    // rpm compares as many letters as the file's language has: `de` is wanted by `de_AT`.
                    !own.is_empty() && wanted.iter().any(|language| language.starts_with(own))
                })
            });
        is_foreign
            || (self.no_docs && file.flags.has(FileFlags::DOC))
            || (self.no_configs && file.flags.has(FileFlags::CONFIG))
            || (self.no_artifacts && file.flags.has(FileFlags::ARTIFACT))
    }
}
