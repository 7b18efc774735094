//! The filters of `repoquery` and `list`: each leaves packages out.

use std::collections::{BTreeMap, BTreeSet};

use crate::query::matching::{self, List};
use crate::query::spec::{self, Meaning};
use crate::query::{checks, glob::Glob, updates};
use crate::reasons::Reason;
use crate::sack::Origin;
use crate::{Place, Sack};

/// Which packages are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those in repositories.
    #[default]
    Available,
    /// Those in the root.
    Installed,
    /// Both.
    All,
    /// Those of repositories that are newer than installed ones.
    Upgrades,
    /// Those of repositories that are older than installed ones.
    Downgrades,
}

/// One filter by what packages say of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relating {
    /// In which lists.
    pub lists: Vec<List>,
    /// Of which capabilities or packages.
    pub words: Vec<String>,
    /// Also what a package that a word means provides, or only the word itself.
    pub exact: bool,
}

/// What is asked for. Nothing is filtered by default.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Which packages are looked at.
    pub scope: Scope,
    /// Words that mean packages; none mean all.
    pub words: Vec<String>,
    /// What words may mean.
    pub meaning: Meaning,
    /// Architectures.
    pub arches: Vec<String>,
    /// Whether source packages are seen without being named by their architecture.
    pub no_sources: bool,
    /// Those that depend on others, and the like.
    pub relating: Vec<Relating>,
    /// Whether that goes on over any number of steps.
    pub recursive: bool,
    /// Those that provide something.
    pub provides: Vec<String>,
    /// Those that have a file.
    pub files: Vec<String>,
    /// Of each name and architecture only as many of the newest, or all but as many where negative.
    pub latest: Option<i64>,
    /// Installed ones of which there are several versions.
    pub duplicates: bool,
    /// Installed ones that no repository has.
    pub extras: bool,
    /// Those that somebody asked for.
    pub user_installed: bool,
    /// Those that came as dependencies and that nothing needs.
    pub unneeded: bool,
    /// Those that no other installed package needs.
    pub leaves: bool,
    /// Those of which several versions may be there.
    pub installonly: Option<Vec<String>>,
    /// Of repositories: those with these ids.
    pub repositories: Vec<String>,
    /// Words that mean source packages, of which those were built that are looked for.
    pub sources: Vec<String>,
}

/// The packages that a filter leaves.
pub fn apply(sack: &Sack, filter: &Filter) -> BTreeSet<Place> {
    let all: BTreeSet<Place> = match filter.scope {
        Scope::Available => sack.available().collect(),
        Scope::Installed => sack.installed().collect(),
        Scope::All => sack.all().collect(),
        Scope::Upgrades => updates::upgrades(sack),
        Scope::Downgrades => updates::downgrades(sack),
    };
    let mut found = all.clone();
    if !filter.words.is_empty() {
        let meant: BTreeSet<Place> =
            filter.words.iter().flat_map(|word| resolve_within(sack, word, filter.meaning, &all)).collect();
        found.retain(|place| meant.contains(place));
    }
    let arch = |place: &Place| sack.package(*place).nevra.arch.as_str();
    if !filter.arches.is_empty() {
        let globs: Vec<Glob> = filter.arches.iter().map(|arch| Glob::new(arch)).collect();
        found.retain(|place| globs.iter().any(|glob| glob.matches(arch(place))));
    } else if filter.no_sources {
        found.retain(|place| !matches!(arch(place), "src" | "nosrc"));
    }
    for relating in &filter.relating {
        let mut depending = matching::speaking_of(sack, &all, &relating.lists, &relating.words, !relating.exact);
        if filter.recursive {
            depending = matching::recursively(sack, &all, &relating.lists, depending);
        }
        found.retain(|place| depending.contains(place));
    }
    if !filter.provides.is_empty() {
        let providing: BTreeSet<Place> = filter.provides.iter().flat_map(|word| providing(sack, word)).collect();
        found.retain(|place| providing.contains(place));
    }
    if !filter.files.is_empty() {
        let having: BTreeSet<Place> = filter.files.iter().flat_map(|word| spec::by_file(sack, word)).collect();
        found.retain(|place| having.contains(place));
    }
    if !filter.repositories.is_empty() {
        found.retain(|place| filter.repositories.iter().any(|id| id == sack.repository_id(*place)));
    }
    if !filter.sources.is_empty() {
        let names = |place: &Place| sack.package(*place).source_rpm.trim_end_matches(".rpm").to_owned();
        let globs: Vec<Glob> = filter.sources.iter().map(|word| Glob::new(word)).collect();
        found.retain(|place| {
            let source = names(place);
            let name = source.rsplitn(3, '-').last().unwrap_or_default().to_owned();
            globs.iter().any(|glob| glob.matches(&source) || glob.matches(&name))
        });
    }
    installed_filters(sack, filter, &mut found);
    if let Some(count) = filter.latest {
        found = latest(sack, &found, count);
    }
    found
}

fn installed_filters(sack: &Sack, filter: &Filter, found: &mut BTreeSet<Place>) {
    if filter.duplicates {
        let several = updates::duplicates(sack);
        found.retain(|place| several.contains(place));
    }
    if filter.extras {
        let extras = updates::extras(sack);
        found.retain(|place| extras.contains(place));
    }
    if filter.user_installed {
        found.retain(|place| {
            matches!(sack.get(*place).origin, Origin::Installed { reason: Reason::User | Reason::External, .. })
        });
    }
    if filter.unneeded {
        let unneeded = checks::unneeded(sack);
        found.retain(|place| unneeded.contains(place));
    }
    if filter.leaves {
        let leaves = checks::leaves(sack);
        found.retain(|place| leaves.contains(place));
    }
    if let Some(patterns) = &filter.installonly {
        let places: BTreeSet<Place> = patterns.iter().flat_map(|word| providing(sack, word)).collect();
        found.retain(|place| places.contains(place));
    }
}

/// What a word means among some packages: the first form counts that finds something there.
fn resolve_within(sack: &Sack, word: &str, meaning: Meaning, among: &BTreeSet<Place>) -> BTreeSet<Place> {
    let within = |mut places: BTreeSet<Place>| {
        places.retain(|place| among.contains(place));
        places
    };
    for form in spec::forms(word) {
        let found = within(form.find(sack, meaning.ignore_case));
        if !found.is_empty() {
            return found;
        }
    }
    let only = Meaning { ignore_case: meaning.ignore_case, ..Meaning::default() };
    let Meaning { provides, files, programs, .. } = meaning;
    for other in [Meaning { provides, ..only }, Meaning { files, programs, ..only }] {
        let found = within(spec::resolve(sack, word, other));
        if !found.is_empty() {
            return found;
        }
    }
    BTreeSet::new()
}

/// The packages that provide a capability, or have a file of that path.
fn providing(sack: &Sack, word: &str) -> BTreeSet<Place> {
    let mut found = spec::providers(sack, word);
    found.extend(spec::by_file(sack, word));
    found
}

/// Of each name and architecture the oldest version.
pub fn oldest(sack: &Sack, among: &BTreeSet<Place>) -> BTreeSet<Place> {
    let mut oldest: BTreeMap<(&str, &str), Place> = BTreeMap::new();
    for place in among {
        // Places are in order of version.
        let nevra = &sack.package(*place).nevra;
        oldest.entry((&nevra.name, nevra.arch.as_str())).or_insert(*place);
    }
    oldest.into_values().collect()
}

/// Of each name and architecture the newest `count` versions; where `count` is negative all but the newest so many.
pub fn latest(sack: &Sack, among: &BTreeSet<Place>, count: i64) -> BTreeSet<Place> {
    let mut groups: BTreeMap<(&str, &str), Vec<Place>> = BTreeMap::new();
    for place in among {
        let nevra = &sack.package(*place).nevra;
        groups.entry((&nevra.name, nevra.arch.as_str())).or_default().push(*place);
    }
    let mut found = BTreeSet::new();
    for places in groups.values_mut() {
        places.reverse();
        let evr = |place: &Place| &sack.package(*place).nevra.evr;
        let (mut rank, mut before) = (0_i64, None);
        for place in places.iter() {
            if before.is_some_and(|before| evr(before) != evr(place)) {
                rank += 1;
            }
            before = Some(place);
            if (count >= 0) == (rank < count.abs()) {
                found.insert(*place);
            }
        }
    }
    found
}
