//! What a word of the command line means: `bash`, `bash.x86_64`, `bash-5.2`, `lib*-devel`, `/usr/bin/sh`, `libz.so.1()(64bit)`.
//!
//! The forms are tried in this order, and the first that finds something counts (libdnf5, `PackageQuery::resolve_pkg_spec`):
//! `name-[epoch:]version-release.arch`, `name.arch`, `name`, `name-[epoch:]version-release`, `name-[epoch:]version`; then what packages
//! provide; then their files; then programs of that name in the folders for programs. Each part may be a pattern.

use std::collections::BTreeSet;

use pkg::{Nevra, Relation};

use crate::query::glob::{Glob, is_pattern};
use crate::sack::name_glob;
use crate::{Place, Sack};

/// What else than a package's name a word may mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// `Bash` is `bash`.
    pub ignore_case: bool,
    /// What packages provide.
    pub provides: bool,
    /// Their files, by path.
    pub files: bool,
    /// Programs in the folders for programs.
    pub programs: bool,
}

impl Meaning {
    /// All that a word may mean when packages are asked for.
    pub const ANY: Meaning = Meaning { ignore_case: false, provides: true, files: true, programs: true };
    /// Names, versions and architectures only.
    pub const NAMES: Meaning = Meaning { ignore_case: false, provides: false, files: false, programs: false };
}

/// The packages that a word means.
pub fn resolve(sack: &Sack, word: &str, meaning: Meaning) -> BTreeSet<Place> {
    for form in forms(word) {
        let found = form.find(sack, meaning.ignore_case);
        if !found.is_empty() {
            return found;
        }
    }
    if meaning.provides {
        let found = providers(sack, word);
        if !found.is_empty() {
            return found;
        }
    }
    if meaning.files {
        let found = by_file(sack, word);
        if !found.is_empty() {
            return found;
        }
    }
    if meaning.programs && !word.contains('/') {
        let folders = ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"];
        return folders.iter().flat_map(|folder| by_file(sack, &format!("{folder}{word}"))).collect();
    }
    BTreeSet::new()
}

/// The packages that provide a capability: a pattern for its name, or `name op version`.
pub fn providers(sack: &Sack, word: &str) -> BTreeSet<Place> {
    match Relation::parse(word) {
        Ok(relation) if is_pattern(&relation.name) => {
            let glob = Glob::new(&relation.name);
            let names = sack.provided_names().filter(|name| glob.matches(name));
            let relations = names.map(|name| Relation { name: name.to_owned(), bound: relation.bound.clone() });
            relations.flat_map(|relation| by_name(sack, &relation)).collect()
        }
        Ok(relation) => by_name(sack, &relation),
        Err(_) => BTreeSet::new(),
    }
}

fn by_name(sack: &Sack, relation: &Relation) -> BTreeSet<Place> {
    let named = sack.providing(&relation.name).iter().copied();
    named.filter(|place| crate::sack::provides(sack.package(*place), relation)).collect()
}

/// The packages that have a file.
pub fn by_file(sack: &Sack, pattern: &str) -> BTreeSet<Place> {
    if !pattern.starts_with('/') && !pattern.starts_with("*/") {
        return BTreeSet::new();
    }
    let glob = Glob::new(pattern);
    let has = |place: &Place| sack.package(*place).files.iter().any(|file| glob.matches(&file.path));
    sack.all().filter(has).collect()
}

/// Whether `pattern` means a package by one of the forms.
pub fn matches_nevra(pattern: &str, nevra: &Nevra) -> bool {
    forms(pattern).iter().any(|form| form.matches(nevra, false))
}

/// A word cut into parts; each may be a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The name.
    pub name: String,
    /// Any where not said.
    pub epoch: Option<u32>,
    /// Any where not said.
    pub version: Option<String>,
    /// Any where not said.
    pub release: Option<String>,
    /// Any where not said.
    pub arch: Option<String>,
}

impl Form {
    /// The packages of the form.
    pub fn find(&self, sack: &Sack, ignore_case: bool) -> BTreeSet<Place> {
        let matching = |places: &[Place]| -> Vec<Place> {
            places.iter().copied().filter(|place| self.matches_parts(&sack.package(*place).nevra)).collect()
        };
        if !ignore_case && !is_pattern(&self.name) {
            return matching(sack.named(&self.name)).into_iter().collect();
        }
        let glob = name_glob(&self.name, ignore_case);
        sack.all_names().filter(|name| glob.matches(name)).flat_map(|name| matching(sack.named(name))).collect()
    }

    /// Whether a package is of the form.
    pub fn matches(&self, nevra: &Nevra, ignore_case: bool) -> bool {
        name_glob(&self.name, ignore_case).matches(&nevra.name) && self.matches_parts(nevra)
    }

    fn matches_parts(&self, nevra: &Nevra) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| Glob::new(pattern).matches(text))
        };
        self.epoch.is_none_or(|epoch| epoch == nevra.evr.epoch)
            && fits(&self.version, &nevra.evr.version)
            && fits(&self.release, &nevra.evr.release)
            && fits(&self.arch, nevra.arch.as_str())
    }
}

/// The forms that a word may have, in the order in which they are tried.
pub fn forms(word: &str) -> Vec<Form> {
    let form = |name: &str| Form { name: name.to_owned(), epoch: None, version: None, release: None, arch: None };
    let mut forms = Vec::new();
    let dotted = word.rsplit_once('.').filter(|(_, arch)| !arch.is_empty() && !arch.contains('-'));
    if let Some((rest, arch)) = dotted {
        if let Some(full) = with_release(rest, &form) {
            forms.push(Form { arch: Some(arch.to_owned()), ..full });
        }
        if !rest.is_empty() {
            forms.push(Form { arch: Some(arch.to_owned()), ..form(rest) });
        }
    }
    forms.push(form(word));
    forms.extend(with_release(word, &form));
    forms.extend(with_version(word, &form));
    forms
}

fn with_release(text: &str, form: &dyn Fn(&str) -> Form) -> Option<Form> {
    let (rest, release) = text.rsplit_once('-').filter(|(_, release)| !release.is_empty())?;
    Some(Form { release: Some(release.to_owned()), ..with_version(rest, form)? })
}

fn with_version(text: &str, form: &dyn Fn(&str) -> Form) -> Option<Form> {
    let (name, version) = text.rsplit_once('-').filter(|(name, version)| !name.is_empty() && !version.is_empty())?;
    let (epoch, version) = match version.split_once(':') {
        Some((epoch, version)) => (Some(epoch.parse().ok()?), version),
        None => (None, version),
    };
    Some(Form { epoch, version: Some(version.to_owned()), ..form(name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_packages_in_several_forms() {
        let nevra = |text: &str| Nevra::parse(text).unwrap();
        for (word, package, matches) in [
            ("bash", "bash-5.2-1.x86_64", true),
            ("bash.x86_64", "bash-5.2-1.x86_64", true),
            ("bash.i686", "bash-5.2-1.x86_64", false),
            ("bash-5.2", "bash-5.2-1.x86_64", true),
            ("bash-5.2-1", "bash-5.2-1.x86_64", true),
            ("bash-0:5.2-1.x86_64", "bash-5.2-1.x86_64", true),
            ("bash-1:5.2-1.x86_64", "bash-5.2-1.x86_64", false),
            ("bash-5.*", "bash-5.2-1.x86_64", true),
            ("ba?h-*", "bash-5.2-1.x86_64", true),
            ("gtk2.0", "gtk2.0-1-1.noarch", true),
            ("a-b", "a-b-1-1.noarch", true),
            ("*", "a-b-1-1.noarch", true),
            ("a", "a-b-1-1.noarch", false),
        ] {
            assert_eq!(matches_nevra(word, &nevra(package)), matches, "{word} {package}");
        }
    }
}
