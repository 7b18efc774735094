use regex::Regex;

/// A change that is wanted.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// What is to be changed.
    pub operation: Operation,
    /// It may find nothing to change: it is then left out.
    pub is_optional: bool,
}

impl Overlay {
    /// An overlay that has to change something.
    pub fn new(operation: Operation) -> Overlay {
        Overlay { operation, is_optional: false }
    }
}

/// The part of a spec that an original kind looks at. Names are compared letter by letter with what headings say: `%files`, and
/// `devel` for `%files devel`, `libx` for `%files -n libx`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// As in `%build`; the whole spec if not said.
    pub section: Option<String>,
    /// A subpackage, as headings write it.
    pub package: Option<String>,
}

/// An expression to look for, as written and ready to be used.
#[derive(Clone, Debug)]
pub struct Search {
    /// As the definition writes it.
    pub text: String,
    /// What finds it.
    pub regex: Regex,
}

impl Search {
    /// An expression in the syntax of the crate `regex`.
    pub fn new(text: &str) -> Result<Search, regex::Error> {
        Ok(Search { text: text.to_owned(), regex: Regex::new(text)? })
    }
}

impl PartialEq for Search {
    fn eq(&self, other: &Search) -> bool {
        self.text == other.text
    }
}

/// What an overlay changes. `package` is a subpackage as headings write it, and the main package where it is `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Adds `tag: value` at the end of the preamble, or of the package's `%package`. Whether there is such a tag already does not
    /// count, nor that the end may be behind an `%if`.
    AddTag {
        /// The package.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// Behind the colon.
        value: String,
    },
    /// Adds `tag: value` behind the last tag of the family (the name without its number), behind the `%endif` that follows it.
    InsertTag {
        /// The package.
        package: Option<String>,
        /// As in `Source9`.
        tag: String,
        /// Behind the colon.
        value: String,
    },
    /// Like [`Operation::UpdateTag`] where there is such a tag, like [`Operation::AddTag`] where there is none.
    SetTag {
        /// The package.
        package: Option<String>,
        /// As in `Version`.
        tag: String,
        /// Behind the colon.
        value: String,
    },
    /// Writes `tag: value` in the place of every line of that tag in the package.
    UpdateTag {
        /// The package.
        package: Option<String>,
        /// As in `Version`.
        tag: String,
        /// Behind the colon.
        value: String,
    },
    /// Removes every line of the tag in the package, or those whose value is this one but for letter case.
    RemoveTag {
        /// The package.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// Behind the colon; any if not said.
        value: Option<String>,
    },
    /// Adds lines behind the heading of every such section, or at the top of the spec.
    PrependLines {
        /// Where.
        scope: Scope,
        /// The lines.
        lines: Vec<String>,
    },
    /// Adds lines before whatever heading follows every such section (also behind an `%if` that stands there), or at the end.
    AppendLines {
        /// Where.
        scope: Scope,
        /// The lines.
        lines: Vec<String>,
    },
    /// Writes `replacement` wherever the expression matches, line by line. Lines of headings are never looked at.
    SearchReplace {
        /// Where.
        scope: Scope,
        /// What is looked for.
        search: Search,
        /// Taken literally: `$1` is a dollar and a one.
        replacement: String,
    },
    /// Removes every such section, with its heading; conditionals at its edges that belong to others stay.
    RemoveSection {
        /// As in `%check`.
        section: String,
        /// The subpackage that the heading names.
        package: Option<String>,
    },
    /// Removes every section whose heading names the subpackage.
    RemoveSubpackage {
        /// As headings write it.
        package: String,
    },
    /// Brings a patch along and names it: at the end of `%patchlist`, or as the next `Patch` at the end of the preamble.
    AddPatch {
        /// The package whose part gets the tag.
        package: Option<String>,
        /// Its name beside the spec.
        file_name: String,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// Removes patches by a wildcard of their names, and the `Patch` tags and `%patchlist` lines that name them. `%prep` stays.
    RemovePatch {
        /// As in `CVE-*.patch`.
        pattern: String,
    },
    /// Adds lines at the top of files.
    PrependFileLines {
        /// A wildcard of their paths.
        pattern: String,
        /// The lines.
        lines: Vec<String>,
    },
    /// Writes `replacement` wherever the expression matches in the whole text of files.
    SearchReplaceInFile {
        /// A wildcard of their paths.
        pattern: String,
        /// What is looked for.
        search: Search,
        /// Taken literally.
        replacement: String,
    },
    /// Brings a file along.
    AddFile {
        /// Its path beside the spec.
        file_name: String,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// Removes files.
    RemoveFile {
        /// A wildcard of their paths.
        pattern: String,
    },
    /// Gives a file another name in its folder.
    RenameFile {
        /// A wildcard that matches one file.
        pattern: String,
        /// The new name.
        new_name: String,
    },
    /// Gives every `%global` and `%define` of a macro another body, in whatever branch, also inside of `%{!?x:..}`.
    SetMacro {
        /// Without a percent sign.
        name: String,
        /// The body.
        value: String,
    },
    /// Removes every `%global` and `%define` of a macro.
    DeleteMacro {
        /// Without a percent sign.
        name: String,
    },
    /// Gives a build conditional another default, in each of rpm's spellings: `%bcond`, `%bcond_with`, `%bcond_without`.
    SetBcond {
        /// As `%{with NAME}` says it.
        name: String,
        /// Whether it is on if nobody says otherwise.
        enabled: bool,
    },
    /// Adds a dependency behind those of its kind, outside of all conditionals.
    AddDependency {
        /// The package, by its whole name or as headings write it.
        package: Option<String>,
        /// As in `Requires(post)`.
        tag: String,
        /// As in `libx-devel >= 1.2`.
        value: String,
    },
    /// Removes a dependency wherever the package has it, and leaves those that stand beside it.
    RemoveDependency {
        /// The package.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// Without a version.
        name: String,
    },
    /// Gives a dependency another bound.
    ReboundDependency {
        /// The package.
        package: Option<String>,
        /// As in `BuildRequires`.
        tag: String,
        /// Without a version.
        name: String,
        /// As in `>= 1.2`; none if not said.
        bound: Option<String>,
    },
    /// Gives the commands that configure one more argument; one that sets the same thing is replaced.
    AddConfigureArgument {
        /// As in `%configure` or `./configure`; whatever the spec uses if not said.
        command: Option<String>,
        /// As in `--disable-static`.
        value: String,
    },
    /// Takes an argument from the commands that configure.
    RemoveConfigureArgument {
        /// The command.
        command: Option<String>,
        /// As in `--enable-static`; `--with-x` also means `--with-x=..`.
        value: String,
    },
    /// Removes a subpackage: its sections, the dependencies of others on it, and from the build root the files that only it has.
    DropSubpackage {
        /// By its whole name or as headings write it.
        package: String,
    },
    /// Brings a patch along, names it beside the others and applies it, wherever `%prep` names patches one by one.
    ApplyPatch {
        /// Its name beside the spec.
        file_name: String,
        /// Its bytes.
        content: Vec<u8>,
        /// What it repairs, as in `CVE-2026-1234`; written above its line.
        fixes: Vec<String>,
    },
    /// Leaves one check out, in the way of the program that runs the checks: ctest, pytest, go, cargo, automake.
    SkipCheck {
        /// As the program names it.
        name: String,
    },
}

impl Operation {
    /// The word for it in a definition.
    pub fn as_str(&self) -> &'static str {
        match self {
            Operation::AddTag { .. } => "spec-add-tag",
            Operation::InsertTag { .. } => "spec-insert-tag",
            Operation::SetTag { .. } => "spec-set-tag",
            Operation::UpdateTag { .. } => "spec-update-tag",
            Operation::RemoveTag { .. } => "spec-remove-tag",
            Operation::PrependLines { .. } => "spec-prepend-lines",
            Operation::AppendLines { .. } => "spec-append-lines",
            Operation::SearchReplace { .. } => "spec-search-replace",
            Operation::RemoveSection { .. } => "spec-remove-section",
            Operation::RemoveSubpackage { .. } => "spec-remove-subpackage",
            Operation::AddPatch { .. } | Operation::ApplyPatch { .. } => "patch-add",
            Operation::RemovePatch { .. } => "patch-remove",
            Operation::PrependFileLines { .. } => "file-prepend-lines",
            Operation::SearchReplaceInFile { .. } => "file-search-replace",
            Operation::AddFile { .. } => "file-add",
            Operation::RemoveFile { .. } => "file-remove",
            Operation::RenameFile { .. } => "file-rename",
            Operation::SetMacro { .. } => "spec-set-macro",
            Operation::DeleteMacro { .. } => "spec-delete-macro",
            Operation::SetBcond { .. } => "spec-set-bcond",
            Operation::AddDependency { .. } => "spec-add-dependency",
            Operation::RemoveDependency { .. } => "spec-remove-dependency",
            Operation::ReboundDependency { .. } => "spec-rebound-dependency",
            Operation::AddConfigureArgument { .. } => "spec-add-configure-argument",
            Operation::RemoveConfigureArgument { .. } => "spec-remove-configure-argument",
            Operation::DropSubpackage { .. } => "spec-drop-subpackage",
            Operation::SkipCheck { .. } => "spec-skip-check",
        }
    }
}
