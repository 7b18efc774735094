//! Which packages speak of others: `--whatrequires` and its like.

use std::collections::{BTreeSet, HashMap, HashSet};

use pkg::Relation;
use repodata::Package;

use crate::query::glob::Glob;
use crate::{Place, Sack};

/// One of the lists of relations that a package has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are rpm's")]
pub enum List {
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
    Recommends,
    Suggests,
    Supplements,
    Enhances,
}

impl List {
    /// The relations in this list of a package.
    pub fn of(self, package: &Package) -> Vec<&Relation> {
        match self {
            List::Provides => package.provides.iter().collect(),
            List::Requires => package.requires.iter().map(|requirement| &requirement.relation).collect(),
            List::Conflicts => package.conflicts.iter().collect(),
            List::Obsoletes => package.obsoletes.iter().collect(),
            List::Recommends => package.recommends.iter().collect(),
            List::Suggests => package.suggests.iter().collect(),
            List::Supplements => package.supplements.iter().collect(),
            List::Enhances => package.enhances.iter().collect(),
        }
    }

    /// The list by its name, in any case.
    pub fn parse(name: &str) -> Option<List> {
        Some(match name.to_ascii_lowercase().as_str() {
            "provides" => List::Provides,
            "requires" => List::Requires,
            "conflicts" => List::Conflicts,
            "obsoletes" => List::Obsoletes,
            "recommends" => List::Recommends,
            "suggests" => List::Suggests,
            "supplements" => List::Supplements,
            "enhances" => List::Enhances,
            _ => return None,
        })
    }
}

/// What packages offer, for asking whether a relation speaks of one of them.
pub struct Offers<'a> {
    provides: HashMap<&'a str, Vec<&'a Relation>>,
    versions: HashMap<&'a str, Vec<&'a Package>>,
    files: HashSet<&'a str>,
}

impl<'a> Offers<'a> {
    /// What `packages` offer together.
    pub fn new(packages: impl IntoIterator<Item = &'a Package>) -> Offers<'a> {
        let mut offers = Offers { provides: HashMap::new(), versions: HashMap::new(), files: HashSet::new() };
        // Source packages offer nothing, whatever their headers say.
        for package in packages.into_iter().filter(|package| !matches!(package.nevra.arch.as_str(), "src" | "nosrc")) {
            offers.versions.entry(&package.nevra.name).or_default().push(package);
            for one in &package.provides {
                offers.provides.entry(&one.name).or_default().push(one);
            }
            offers.files.extend(package.files.iter().map(|file| file.path.as_str()));
        }
        offers
    }

    /// Whether a relation is satisfied; of a rich one whether a part of it is.
    pub fn touch(&self, relation: &Relation) -> bool {
        parts(relation).iter().any(|part| self.satisfy(part))
    }

    /// Whether a plain relation is satisfied.
    pub fn satisfy(&self, relation: &Relation) -> bool {
        let name = relation.name.as_str();
        let provided = self.provides.get(name).is_some_and(|list| list.iter().any(|one| relation.satisfied_by(one)));
        provided
            || self.versions.get(name).is_some_and(|list| {
                list.iter().any(|package| {
                    let evr = package.nevra.evr.clone();
                    relation.satisfied_by(&Relation::new(name, pkg::Condition::Equal, evr))
                })
            })
            || (relation.bound.is_none() && self.files.contains(name))
    }

    /// Whether `Obsoletes`, which speak of names, match one of the packages.
    fn named(&self, relation: &Relation) -> bool {
        self.versions.get(relation.name.as_str()).is_some_and(|list| {
            list.iter().any(|package| {
                let evr = package.nevra.evr.clone();
                relation.satisfied_by(&Relation::new(&relation.name, pkg::Condition::Equal, evr))
            })
        })
    }
}

/// The plain relations in a relation.
fn parts(relation: &Relation) -> Vec<Relation> {
    if !relation.is_rich() {
        return vec![relation.clone()];
    }
    solve::Rich::of(relation).map(|rich| rich.relations().into_iter().cloned().collect()).unwrap_or_default()
}

/// The packages of `among` that have a relation in one of `lists` which names a capability of `words` or, where
/// `by_package`, is satisfied by a package that a word means.
pub fn speaking_of(
    sack: &Sack,
    among: &BTreeSet<Place>,
    lists: &[List],
    words: &[String],
    by_package: bool,
) -> BTreeSet<Place> {
    let named: Vec<(Glob, Relation)> = words
        .iter()
        .filter_map(|word| Relation::parse(word).ok())
        .map(|relation| (Glob::new(&relation.name), relation))
        .collect();
    let meant: BTreeSet<Place> = match by_package {
        true => words.iter().flat_map(|word| super::spec::resolve(sack, word, super::spec::Meaning::NAMES)).collect(),
        false => BTreeSet::new(),
    };
    let offers = Offers::new(meant.iter().map(|place| sack.package(*place)));
    let speaks = |place: &Place, list: List| {
        list.of(sack.package(*place)).into_iter().any(|relation| {
            let by_name = parts(relation).iter().any(|part| {
                named.iter().any(|(glob, wanted)| {
                    let same = Relation { name: part.name.clone(), bound: wanted.bound.clone() };
                    glob.matches(&part.name) && (wanted.bound.is_none() || part.satisfied_by(&same))
                })
            });
            by_name || if list == List::Obsoletes { offers.named(relation) } else { offers.touch(relation) }
        })
    };
    among.iter().copied().filter(|place| lists.iter().any(|list| speaks(place, *list))).collect()
}

/// The packages of `among` that depend on `found` over any number of steps, `found` included where it is in `among`.
pub fn recursively(sack: &Sack, among: &BTreeSet<Place>, lists: &[List], found: BTreeSet<Place>) -> BTreeSet<Place> {
    let mut all = found.clone();
    let mut fresh = found;
    while !fresh.is_empty() {
        let offers = Offers::new(fresh.iter().map(|place| sack.package(*place)));
        let speaks = |place: &Place| {
            lists.iter().any(|list| list.of(sack.package(*place)).into_iter().any(|relation| offers.touch(relation)))
        };
        let next: BTreeSet<Place> =
            among.iter().copied().filter(|place| !all.contains(place) && speaks(place)).collect();
        all.extend(&next);
        fresh = next;
    }
    all
}

/// The packages of `among` that satisfy relations in `list` of `of`.
pub fn satisfying(sack: &Sack, among: &BTreeSet<Place>, list: List, of: &BTreeSet<Place>) -> BTreeSet<Place> {
    let mut relations: Vec<Relation> =
        of.iter().flat_map(|place| list.of(sack.package(*place))).flat_map(parts).collect();
    relations.sort();
    relations.dedup();
    relations.iter().flat_map(|relation| sack.providers(relation)).filter(|place| among.contains(place)).collect()
}
