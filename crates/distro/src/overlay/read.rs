//! Overlays as written: which keys each kind needs, and what can be checked without the spec.

use std::collections::BTreeMap;
use std::path::Path;

use super::{CATEGORIES, Date, Metadata, Overlay, OverlayKind, Scope, UPSTREAM_STATUSES};
use crate::diagnostic::{Diagnostic, Position, SourceText, nearest};
use crate::pattern::Pattern;
use crate::reader::{File, Table};
use crate::reference;
use crate::settings::Settings;

/// Every word that `type` can be, in the order of the reference.
pub const OVERLAY_TYPES: &[&str] = &[
    "spec-add-tag",
    "spec-insert-tag",
    "spec-set-tag",
    "spec-update-tag",
    "spec-remove-tag",
    "spec-prepend-lines",
    "spec-append-lines",
    "spec-search-replace",
    "spec-remove-section",
    "spec-remove-subpackage",
    "patch-add",
    "patch-remove",
    "file-prepend-lines",
    "file-search-replace",
    "file-add",
    "file-remove",
    "file-rename",
    "spec-set-macro",
    "spec-delete-macro",
    "spec-set-bcond",
    "spec-add-dependency",
    "spec-remove-dependency",
    "spec-rebound-dependency",
    "spec-add-configure-argument",
    "spec-remove-configure-argument",
    "spec-drop-subpackage",
    "spec-skip-check",
];

/// How many of [`OVERLAY_TYPES`] are the original's; the others are ours, and say why they are there.
const ORIGINAL_TYPES: usize = 17;

/// Tags whose values are relations to other packages.
const DEPENDENCY_TAGS: &[&str] = &[
    "BuildRequires",
    "BuildConflicts",
    "Requires",
    "Recommends",
    "Suggests",
    "Supplements",
    "Enhances",
    "Provides",
    "Obsoletes",
    "Conflicts",
    "OrderWithRequires",
];

/// Reads an overlay; `shared` is the metadata of its file, where that is an overlay file.
pub(crate) fn read(mut table: Table<'_>, folder: &Path, shared: Option<&Metadata>) -> Option<Overlay> {
    let at = table.at();
    let Some(kind) = table.string("type").filter(|kind| !kind.value.is_empty()) else {
        if !table.has("type") {
            table.missing("type");
        }
        return None;
    };
    let Some(number) = OVERLAY_TYPES.iter().position(|known| *known == kind.value) else {
        let problem = Diagnostic::new(format!("there is no overlay of type `{}`", kind.value));
        let hint = match nearest(&kind.value, OVERLAY_TYPES.iter().copied()) {
            Some(like) => format!("did you mean `{like}`?"),
            None => format!("the types are {}", OVERLAY_TYPES.join(", ")),
        };
        table.report(table.value_span("type"), problem.hint(hint));
        return None;
    };
    let mut fields = Fields { kind: OVERLAY_TYPES[number], table, values: BTreeMap::new(), is_sound: true };
    let description = fields.text("description");
    if description.is_none() && number >= ORIGINAL_TYPES {
        fields.missing("description");
    }
    let metadata = fields.metadata(shared);
    let expires = fields.date("expires");
    let optional = fields.table.boolean("optional").unwrap_or(false);
    let kind = fields.kind(folder);
    for (key, unused) in fields.table.untaken() {
        let message = format!("`{key}` means nothing to an overlay of type `{}`", fields.kind);
        fields.table.report(unused, Diagnostic::new(message).warning().hint("remove it"));
    }
    let Fields { values, is_sound, .. } = fields;
    Some(Overlay { kind: kind.filter(|_| is_sound)?, description, metadata, expires, optional, at, values })
}

/// Reads an overlay file: metadata once, then overlays, which are added to the settings.
pub(crate) fn read_file(path: &Path, settings: &mut Settings, problems: &mut Vec<Diagnostic>) {
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            problems.push(Diagnostic::new(format!("the overlay file cannot be read: {error}")));
            return;
        }
    };
    let file = File::new(SourceText { path: path.to_owned(), text: text.into() });
    {
        let parsed = file.parse();
        let mut top = Table::top(&file, &parsed, reference::OVERLAY_FILE);
        top.require("metadata");
        let metadata = top.table("metadata", reference::METADATA).map(read_metadata).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new(""));
        let overlays = top.tables("overlays", reference::OVERLAY);
        if overlays.is_empty() {
            let problem = Diagnostic::new("an overlay file has overlays");
            top.report(top.span.clone(), problem.hint("each starts with `[[overlays]]`, in double brackets"));
        }
        for overlay in overlays {
            settings.overlays.extend(read(overlay, folder, Some(&metadata)));
        }
    }
    problems.extend(file.into_problems());
}

/// The metadata of `table`, which may be that of a group of components or of an overlay file.
pub(crate) fn read_metadata(mut table: Table<'_>) -> Metadata {
    table.require("category");
    table.require("upstream-status");
    let category = one_of(&mut table, "category", CATEGORIES);
    let upstream_status = one_of(&mut table, "upstream-status", UPSTREAM_STATUSES);
    let commits = read_urls(&mut table, "commits");
    let bugs = read_urls(&mut table, "bugs");
    if category == Some("upstream-backport") {
        if commits.is_empty() {
            let problem = Diagnostic::new("a backport from upstream names at least one of upstream's `commits`");
            table.report(table.span.clone(), problem.hint("as in `commits = [{ url = \"https://...\" }]`"));
        }
        if upstream_status.is_some_and(|status| !["upstreamed", "upstreamable"].contains(&status)) {
            let problem = Diagnostic::new("a backport is in upstream or could be: `upstream-status` says otherwise");
            table.report(table.value_span("upstream-status"), problem.hint("`upstreamed` or `upstreamable`"));
        }
    }
    Metadata { category, upstream_status, upstream: None, commits, bugs }
}

fn one_of(table: &mut Table<'_>, key: &'static str, words: &'static [&'static str]) -> Option<&'static str> {
    let known: Vec<(&str, &'static str)> = words.iter().map(|word| (*word, *word)).collect();
    table.word(key, &known)
}

fn read_urls(table: &mut Table<'_>, key: &'static str) -> Vec<String> {
    let mut urls = Vec::new();
    for mut reference in table.tables(key, reference::URL) {
        if let Some(url) = reference.required("url") {
            check_url(&reference, "url", &url.value);
            urls.push(url.value);
        }
    }
    urls
}

fn check_url(table: &Table<'_>, key: &str, url: &str) {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        table.report(table.value_span(key), Diagnostic::new(format!("`{url}` is no address of the web")));
    }
}

struct Fields<'f> {
    kind: &'static str,
    table: Table<'f>,
    values: BTreeMap<&'static str, Position>,
    is_sound: bool,
}

impl Fields<'_> {
    /// The text of `key`; an empty one counts as not written, as it does in the original.
    fn text(&mut self, key: &'static str) -> Option<String> {
        let found = self.table.string(key)?;
        self.values.insert(key, found.at);
        Some(found.value).filter(|text| !text.is_empty())
    }

    fn need(&mut self, key: &'static str) -> Option<String> {
        let found = self.text(key);
        if found.is_none() {
            self.missing(key);
        }
        found
    }

    fn missing(&mut self, key: &str) {
        let problem = Diagnostic::new(format!("an overlay of type `{}` needs `{key}`", self.kind));
        let meaning = reference::OVERLAY.iter().find(|known| known.name == key).map_or("", |known| known.doc);
        self.table.report(self.table.span.clone(), problem.hint(format!("`{key}`: {meaning}")));
        self.is_sound = false;
    }

    fn wrong(&mut self, key: &str, problem: Diagnostic) {
        self.table.report(self.table.value_span(key), problem);
        self.is_sound = false;
    }

    fn lines(&mut self) -> Option<Vec<String>> {
        let lines = self.table.strings("lines");
        match lines.first() {
            Some(first) => {
                self.values.insert("lines", first.at.clone());
                Some(lines.into_iter().map(|line| line.value).collect())
            }
            None => {
                self.missing("lines");
                None
            }
        }
    }

    fn scope(&mut self) -> Scope {
        let scope = Scope { section: self.text("section"), package: self.text("package") };
        if scope.package.is_some() && scope.section.is_none() {
            let problem = Diagnostic::new("`package` says which section is meant, and there is no `section`");
            self.wrong("package", problem.hint("name the section too, as in `section = \"%files\"`"));
        }
        scope
    }

    fn regex(&mut self) -> Option<Pattern> {
        let text = self.need("regex")?;
        match Pattern::parse(&text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.wrong("regex", Diagnostic::new(format!("`{text}` is no regular expression: {error}")));
                None
            }
        }
    }

    /// A path or glob below the folder of the component's sources.
    fn file(&mut self, required: bool) -> Option<String> {
        let file = if required { self.need("file")? } else { self.text("file")? };
        if file.starts_with('/') || file.split('/').any(|part| part == "..") {
            let problem = Diagnostic::new(format!("`{file}` leads out of the folder of the sources"));
            self.wrong("file", problem.hint("`file` is a path below that folder"));
        } else if !is_glob(&file) {
            self.wrong("file", Diagnostic::new(format!("`{file}` is no glob: a bracket or brace is not closed")));
        }
        Some(file)
    }

    fn archive(&mut self) -> Option<String> {
        let archive = self.text("archive")?;
        let suffixes = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst"];
        let lower = archive.to_ascii_lowercase();
        if !suffixes.iter().any(|suffix| lower.ends_with(suffix)) || archive.contains(['/', '\\', ' ']) {
            let problem =
                Diagnostic::new(format!("`{archive}` is not the plain name of an archive that can be packed"));
            self.wrong("archive", problem.hint(format!("it ends in one of {}", suffixes.join(", "))));
        }
        Some(archive)
    }

    fn macro_name(&mut self) -> Option<String> {
        let name = self.need("name")?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if !is_name || name.starts_with(|first: char| first.is_ascii_digit()) {
            let problem = Diagnostic::new(format!("`{name}` is no name of a macro or conditional"));
            self.wrong("name", problem.hint("write it as the spec defines it, without `%`"));
        }
        Some(name)
    }

    fn dependency_tag(&mut self) -> Option<String> {
        let tag = self.need("tag")?;
        let plain = tag.split('(').next().unwrap_or(&tag);
        if !DEPENDENCY_TAGS.iter().any(|known| known.eq_ignore_ascii_case(plain)) {
            let mut problem = Diagnostic::new(format!("`{tag}` is no tag of a dependency"));
            problem = match nearest(plain, DEPENDENCY_TAGS.iter().copied()) {
                Some(like) => problem.hint(format!("did you mean `{like}`?")),
                None => problem.hint(format!("the tags are {}", DEPENDENCY_TAGS.join(", "))),
            };
            self.wrong("tag", problem);
        }
        Some(tag)
    }

    fn dependency_name(&mut self) -> Option<String> {
        let name = self.need("name")?;
        if name.contains([' ', '\t', ',', '<', '>', '=']) && !name.starts_with('(') {
            let problem = Diagnostic::new(format!("`{name}` is more than the name of what is depended on"));
            self.wrong("name", problem.hint("leave the version out: as in `name = \"libfoo-devel\"`"));
        }
        Some(name)
    }

    fn bound(&mut self) -> Option<String> {
        let bound = self.text("bound")?;
        let operator = bound.split_whitespace().next().unwrap_or_default();
        if !["<", "<=", "=", ">=", ">"].contains(&operator) || bound.split_whitespace().count() != 2 {
            let problem = Diagnostic::new(format!("`{bound}` is no bound on a version"));
            self.wrong("bound", problem.hint("an operator and a version, as in `>= 1.2`"));
        }
        Some(bound)
    }

    fn fixes(&mut self) -> Vec<String> {
        let mut fixes = Vec::new();
        for fix in self.table.strings("fixes") {
            if !is_vulnerability(&fix.value) {
                let problem = Diagnostic::new(format!("`{}` is no number of a vulnerability", fix.value));
                self.table.report_at(&fix.at, problem.hint("as in `CVE-2026-1234`"));
                self.is_sound = false;
            }
            fixes.push(fix.value);
        }
        fixes
    }

    fn date(&mut self, key: &'static str) -> Option<Date> {
        let text = self.table.date(key)?;
        self.values.insert(key, self.table.position(self.table.value_span(key).start));
        let date = Date::parse(&text);
        if date.is_none() {
            self.wrong(key, Diagnostic::new(format!("`{text}` is no day")).hint("as in `2027-03-31`"));
        }
        date
    }

    fn metadata(&mut self, shared: Option<&Metadata>) -> Metadata {
        let inner = self.table.table("metadata", reference::METADATA);
        if shared.is_some() && inner.is_some() {
            let problem = Diagnostic::new("the metadata of an overlay file is written once, for all of its overlays");
            self.wrong("metadata", problem.hint("keep the `[metadata]` at the top of the file only"));
        }
        let mut metadata = inner.map(read_metadata).or_else(|| shared.cloned()).unwrap_or_default();
        if let Some(category) = one_of(&mut self.table, "category", CATEGORIES) {
            if metadata.category.is_some_and(|earlier| earlier != category) {
                self.wrong("category", Diagnostic::new("the `metadata` of this overlay says another `category`"));
            }
            metadata.category = Some(category);
        }
        if let Some(upstream) = self.text("upstream") {
            check_url(&self.table, "upstream", &upstream);
            metadata.upstream = Some(upstream);
        }
        metadata
    }

    fn kind(&mut self, folder: &Path) -> Option<OverlayKind> {
        Some(match self.kind {
            "spec-add-tag" | "spec-insert-tag" | "spec-set-tag" | "spec-update-tag" => {
                let (package, tag, value) = (self.text("package"), self.need("tag"), self.need("value"));
                let (tag, value) = (tag?, value?);
                match self.kind {
                    "spec-add-tag" => OverlayKind::AddTag { package, tag, value },
                    "spec-insert-tag" => OverlayKind::InsertTag { package, tag, value },
                    "spec-set-tag" => OverlayKind::SetTag { package, tag, value },
                    _ => OverlayKind::UpdateTag { package, tag, value },
                }
            }
            "spec-remove-tag" => {
                let (package, value) = (self.text("package"), self.text("value"));
                OverlayKind::RemoveTag { package, tag: self.need("tag")?, value }
            }
            "spec-prepend-lines" => OverlayKind::PrependLines { scope: self.scope(), lines: self.lines()? },
            "spec-append-lines" => OverlayKind::AppendLines { scope: self.scope(), lines: self.lines()? },
            "spec-search-replace" => {
                let (scope, replacement) = (self.scope(), self.text("replacement").unwrap_or_default());
                OverlayKind::SearchReplace { scope, regex: self.regex()?, replacement }
            }
            "spec-remove-section" => {
                let package = self.text("package");
                OverlayKind::RemoveSection { section: self.need("section")?, package }
            }
            "spec-remove-subpackage" | "spec-drop-subpackage" => {
                if self.text("section").is_some() {
                    let problem = Diagnostic::new("all sections of the subpackage are meant: `section` has no place");
                    self.wrong("section", problem.hint("`spec-remove-section` removes one section"));
                }
                let package = self.need("package")?;
                match self.kind {
                    "spec-remove-subpackage" => OverlayKind::RemoveSubpackage { package },
                    _ => OverlayKind::DropSubpackage { package },
                }
            }
            "patch-add" => {
                let (file, fixes) = (self.file(false), self.fixes());
                OverlayKind::AddPatch { source: folder.join(self.need("source")?), file, fixes }
            }
            "patch-remove" => OverlayKind::RemovePatch { file: self.file(true)? },
            "file-prepend-lines" => {
                let file = self.file(true);
                OverlayKind::PrependFileLines { lines: self.lines()?, file: file? }
            }
            "file-search-replace" => {
                let (archive, file) = (self.archive(), self.file(true));
                let replacement = self.text("replacement").unwrap_or_default();
                OverlayKind::SearchReplaceInFile { archive, regex: self.regex()?, file: file?, replacement }
            }
            "file-add" => {
                let file = self.file(true);
                OverlayKind::AddFile { source: folder.join(self.need("source")?), file: file? }
            }
            "file-remove" => OverlayKind::RemoveFile { archive: self.archive(), file: self.file(true)? },
            "file-rename" => {
                let file = self.file(true);
                let replacement = self.need("replacement")?;
                if replacement.contains('/') || [".", ".."].contains(&replacement.as_str()) {
                    let problem = Diagnostic::new(format!("`{replacement}` is not the plain name of a file"));
                    self.wrong("replacement", problem.hint("the file stays in its folder"));
                }
                OverlayKind::RenameFile { file: file?, replacement }
            }
            _ => return self.typed_kind(),
        })
    }

    fn typed_kind(&mut self) -> Option<OverlayKind> {
        Some(match self.kind {
            "spec-set-macro" => {
                let name = self.macro_name();
                OverlayKind::SetMacro { value: self.need("value")?, name: name? }
            }
            "spec-delete-macro" => OverlayKind::DeleteMacro { name: self.macro_name()? },
            "spec-set-bcond" => {
                let name = self.macro_name();
                let enabled = self.table.boolean("enabled");
                if !self.table.has("enabled") {
                    self.missing("enabled");
                }
                OverlayKind::SetBcond { name: name?, enabled: enabled? }
            }
            "spec-add-dependency" => {
                let (package, tag, value) = (self.text("package"), self.dependency_tag(), self.need("value"));
                OverlayKind::AddDependency { package, tag: tag?, value: value? }
            }
            "spec-remove-dependency" => {
                let (package, tag, name) = (self.text("package"), self.dependency_tag(), self.dependency_name());
                OverlayKind::RemoveDependency { package, tag: tag?, name: name? }
            }
            "spec-rebound-dependency" => {
                let (package, tag, name) = (self.text("package"), self.dependency_tag(), self.dependency_name());
                if !self.table.has("bound") {
                    self.missing("bound");
                }
                OverlayKind::ReboundDependency { package, bound: self.bound(), tag: tag?, name: name? }
            }
            "spec-add-configure-argument" => {
                let command = self.text("command");
                OverlayKind::AddConfigureArgument { command, value: self.need("value")? }
            }
            "spec-remove-configure-argument" => {
                let command = self.text("command");
                OverlayKind::RemoveConfigureArgument { command, value: self.need("value")? }
            }
            "spec-skip-check" => OverlayKind::SkipCheck { name: self.need("name")? },
            other => unreachable!("`{other}` is in the list of types"),
        })
    }
}

/// Whether brackets and braces of a glob are closed and nothing ends in a backslash.
fn is_glob(text: &str) -> bool {
    let (mut braces, mut in_class, mut escaped) = (0_usize, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if in_class => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '{' => braces += 1,
            '}' if braces == 0 => return false,
            '}' => braces -= 1,
            _ => {}
        }
    }
    braces == 0 && !in_class && !escaped
}

fn is_vulnerability(text: &str) -> bool {
    let digits = |part: &str, least: usize| part.len() >= least && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('-') {
        Some(("CVE", rest)) => {
            rest.split_once('-').is_some_and(|(year, number)| year.len() == 4 && digits(year, 4) && digits(number, 4))
        }
        Some(("GHSA", rest)) => rest.split('-').count() == 3 && rest.split('-').all(|part| part.len() == 4),
        _ => false,
    }
}
