//! From a spec's text to its answers.

mod build_system;
mod changelog;
mod dependency;
mod files;
mod package;
mod preamble;
mod prep;
mod reader;
mod script;
mod section;
mod words;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use pkg::{Arch, Nevra, Relation};

use self::package::{Package, Text};
use self::reader::{Reader, Strip};
use self::section::Section;
use crate::answer::{ChangelogEntry, Evaluated, Source};
use crate::macros::{Builtin, Engine, Level, Outcome};
use crate::{ErrorKind, Located, Origin, Position};

/// Reads a spec; once more where `BuildArch` names another architecture.
pub(crate) fn evaluate_with(engine: &Rc<Engine>, text: &str, origin: &Origin) -> Outcome<Evaluated> {
    let text: Arc<str> = Arc::from(text);
    define_directories(engine)?;
    let mut parser = Parser::new(engine.clone(), text.clone(), origin.clone());
    if !parser.read()? {
        // `BuildArch`: the spec is read anew for that architecture; what macros were defined stays so, as in rpm.
        let names = std::mem::take(&mut parser.build_arch);
        let Some(name) = names.iter().find(|name| crate::arch::can_build(&engine.environment.target.cpu, name)) else {
            let problem = format!("none of {} can be built on {}", names.join(", "), engine.environment.target.cpu);
            return Err(engine.fail(ErrorKind::Tag { tag: "BuildArch".to_owned(), problem }));
        };
        engine.set("_target_cpu", name, Level::CONFIGURATION);
        engine.sources.borrow_mut().clear();
        engine.forget_lua_sources();
        define_documentation(engine);
        parser = Parser::new(engine.clone(), text, origin.clone());
        parser.is_second_reading = true;
        parser.arch = name.clone();
        parser.read()?;
        engine.pop("_target_cpu");
    }
    parser.finish()
}

/// The section that a line begins, in lower case and without `%`.
pub(crate) fn section_name(line: &str) -> Option<String> {
    Section::of(line)?;
    let word = line.split(|c: char| c.is_ascii_whitespace() || c == '\u{b}').next()?;
    Some(word.trim_start_matches('%').to_ascii_lowercase())
}

/// Whether a word is the name of a tag, letter case aside.
pub(crate) fn is_tag(word: &str) -> bool {
    preamble::is_tag(word)
}

/// The time of a changelog entry, as in ` Mon Jun 2 2025 Some One <mail>`, and whether there is such a day.
pub(crate) fn entry_date(heading: &str) -> Option<(i64, bool)> {
    changelog::entry_date(heading)
}

/// What rpm defines before it reads a spec.
fn define_directories(engine: &Engine) -> Outcome {
    if !engine.is_defined("_top_builddir") {
        let top = engine.expand_text("%{_builddir}")?;
        engine.set_literal("_top_builddir", &top, Level::GLOBAL);
        while engine.is_defined("_builddir") {
            engine.pop("_builddir");
        }
    }
    define_documentation(engine);
    Ok(())
}

fn define_documentation(engine: &Engine) {
    engine.set("_docdir", "%{_defaultdocdir}", Level::SPEC);
    engine.set("_licensedir", "%{_defaultlicensedir}", Level::SPEC);
}

/// What stands behind the lines that were just read.
enum Next {
    Section(Section),
    End,
    /// A `BuildArch` was found.
    ReadAgain,
}

/// A spec while it is read.
struct Parser {
    engine: Rc<Engine>,
    reader: Reader,
    /// Read for the architecture that `BuildArch` named.
    is_second_reading: bool,
    arch: String,
    packages: Vec<Package>,
    build_requires: Vec<Located<Relation>>,
    build_conflicts: Vec<Located<Relation>>,
    sources: Vec<Source>,
    patches: Vec<Source>,
    next_source: i64,
    next_patch: i64,
    has_left_out: bool,
    exclusive_arch: Vec<String>,
    exclude_arch: Vec<String>,
    exclusive_os: Vec<String>,
    exclude_os: Vec<String>,
    build_arch: Vec<String>,
    build_options: BTreeMap<usize, Vec<String>>,
    source_license: Option<String>,
    scripts: BTreeMap<usize, script::Parts>,
    changelog: Option<Vec<ChangelogEntry>>,
    has_build_directory: bool,
}

impl Parser {
    fn new(engine: Rc<Engine>, text: Arc<str>, origin: Origin) -> Parser {
        engine.set_literal("__file_name", origin.as_str(), Level::SPEC);
        engine.set_builtin("__file_lineno", Builtin::LineNumber, None, 0);
        let first = Position::line(origin.clone(), 1);
        Parser {
            arch: engine.environment.target.cpu.clone(),
            reader: Reader::new(engine.clone(), text, origin),
            engine,
            is_second_reading: false,
            packages: vec![Package::new(None, first)],
            build_requires: Vec::new(),
            build_conflicts: Vec::new(),
            sources: Vec::new(),
            patches: Vec::new(),
            next_source: -1,
            next_patch: -1,
            has_left_out: false,
            exclusive_arch: Vec::new(),
            exclude_arch: Vec::new(),
            exclusive_os: Vec::new(),
            exclude_os: Vec::new(),
            build_arch: Vec::new(),
            build_options: BTreeMap::new(),
            source_license: None,
            scripts: BTreeMap::new(),
            changelog: None,
            has_build_directory: false,
        }
    }

    /// Reads the spec and what its `BuildSystem` adds. False if it has to be read again for another architecture.
    fn read(&mut self) -> Outcome<bool> {
        if !self.read_sections()? {
            return Ok(false);
        }
        if let Some(text) = self.build_system_text()? {
            let origin = Origin::new(format!("buildsystem of {}", self.packages[0].name()));
            self.reader.open(Arc::from(text), origin);
            self.read_sections()?;
        }
        self.check_main_package()?;
        Ok(true)
    }

    fn read_sections(&mut self) -> Outcome<bool> {
        self.engine.in_script.set(false);
        let mut next = self.tags(0)?;
        if !matches!(next, Next::ReadAgain) {
            self.finish_preamble()?;
        }
        loop {
            next = match next {
                Next::End => return Ok(true),
                Next::ReadAgain => return Ok(false),
                Next::Section(section) => self.section(section)?,
            };
        }
    }

    /// Reads a section; one that cannot be read may be left out.
    fn section(&mut self, section: Section) -> Outcome<Next> {
        self.read_section(section).or_else(|error| {
            self.engine.skip_line(error)?;
            self.lines(Strip::Comments, |_| {})
        })
    }

    fn read_section(&mut self, section: Section) -> Outcome<Next> {
        let is_script =
            matches!(section, Section::Build(_) | Section::Scriptlet(_) | Section::Trigger(_) | Section::Files);
        self.engine.in_script.set(is_script);
        match section {
            Section::Package => self.package_section(),
            Section::Build(index) => self.build_script(index),
            Section::Scriptlet(index) => self.scriptlet(index),
            Section::Trigger(index) => self.trigger(index),
            Section::Files => self.files(),
            Section::Changelog => self.changelog_section(),
            Section::Description => self.description(),
            Section::Policies => {
                self.heading("n:")?;
                self.lines(Strip::CommentsAndEnds, |_| {})
            }
            Section::PatchList | Section::SourceList => self.source_list(section == Section::PatchList),
            Section::End => self.end_of_section(),
        }
    }

    /// Hands lines to `take` until a section begins.
    fn lines(&mut self, strip: Strip, mut take: impl FnMut(&str)) -> Outcome<Next> {
        while self.reader.next(strip)? {
            if let Some(section) = Section::of(&self.reader.line) {
                return Ok(Next::Section(section));
            }
            take(&self.reader.line);
        }
        Ok(Next::End)
    }

    fn source_list(&mut self, is_patch: bool) -> Outcome<Next> {
        let mut entries = Vec::new();
        let next = self.lines(Strip::CommentsAndEnds, |line| {
            if !line.is_empty() {
                entries.push(line.to_owned());
            }
        })?;
        for entry in entries {
            if let Err(error) = self.add_source(is_patch, None, &entry) {
                self.engine.skip_line(error)?;
            }
        }
        Ok(next)
    }

    fn description(&mut self) -> Outcome<Next> {
        let (options, index) = self.heading("n:l:")?;
        let mut text = String::new();
        let next = self.lines(Strip::CommentsAndEnds, |line| {
            text.push_str(line);
            text.push('\n');
        })?;
        // Other languages are translations, which no answer holds.
        if matches!(options.value('l'), None | Some("C"))
            && !self.packages[index].set(Text::Description, text.trim_end())
        {
            self.engine.warn("a second `%description`");
        }
        Ok(next)
    }

    /// Behind `%end`, only empty lines may stand before the next section.
    fn end_of_section(&mut self) -> Outcome<Next> {
        if self.reader.line.trim() != "%end" {
            return Err(self.engine.fail(ErrorKind::Section("`%end` takes no argument".to_owned())));
        }
        while self.reader.next(Strip::CommentsAndEnds)? {
            match Section::of(&self.reader.line) {
                Some(Section::End) => {
                    return Err(self.engine.fail(ErrorKind::Section("`%end` ends no section".to_owned())));
                }
                Some(section) => return Ok(Next::Section(section)),
                None if self.reader.line.trim().is_empty() => {}
                None => {
                    let line = self.reader.line.trim().to_owned();
                    return Err(self.engine.fail(ErrorKind::Section(format!("`{line}` belongs to no section"))));
                }
            }
        }
        Ok(Next::End)
    }

    /// Behind the first tags: the main package must have a name and version, and its directories are known.
    fn finish_preamble(&mut self) -> Outcome {
        for (text, what) in [(Text::Name, "`Name`"), (Text::Version, "`Version`"), (Text::Release, "`Release`")] {
            if self.packages[0].text(text).is_none() {
                let package = if self.packages[0].name().is_empty() { "(main)" } else { self.packages[0].name() };
                let error = self.engine.fail(ErrorKind::Missing { package: package.to_owned(), what });
                let file = self.packages[0].position.origin.as_str();
                let stem = file.rsplit('/').next().and_then(|file| file.strip_suffix(".spec"));
                // A spec is called as its package is.
                let Some(stem) = stem.filter(|_| text == Text::Name).map(str::to_owned) else { return Err(error) };
                self.engine.skip(error)?;
                self.packages[0].set(Text::Name, &stem);
                for name in ["name", "NAME"] {
                    self.engine.set_literal(name, &stem, Level::SPEC);
                }
            }
        }
        if self.has_build_directory {
            return Ok(());
        }
        self.has_build_directory = true;
        let base = self.engine.expand_text("%{NAME}-%{VERSION}-build")?.replace(['~', '^'], "_");
        let directory = format!("{}/{base}", self.engine.expand_text("%{_top_builddir}")?);
        self.engine.set_literal("_builddir", &directory, Level::SPEC);
        self.engine.set_literal("builddir", &directory, Level::SPEC);
        self.engine.set_literal("specpartsdir", &preamble::clean_path(&format!("{directory}/SPECPARTS")), Level::SPEC);
        self.engine.set_literal("buildroot", &preamble::clean_path(&format!("{directory}/BUILDROOT")), Level::SPEC);
        self.engine.set("_buildrootdir", "%{dirname:%{buildroot}}", Level::GLOBAL);
        Ok(())
    }

    fn check_main_package(&mut self) -> Outcome {
        for (text, what) in [(Text::Summary, "`Summary`"), (Text::License, "`License`")] {
            let licensed_apart = text == Text::License && self.source_license.is_some();
            if self.packages[0].text(text).is_none() && !licensed_apart {
                let package = self.packages[0].name().to_owned();
                self.engine.skip(self.engine.fail(ErrorKind::Missing { package, what }))?;
                self.packages[0].set(text, "");
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Outcome<Evaluated> {
        let makes_packages_while_building = self.makes_packages_while_building();
        let scripts = self.finish_scripts();
        let dynamic_build_requires = scripts.iter().any(|script| script.name == "generate_buildrequires");
        let packages = self.finish_packages()?;
        let (name, evr) = (packages[0].name.clone(), packages[0].evr.clone());
        let source_arch = if self.has_left_out { "nosrc" } else { "src" };
        let source = Nevra { name: name.clone(), evr: evr.clone(), arch: Arch::new(source_arch) };
        let is_for_target = self.is_for_target();
        let gaps = self.engine.gaps.take();
        Ok(Evaluated {
            name,
            evr,
            source,
            packages,
            build_requires: self.build_requires,
            build_conflicts: self.build_conflicts,
            dynamic_build_requires,
            sources: self.sources,
            patches: self.patches,
            exclusive_arch: self.exclusive_arch,
            exclude_arch: self.exclude_arch,
            exclusive_os: self.exclusive_os,
            exclude_os: self.exclude_os,
            build_arch: if self.is_second_reading { self.build_arch } else { Vec::new() },
            is_for_target,
            source_license: self.source_license,
            scripts,
            changelog: self.changelog.unwrap_or_default(),
            makes_packages_while_building,
            gaps,
            warnings: self.engine.warnings.take(),
            expanded: self.reader.expanded,
        })
    }

    fn is_for_target(&self) -> bool {
        let target = &self.engine.environment.target;
        let names = |list: &[String], wanted: &str| list.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        !names(&self.exclude_arch, &target.cpu)
            && !names(&self.exclude_os, &target.os)
            && (self.exclusive_arch.is_empty() || names(&self.exclusive_arch, &target.cpu))
            && (self.exclusive_os.is_empty() || names(&self.exclusive_os, &target.os))
    }
}
