use pkg::{Arch, Evr, Nevra, Relation};
use serde::Serialize;

use crate::{Gap, Located, Position, Warning};

/// What a spec says, for one environment.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluated {
    /// The main package's name.
    pub name: String,
    /// The main package's epoch, version and release.
    pub evr: Evr,
    /// The source package. Its architecture is `src`, or `nosrc` where a source is left out of it.
    pub source: Nevra,
    /// The main package first, then the others in the order of their `%package`.
    pub packages: Vec<Subpackage>,
    /// What the build root must hold, as written, equal ones once. Rich dependencies keep their text.
    pub build_requires: Vec<Located<Relation>>,
    /// What the build root must not hold.
    pub build_conflicts: Vec<Located<Relation>>,
    /// The spec has `%generate_buildrequires`: `build_requires` is only the beginning.
    pub dynamic_build_requires: bool,
    /// `Source` tags and `%sourcelist`, in order.
    pub sources: Vec<Source>,
    /// `Patch` tags and `%patchlist`, in order.
    pub patches: Vec<Source>,
    /// `ExclusiveArch`: if any, the only architectures that the spec is for.
    pub exclusive_arch: Vec<String>,
    /// `ExcludeArch`: architectures that it is not for.
    pub exclude_arch: Vec<String>,
    /// `ExclusiveOS`.
    pub exclusive_os: Vec<String>,
    /// `ExcludeOS`.
    pub exclude_os: Vec<String>,
    /// `BuildArch` of the main package.
    pub build_arch: Vec<String>,
    /// Whether the exclusive and exclude tags let the spec be built for the environment's target.
    pub is_for_target: bool,
    /// `SourceLicense`, where the source package's licence differs.
    pub source_license: Option<String>,
    /// `%prep`, `%build` and so on, expanded, in the order in which they run.
    pub scripts: Vec<BuildScript>,
    /// `%changelog`, newest first.
    pub changelog: Vec<ChangelogEntry>,
    /// Packages may come to be during the build (`%{specpartsdir}`); then `packages` is not the whole answer.
    pub makes_packages_while_building: bool,
    /// What the answer lacks or supposes, in the order in which it was met; empty where it is whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// What is doubtful, and what macros printed.
    #[serde(skip)]
    pub warnings: Vec<Warning>,
    /// The spec after expansion, as `rpmspec -P` prints it.
    #[serde(skip)]
    pub expanded: String,
}

impl Evaluated {
    /// The package files that a build makes: those of packages that have a `%files`.
    pub fn binaries(&self) -> impl Iterator<Item = Nevra> + '_ {
        self.packages.iter().filter(|package| package.files.is_some()).map(Subpackage::nevra)
    }
}

/// One binary package.
#[derive(Clone, Debug, Serialize)]
pub struct Subpackage {
    /// Its whole name, the main package's included where it is a part of it.
    pub name: String,
    /// Its own, or the main package's.
    pub evr: Evr,
    /// The target's, or `noarch`.
    pub arch: Arch,
    /// One line.
    pub summary: String,
    /// Its own, or the main package's.
    pub license: String,
    /// Its own, or the main package's.
    pub url: Option<String>,
    /// `Group`, rarely used today.
    pub group: Option<String>,
    /// `Vendor`, or what `%vendor` says.
    pub vendor: Option<String>,
    /// The text of `%description`.
    pub description: String,
    /// Itself first (`name = evr`, `name(isa) = evr`), then as written.
    pub provides: Vec<Dependency>,
    /// As written, then what scriptlets need.
    pub requires: Vec<Dependency>,
    /// `Conflicts`.
    pub conflicts: Vec<Dependency>,
    /// `Obsoletes`.
    pub obsoletes: Vec<Dependency>,
    /// `Recommends`.
    pub recommends: Vec<Dependency>,
    /// `Suggests`.
    pub suggests: Vec<Dependency>,
    /// `Supplements`.
    pub supplements: Vec<Dependency>,
    /// `Enhances`.
    pub enhances: Vec<Dependency>,
    /// `OrderWithRequires`.
    pub order_with_requires: Vec<Dependency>,
    /// `Prefixes`, for packages that can be moved.
    pub prefixes: Vec<String>,
    /// `AutoReq`: the build adds requirements.
    pub auto_requires: bool,
    /// `AutoProv`: the build adds provides.
    pub auto_provides: bool,
    /// `%files`; without it the package is not built.
    pub files: Option<FileList>,
    /// `%pre`, `%post` and so on.
    pub scriptlets: Vec<Scriptlet>,
    /// `%triggerin`, `%filetriggerin` and so on.
    pub triggers: Vec<Trigger>,
    /// Its `%package`, or the spec's first line.
    pub position: Position,
}

impl Subpackage {
    /// Name, epoch, version, release and architecture.
    pub fn nevra(&self) -> Nevra {
        Nevra { name: self.name.clone(), evr: self.evr.clone(), arch: self.arch.clone() }
    }
}

/// A dependency of a package, and when it matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// What is needed, provided, refused.
    pub relation: Relation,
    /// From `Requires(post,preun)` and from scriptlets.
    #[serde(skip_serializing_if = "Qualifiers::is_empty")]
    pub qualifiers: Qualifiers,
    /// Where it is written, or what needs it.
    pub position: Position,
}

/// When a requirement matters: `pre`, `post`, `preun`, `interp`, `meta` and so on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qualifiers(u16);

impl Qualifiers {
    const NAMES: [&'static str; 12] = [
        "interp",
        "meta",
        "preun",
        "pre",
        "postun",
        "post",
        "rpmlib",
        "verify",
        "pretrans",
        "posttrans",
        "preuntrans",
        "postuntrans",
    ];

    /// None: the requirement holds as long as the package is installed.
    pub const NONE: Qualifiers = Qualifiers(0);

    /// The qualifier of that name.
    pub fn named(name: &str) -> Option<Qualifiers> {
        Qualifiers::NAMES.iter().position(|known| *known == name).map(|index| Qualifiers(1 << index))
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Qualifiers) -> Qualifiers {
        Qualifiers(self.0 | other.0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` are among them.
    pub fn contains(self, other: Qualifiers) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names, in rpm's order.
    pub fn names(self) -> Vec<&'static str> {
        Qualifiers::NAMES
            .iter()
            .enumerate()
            .filter(|(index, _)| self.0 & (1 << index) != 0)
            .map(|(_, name)| *name)
            .collect()
    }
}

impl Serialize for Qualifiers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

/// A source file or patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Written in the tag, or counted on from the one before.
    pub number: u32,
    /// The tag's value: a file name or URL.
    pub url: String,
    /// The file's name: what stands behind the last slash, or behind `#/`.
    pub file_name: String,
    /// `NoSource`, `NoPatch`: it is left out of the source package.
    pub is_left_out: bool,
    /// Where it is written.
    pub position: Position,
}

/// One of the scripts that build a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildScript {
    /// `prep`, `conf`, `generate_buildrequires`, `build`, `install`, `check`, `clean`.
    pub name: &'static str,
    /// Its expanded text, with what `-a` and `-p` add.
    pub text: String,
    /// Its first heading; for one that a `BuildSystem` brings, the tag.
    pub position: Position,
}

/// One entry of `%changelog`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangelogEntry {
    /// Noon UTC of its day, or its time, in seconds of 1970.
    pub time: i64,
    /// The author, usually with mail address and version.
    pub author: String,
    /// What changed.
    pub text: String,
}

/// The text of `%files`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileList {
    /// Its lines, expanded, without comments and empty ones.
    pub lines: Vec<Located<String>>,
    /// `-f FILE`: lists that the build makes.
    pub lists: Vec<String>,
    /// The heading.
    pub position: Position,
}

/// A script that runs when the package is installed or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scriptlet {
    /// `pre`, `post`, `preun`, `postun`, `pretrans`, `posttrans`, `preuntrans`, `postuntrans`, `verifyscript`.
    pub name: &'static str,
    /// The interpreter and its arguments; `<lua>` runs inside rpm.
    pub program: Vec<String>,
    /// Its text; may be empty where the interpreter is the whole script.
    pub text: String,
    /// `-f FILE`: the text is in that file.
    pub file: Option<String>,
    /// `-e`: macros are expanded when it runs.
    pub expands: bool,
    /// `-q`: header fields are put in when it runs.
    pub formats: bool,
    /// The heading.
    pub position: Position,
}

/// A script that runs when other packages or files come or go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trigger {
    /// `triggerin`, `filetriggerin`, `transfiletriggerun` and so on.
    pub name: &'static str,
    /// The interpreter.
    pub program: String,
    /// Its text.
    pub text: String,
    /// Packages or path prefixes that set it off.
    pub conditions: Vec<Relation>,
    /// `-P`: file triggers with a higher one run first.
    pub priority: i64,
    /// The heading.
    pub position: Position,
}
