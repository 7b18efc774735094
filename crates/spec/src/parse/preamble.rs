//! Tags: the spec's first lines and those behind `%package`.

use super::dependency::{self, Field};
use super::package::{self, Package, Text};
use super::reader::Strip;
use super::section::Section;
use super::{Next, Parser, words};
use crate::answer::{Qualifiers, Source};
use crate::macros::{KnownSource, Level, Outcome};
use crate::{ErrorKind, GapKind, Gaps, Located, Undefined};

/// Which list of dependencies a tag fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
    Recommends,
    Suggests,
    Supplements,
    Enhances,
    Order,
    /// `PreReq`, the old form of `Requires(pre,preun)`.
    PreRequires,
    BuildRequires,
    BuildConflicts,
}

/// What a tag is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Text(Text),
    Epoch,
    SourceLicense,
    Source,
    Patch,
    NoSource,
    NoPatch,
    ExcludeArch,
    ExclusiveArch,
    ExcludeOs,
    ExclusiveOs,
    Icon,
    Dependencies(List),
    Prefixes,
    /// Accepted, without meaning.
    BuildRoot,
    BuildArch,
    BuildOption,
    BuildSystem,
    AutoRequiresProvides,
    AutoRequires,
    AutoProvides,
    DocDir,
    RemovePathPostfixes,
}

/// What may stand in parentheses behind a tag's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parenthesis {
    None,
    Language,
    Qualifiers,
}

/// A tag, its parenthesis, and whether its value becomes a macro.
struct Known {
    name: &'static str,
    tag: Tag,
    parenthesis: Parenthesis,
    is_macro: bool,
}

const fn known(name: &'static str, tag: Tag, is_macro: bool) -> Known {
    Known { name, tag, parenthesis: Parenthesis::None, is_macro }
}

const fn language(name: &'static str, tag: Tag) -> Known {
    Known { name, tag, parenthesis: Parenthesis::Language, is_macro: true }
}

const fn dependencies(name: &'static str, list: List) -> Known {
    let parenthesis = match list {
        List::Provides | List::Conflicts | List::Obsoletes | List::BuildRequires | List::BuildConflicts => {
            Parenthesis::None
        }
        _ => Parenthesis::Qualifiers,
    };
    Known { name, tag: Tag::Dependencies(list), parenthesis, is_macro: false }
}

/// Where one name begins another, the longer one comes first, as in rpm.
const TAGS: &[Known] = &[
    known("name", Tag::Text(Text::Name), true),
    known("version", Tag::Text(Text::Version), true),
    known("release", Tag::Text(Text::Release), true),
    known("epoch", Tag::Epoch, true),
    language("summary", Tag::Text(Text::Summary)),
    known("license", Tag::Text(Text::License), true),
    known("sourcelicense", Tag::SourceLicense, true),
    known("distribution", Tag::Text(Text::Distribution), true),
    known("disturl", Tag::Text(Text::DistUrl), true),
    known("vendor", Tag::Text(Text::Vendor), true),
    language("group", Tag::Text(Text::Group)),
    known("packager", Tag::Text(Text::Packager), true),
    known("url", Tag::Text(Text::Url), true),
    known("vcs", Tag::Text(Text::Vcs), true),
    known("source", Tag::Source, false),
    known("patch", Tag::Patch, false),
    known("nosource", Tag::NoSource, false),
    known("nopatch", Tag::NoPatch, false),
    known("excludearch", Tag::ExcludeArch, false),
    known("exclusivearch", Tag::ExclusiveArch, false),
    known("excludeos", Tag::ExcludeOs, false),
    known("exclusiveos", Tag::ExclusiveOs, false),
    known("icon", Tag::Icon, false),
    dependencies("provides", List::Provides),
    dependencies("requires", List::Requires),
    dependencies("recommends", List::Recommends),
    dependencies("suggests", List::Suggests),
    dependencies("supplements", List::Supplements),
    dependencies("enhances", List::Enhances),
    dependencies("prereq", List::PreRequires),
    dependencies("conflicts", List::Conflicts),
    dependencies("obsoletes", List::Obsoletes),
    known("prefixes", Tag::Prefixes, true),
    known("prefix", Tag::Prefixes, true),
    known("buildroot", Tag::BuildRoot, false),
    known("buildarchitectures", Tag::BuildArch, false),
    known("buildarch", Tag::BuildArch, false),
    dependencies("buildconflicts", List::BuildConflicts),
    Known { name: "buildoption", tag: Tag::BuildOption, parenthesis: Parenthesis::Qualifiers, is_macro: false },
    dependencies("buildprereq", List::BuildRequires),
    dependencies("buildrequires", List::BuildRequires),
    known("buildsystem", Tag::BuildSystem, true),
    known("autoreqprov", Tag::AutoRequiresProvides, false),
    known("autoreq", Tag::AutoRequires, false),
    known("autoprov", Tag::AutoProvides, false),
    known("docdir", Tag::DocDir, false),
    known("disttag", Tag::Text(Text::DistTag), true),
    known("bugurl", Tag::Text(Text::BugUrl), true),
    known("translationurl", Tag::Text(Text::TranslationUrl), true),
    known("upstreamreleases", Tag::Text(Text::UpstreamReleases), true),
    dependencies("orderwithrequires", List::Order),
    known("removepathpostfixes", Tag::RemovePathPostfixes, true),
    known("modularitylabel", Tag::Text(Text::ModularityLabel), true),
];

/// Whether a word is the name of a tag, letter case aside.
pub(super) fn is_tag(word: &str) -> bool {
    TAGS.iter().any(|known| known.name.eq_ignore_ascii_case(word))
}

/// A tag's line, taken apart.
struct Line<'l> {
    known: &'static Known,
    /// What stands in the parenthesis.
    qualifier: &'l str,
    /// Behind the name, before the colon: a source's number.
    number: &'l str,
    value: &'l str,
}

impl Line<'_> {
    /// Takes a line apart. The error is the name of the tag and what is wrong, or nothing where no tag is known.
    fn read(line: &str) -> Result<Line<'_>, Option<(&'static str, String)>> {
        let line = line.trim();
        let known = TAGS
            .iter()
            .find(|known| line.get(..known.name.len()).is_some_and(|start| start.eq_ignore_ascii_case(known.name)))
            .ok_or(None)?;
        let rest = line[known.name.len()..].trim_start();
        let mut qualifier = "";
        let mut number = "";
        let after = match (known.parenthesis, rest.strip_prefix('(')) {
            (Parenthesis::None, _) if matches!(known.tag, Tag::Source | Tag::Patch) => {
                let colon = rest.find(':').ok_or_else(|| Some((known.name, "it has no colon".to_owned())))?;
                number = rest[..colon].trim();
                &rest[colon..]
            }
            (Parenthesis::None, _) | (_, None) => rest,
            (_, Some(inner)) => {
                let end = inner.find(')').ok_or(None)?;
                qualifier = inner[..end].trim();
                // rpm reads the qualifiers up to the first blank.
                if qualifier.contains(|c: char| c.is_ascii_whitespace()) {
                    return Err(None);
                }
                inner[end + 1..].trim_start()
            }
        };
        let value = after.strip_prefix(':').ok_or(None)?.trim();
        if value.is_empty() {
            return Err(Some((known.name, "it is empty".to_owned())));
        }
        Ok(Line { known, qualifier, number, value })
    }
}

impl Parser {
    /// `%package`: a new package, then its tags.
    pub(super) fn package_section(&mut self) -> Outcome<Next> {
        let line = self.reader.line.trim().to_owned();
        let wrong = |problem: &str| ErrorKind::Section(format!("`{line}`: {problem}"));
        let words: Vec<&str> = line.split_ascii_whitespace().skip(1).collect();
        let (name, full) = match words[..] {
            ["-n", name] => (name, name.to_owned()),
            [name] if name != "-n" => (name, format!("{}-{name}", self.packages[0].name())),
            _ => {
                return Err(self
                    .engine
                    .fail(wrong("it should name one package, as `%package name` or `%package -n name`")));
            }
        };
        self.check_letters("%package", name, ".-_+%{}", words[0] == "-n")?;
        if self.packages.iter().any(|package| package.name() == full) {
            return Err(self.engine.fail(wrong(&format!("there is a package `{full}` already"))));
        }
        let position = self.reader.position();
        self.packages.push(Package::new(Some(full), position));
        self.tags(self.packages.len() - 1)
    }

    /// The tags of the package at `index`, to the next section.
    pub(super) fn tags(&mut self, index: usize) -> Outcome<Next> {
        while self.reader.next(Strip::CommentsAndEnds)? {
            if let Some(section) = Section::of(&self.reader.line) {
                return Ok(Next::Section(section));
            }
            if self.reader.line.trim_start().is_empty() {
                continue;
            }
            let line = std::mem::take(&mut self.reader.line);
            if let Err(error) = self.tag(index, &line) {
                self.engine.skip_line(error)?;
            }
            self.reader.line = line;
            if !self.build_arch.is_empty() && !self.is_second_reading {
                return Ok(Next::ReadAgain);
            }
        }
        Ok(Next::End)
    }

    fn tag(&mut self, index: usize, text: &str) -> Outcome {
        let line = Line::read(text).map_err(|problem| match problem {
            Some((tag, problem)) => self.engine.fail(ErrorKind::Tag { tag: tag.to_owned(), problem }),
            None => {
                let word = text.trim().split([':', '(', ' ']).next().unwrap_or("");
                let nearest = crate::spelling::nearest(word, TAGS.iter().map(|known| known.name), 1).pop();
                self.engine.fail(ErrorKind::UnknownTag { line: text.trim().to_owned(), nearest })
            }
        })?;
        let known = line.known;
        let value = line.value;
        let wrong = |problem: String| ErrorKind::Tag { tag: known.name.to_owned(), problem };
        let single = || {
            if value.contains(|c: char| c.is_ascii_whitespace()) {
                return Err(self.engine.fail(wrong(format!("it takes a single word, not `{value}`"))));
            }
            Ok(())
        };
        match known.tag {
            Tag::Text(text) => {
                match text {
                    Text::Name => {
                        single()?;
                        self.check_letters("name", value, ".-_+%{}", true)?;
                    }
                    Text::Version | Text::Release => {
                        single()?;
                        self.check_letters(known.name, value, "._+%{}~^", false)?;
                    }
                    Text::Url | Text::DistTag | Text::BugUrl | Text::ModularityLabel | Text::Vcs => single()?,
                    _ => {}
                }
                if matches!(text, Text::Name | Text::Version | Text::Release | Text::License) {
                    self.check_macros(known.name, value)?;
                }
                self.set_text(index, text, known, line.qualifier, value)?;
            }
            Tag::Epoch => {
                single()?;
                self.check_macros(known.name, value)?;
                let number =
                    value.parse().map_err(|_| self.engine.fail(wrong(format!("`{value}` is no whole number"))))?;
                self.packages[index].epoch = Some(number);
            }
            Tag::SourceLicense => self.source_license = Some(value.to_owned()),
            Tag::Source | Tag::Patch => {
                let number = match line.number {
                    "" => None,
                    number => {
                        Some(number.parse().map_err(|_| self.engine.fail(wrong(format!("`{number}` is no number"))))?)
                    }
                };
                self.add_source(known.tag == Tag::Patch, number, value)?;
            }
            Tag::NoSource | Tag::NoPatch => self.leave_out(known.tag == Tag::NoPatch, value, known.name)?,
            Tag::ExcludeArch | Tag::ExclusiveArch | Tag::ExcludeOs | Tag::ExclusiveOs => {
                let words = words::split(value).map_err(|problem| self.engine.fail(wrong(problem.to_owned())))?;
                match known.tag {
                    Tag::ExcludeArch => &mut self.exclude_arch,
                    Tag::ExclusiveArch => &mut self.exclusive_arch,
                    Tag::ExcludeOs => &mut self.exclude_os,
                    _ => &mut self.exclusive_os,
                }
                .extend(words);
            }
            Tag::Icon | Tag::BuildRoot | Tag::RemovePathPostfixes => {}
            Tag::Dependencies(list) => self.add_dependencies(index, list, line.qualifier, value, known.name)?,
            Tag::Prefixes => {
                let words = words::split(value).map_err(|problem| self.engine.fail(wrong(problem.to_owned())))?;
                if let Some(prefix) = words.iter().find(|word| word.len() > 1 && word.ends_with('/')) {
                    return Err(self.engine.fail(wrong(format!("`{prefix}` ends with a slash"))));
                }
                self.packages[index].prefixes.extend(words);
            }
            Tag::BuildArch => self.set_build_arch(index, value, known.name)?,
            Tag::BuildOption => {
                let section = if line.qualifier.is_empty() { "conf" } else { line.qualifier };
                let Some(section) = super::section::BUILD.iter().position(|name| *name == section) else {
                    return Err(self.engine.fail(wrong(format!("`{section}` is no build section"))));
                };
                self.build_options.entry(section).or_default().push(value.to_owned());
            }
            Tag::BuildSystem => {
                single()?;
                self.check_letters("buildsystem", value, ".-_+%{}", true)?;
                self.check_build_system(value)?;
            }
            Tag::AutoRequiresProvides => {
                let yes = is_yes(value);
                self.packages[index].auto_requires = yes;
                self.packages[index].auto_provides = yes;
            }
            Tag::AutoRequires => self.packages[index].auto_requires = is_yes(value),
            Tag::AutoProvides => self.packages[index].auto_provides = is_yes(value),
            Tag::DocDir => {
                single()?;
                if !value.starts_with('/') {
                    return Err(self.engine.fail(wrong(format!("`{value}` does not begin with a slash"))));
                }
                self.engine.pop("_docdir");
                self.engine.set("_docdir", value, Level::SPEC);
            }
        }
        if known.is_macro {
            self.engine.set(known.name, value, Level::SPEC);
            if index == 0 {
                self.engine.set(&known.name.to_ascii_uppercase(), value, Level::SPEC);
            }
        }
        Ok(())
    }

    fn set_text(&mut self, index: usize, text: Text, known: &Known, qualifier: &str, value: &str) -> Outcome {
        // Other languages than the C locale's are translations, which no answer holds.
        if known.parenthesis == Parenthesis::Language && !matches!(qualifier, "" | "C") {
            return Ok(());
        }
        if !self.packages[index].set(text, value) {
            if known.parenthesis == Parenthesis::Language {
                self.engine.warn(format!("a second `{}`", known.name));
            } else if !(index > 0 && text == Text::Name) {
                let problem = "the package has it twice".to_owned();
                return Err(self.engine.fail(ErrorKind::Tag { tag: known.name.to_owned(), problem }));
            }
        }
        Ok(())
    }

    /// Letters, digits and `allowed`; at the beginning only letters, digits, `_` and `%` where `first_counts`.
    fn check_letters(&self, tag: &str, value: &str, allowed: &str, first_counts: bool) -> Outcome {
        let odd = value.chars().enumerate().find(|(index, letter)| {
            let allowed = if *index == 0 && first_counts { "_%" } else { allowed };
            !(letter.is_ascii_alphanumeric() || allowed.contains(*letter))
        });
        let problem = match odd {
            Some((_, letter)) => format!("`{value}` has a `{letter}`"),
            None if value.contains("..") => format!("`{value}` has `..` in it"),
            None => return Ok(()),
        };
        Err(self.engine.fail(ErrorKind::Tag { tag: tag.to_owned(), problem }))
    }

    /// Looks for macros that nobody defined where only their value makes sense.
    fn check_macros(&self, tag: &str, value: &str) -> Outcome {
        let Some(start) = value.find("%{") else { return Ok(()) };
        let rest = value[start + 2..].trim_start_matches(['?', '!']);
        let name = &rest[..rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len())];
        let place = format!("tag `{tag}`");
        if self.engine.environment.undefined == Undefined::Warn {
            if self.engine.environment.gaps == Gaps::Note {
                self.engine.gap(GapKind::Macro, format!("macro `%{{{name}}}` in {place} is defined nowhere"));
            }
            self.engine.warn(format!("macro `%{{{name}}}` in {place} is not defined"));
            return Ok(());
        }
        let nearest = self.engine.nearest(name);
        Err(self.engine.fail(ErrorKind::UndefinedMacro { name: name.to_owned(), place, nearest }))
    }

    fn add_dependencies(&mut self, index: usize, list: List, qualifier: &str, value: &str, tag: &str) -> Outcome {
        self.check_macros(tag, value)?;
        let mut qualifiers = Qualifiers::NONE;
        for name in qualifier.split(',').map(str::trim).filter(|_| !qualifier.is_empty()) {
            let Some(named) = Qualifiers::named(name) else {
                let problem = format!("`{name}` is no qualifier");
                return Err(self.engine.fail(ErrorKind::Tag { tag: tag.to_owned(), problem }));
            };
            qualifiers = qualifiers.with(named);
        }
        if list == List::PreRequires {
            for name in ["pre", "preun"] {
                qualifiers = qualifiers.with(Qualifiers::named(name).unwrap_or_default());
            }
        }
        let field = match list {
            List::Provides => Field::Provides,
            List::Obsoletes => Field::Obsoletes,
            List::Order => Field::Plain,
            List::Conflicts | List::BuildConflicts | List::Supplements | List::Enhances => Field::Reversed,
            _ => Field::Requires,
        };
        let relations = dependency::parse(value, field).or_else(|kind| {
            let error = self.engine.fail(kind);
            self.engine.skip(error).map(|()| dependency::salvage(value, field))
        })?;
        let position = self.reader.position();
        for relation in relations {
            if matches!(list, List::BuildRequires | List::BuildConflicts) {
                let list =
                    if list == List::BuildRequires { &mut self.build_requires } else { &mut self.build_conflicts };
                if !list.iter().any(|known| known.value.to_string() == relation.to_string()) {
                    list.push(Located { value: relation, position: position.clone() });
                }
                continue;
            }
            // As rpm: what a package manager feature needs, or an unreadable one, is not checked here.
            let lists = &mut self.packages[index].lists;
            let list = match list {
                List::Provides => &mut lists.provides,
                List::Conflicts => &mut lists.conflicts,
                List::Obsoletes => &mut lists.obsoletes,
                List::Recommends => &mut lists.recommends,
                List::Suggests => &mut lists.suggests,
                List::Supplements => &mut lists.supplements,
                List::Enhances => &mut lists.enhances,
                List::Order => &mut lists.order_with_requires,
                _ => &mut lists.requires,
            };
            package::add(list, relation, qualifiers, &position);
        }
        Ok(())
    }

    fn set_build_arch(&mut self, index: usize, value: &str, tag: &str) -> Outcome {
        let words = words::split(value)
            .map_err(|problem| self.engine.fail(ErrorKind::Tag { tag: tag.to_owned(), problem: problem.to_owned() }))?;
        let problem = if index > 0 && words != ["noarch"] {
            Some(format!("a subpackage can only be `noarch`, not `{value}`"))
        } else if index == 0 && !self.build_arch.is_empty() {
            Some("the package has it twice".to_owned())
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(self.engine.fail(ErrorKind::Tag { tag: tag.to_owned(), problem }));
        }
        if index == 0 {
            self.build_arch = words;
        } else {
            self.packages[index].is_noarch = true;
        }
        Ok(())
    }

    /// A source or patch, by tag or list.
    pub(super) fn add_source(&mut self, is_patch: bool, number: Option<u32>, url: &str) -> Outcome {
        let (kind, counter) =
            if is_patch { ("patch", &mut self.next_patch) } else { ("source", &mut self.next_source) };
        let number = match number {
            Some(number) => {
                *counter = (*counter).max(i64::from(number));
                number
            }
            None => {
                *counter += 1;
                u32::try_from(*counter).unwrap_or(u32::MAX)
            }
        };
        self.check_macros(kind, url)?;
        let list = if is_patch { &mut self.patches } else { &mut self.sources };
        if list.iter().any(|known| known.number == number) {
            let problem = format!("there is a {kind} {number} already");
            return Err(self.engine.fail(ErrorKind::Tag { tag: kind.to_owned(), problem }));
        }
        // Behind the last slash, and there behind the last `=`, as in `get.php?file=name`.
        let file_name = match url.rsplit_once('/') {
            Some((_, last)) => last.rsplit_once('=').map_or(last, |(_, name)| name),
            None => url,
        };
        let source = Source {
            number,
            url: url.to_owned(),
            file_name: file_name.to_owned(),
            is_left_out: false,
            position: self.reader.position(),
        };
        list.push(source);
        let path = clean_path(&self.engine.expand_text(&format!("%{{_sourcedir}}/{file_name}"))?);
        let prefix = if is_patch { "PATCH" } else { "SOURCE" };
        self.engine.set(&format!("{prefix}{number}"), &path, Level::SPEC);
        self.engine.set(&format!("{prefix}URL{number}"), url, Level::SPEC);
        let known = KnownSource { is_patch, number, path, name: file_name.to_owned() };
        self.engine.sources.borrow_mut().push(known);
        Ok(())
    }

    fn leave_out(&mut self, is_patch: bool, value: &str, tag: &str) -> Outcome {
        self.has_left_out = true;
        for word in value.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            let list = if is_patch { &mut self.patches } else { &mut self.sources };
            let known = word.parse().ok().and_then(|number: u32| list.iter_mut().find(|known| known.number == number));
            let Some(known) = known else {
                let problem = format!("there is none with the number `{word}`");
                return Err(self.engine.fail(ErrorKind::Tag { tag: tag.to_owned(), problem }));
            };
            known.is_left_out = true;
        }
        Ok(())
    }
}

/// A path with single slashes, as rpm's `rpmCleanPath`; the two behind a scheme's colon stay.
pub(super) fn clean_path(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    for letter in path.chars() {
        if letter == '/' && clean.ends_with('/') && !clean.ends_with(":/") {
            continue;
        }
        clean.push(letter);
    }
    if clean.len() > 1 && clean.ends_with('/') {
        clean.pop();
    }
    clean
}

fn is_yes(value: &str) -> bool {
    !(value.starts_with(['n', 'N', '0']) || value.eq_ignore_ascii_case("false") || value.eq_ignore_ascii_case("off"))
}
