//! A package while its tags are being read.

use pkg::{Arch, Condition, Evr, Relation};

use super::Parser;
use crate::answer::{Dependency, FileList, Qualifiers, Scriptlet, Subpackage, Trigger};
use crate::macros::Outcome;
use crate::{ErrorKind, Position};

/// Tags that hold one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Name,
    Version,
    Release,
    Summary,
    License,
    Group,
    Url,
    Vendor,
    Packager,
    Distribution,
    DistTag,
    DistUrl,
    Vcs,
    BugUrl,
    TranslationUrl,
    UpstreamReleases,
    ModularityLabel,
    Description,
}

/// How many there are.
const TEXTS: usize = Text::Description as usize + 1;

#[derive(Default)]
pub(super) struct Lists {
    pub(super) provides: Vec<Dependency>,
    pub(super) requires: Vec<Dependency>,
    pub(super) conflicts: Vec<Dependency>,
    pub(super) obsoletes: Vec<Dependency>,
    pub(super) recommends: Vec<Dependency>,
    pub(super) suggests: Vec<Dependency>,
    pub(super) supplements: Vec<Dependency>,
    pub(super) enhances: Vec<Dependency>,
    pub(super) order_with_requires: Vec<Dependency>,
}

pub(super) struct Package {
    texts: [Option<String>; TEXTS],
    pub(super) epoch: Option<u32>,
    pub(super) is_noarch: bool,
    pub(super) lists: Lists,
    pub(super) prefixes: Vec<String>,
    pub(super) auto_requires: bool,
    pub(super) auto_provides: bool,
    pub(super) files: Option<FileList>,
    pub(super) scriptlets: Vec<Scriptlet>,
    pub(super) triggers: Vec<Trigger>,
    pub(super) position: Position,
}

impl Package {
    pub(super) fn new(name: Option<String>, position: Position) -> Package {
        let mut package = Package {
            texts: Default::default(),
            epoch: None,
            is_noarch: false,
            lists: Lists::default(),
            prefixes: Vec::new(),
            auto_requires: true,
            auto_provides: true,
            files: None,
            scriptlets: Vec::new(),
            triggers: Vec::new(),
            position,
        };
        package.texts[Text::Name as usize] = name;
        package
    }

    pub(super) fn name(&self) -> &str {
        self.text(Text::Name).unwrap_or("")
    }

    pub(super) fn text(&self, text: Text) -> Option<&str> {
        self.texts[text as usize].as_deref()
    }

    /// Sets a text; false if there was one.
    pub(super) fn set(&mut self, text: Text, value: &str) -> bool {
        self.texts[text as usize].replace(value.to_owned()).is_none()
    }
}

/// Adds a dependency unless it is there.
pub(super) fn add(list: &mut Vec<Dependency>, relation: Relation, qualifiers: Qualifiers, position: &Position) {
    let known = |other: &Dependency| {
        other.qualifiers == qualifiers && other.relation.name == relation.name && same_bound(&other.relation, &relation)
    };
    if !list.iter().any(known) {
        list.push(Dependency { relation, qualifiers, position: position.clone() });
    }
}

/// The same range to the letter; `Evr` itself holds `1.0` and `1.00` for equal.
fn same_bound(left: &Relation, right: &Relation) -> bool {
    match (&left.bound, &right.bound) {
        (None, None) => true,
        (Some((left, one)), Some((right, other))) => {
            left == right && (one.epoch, &one.version, &one.release) == (other.epoch, &other.version, &other.release)
        }
        _ => false,
    }
}

impl Parser {
    /// What the packages come to, once everything is read.
    pub(super) fn finish_packages(&mut self) -> Outcome<Vec<Subpackage>> {
        self.fill_main_package()?;
        let isa = self.engine.expand_text("%{?_isa}")?;
        let packages = std::mem::take(&mut self.packages);
        let main = &packages[0];
        let missing = |package: &str, what: &'static str, position: &Position| {
            self.engine.set_position(position.clone());
            self.engine.fail(ErrorKind::Missing { package: package.to_owned(), what })
        };
        let inherited =
            |package: &Package, text: Text| package.text(text).or_else(|| main.text(text)).map(str::to_owned);
        let mut finished = Vec::new();
        for package in &packages {
            let own = |text: Text, what| {
                inherited(package, text).ok_or_else(|| missing(package.name(), what, &package.position))
            };
            let name =
                package.text(Text::Name).ok_or_else(|| missing("(main)", "`Name`", &package.position))?.to_owned();
            let epoch = package.epoch.or(main.epoch).unwrap_or(0);
            let evr = Evr::new(epoch, own(Text::Version, "`Version`")?, own(Text::Release, "`Release`")?);
            let or_empty = |text: Text, what| match package.text(text) {
                Some(text) => Ok(text.to_owned()),
                None => self.engine.skip(missing(&name, what, &package.position)).map(|()| String::new()),
            };
            let summary = or_empty(Text::Summary, "`Summary`")?;
            let license = own(Text::License, "`License`")?;
            let description = or_empty(Text::Description, "`%description`")?;
            let arch = if package.is_noarch { Arch::noarch() } else { Arch::new(&self.arch) };
            let mut provides = Vec::new();
            let itself = |name: String| Relation::new(name, Condition::Equal, evr.clone());
            add(&mut provides, itself(name.clone()), Qualifiers::NONE, &package.position);
            if arch.as_str() != "noarch" && !isa.is_empty() {
                add(&mut provides, itself(format!("{name}{isa}")), Qualifiers::NONE, &package.position);
            }
            for dependency in &package.lists.provides {
                add(&mut provides, dependency.relation.clone(), dependency.qualifiers, &dependency.position);
            }
            let lists = &package.lists;
            finished.push(Subpackage {
                summary,
                license,
                url: inherited(package, Text::Url),
                group: inherited(package, Text::Group),
                vendor: inherited(package, Text::Vendor),
                description,
                provides,
                requires: lists.requires.clone(),
                conflicts: lists.conflicts.clone(),
                obsoletes: lists.obsoletes.clone(),
                recommends: lists.recommends.clone(),
                suggests: lists.suggests.clone(),
                supplements: lists.supplements.clone(),
                enhances: lists.enhances.clone(),
                order_with_requires: lists.order_with_requires.clone(),
                prefixes: if package.prefixes.is_empty() { main.prefixes.clone() } else { package.prefixes.clone() },
                auto_requires: package.auto_requires,
                auto_provides: package.auto_provides,
                files: package.files.clone(),
                scriptlets: package.scriptlets.clone(),
                triggers: package.triggers.clone(),
                position: package.position.clone(),
                name,
                evr,
                arch,
            });
        }
        Ok(finished)
    }

    /// Tags that macros give when the spec does not.
    fn fill_main_package(&mut self) -> Outcome {
        for (text, name) in [
            (Text::Vendor, "vendor"),
            (Text::Packager, "packager"),
            (Text::Distribution, "distribution"),
            (Text::DistUrl, "disturl"),
            (Text::DistTag, "disttag"),
            (Text::BugUrl, "bugurl"),
            (Text::TranslationUrl, "translationurl"),
            (Text::UpstreamReleases, "upstreamreleases"),
            (Text::ModularityLabel, "modularitylabel"),
        ] {
            if self.packages[0].text(text).is_none() {
                let value = self.engine.expand_text(&format!("%{{{name}}}"))?;
                if !value.starts_with('%') {
                    self.packages[0].set(text, &value);
                }
            }
        }
        Ok(())
    }
}
