//! What repositories have that the root has in another version.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::{Place, Sack};

/// Available packages that are newer than an installed one of their name and architecture, which may change from and to
/// `noarch`, and not older than or equal to another. Source: libdnf, `what_upgrades`.
pub fn upgrades(sack: &Sack) -> BTreeSet<Place> {
    replacing(sack, Ordering::Greater)
}

/// The same for older ones.
pub fn downgrades(sack: &Sack) -> BTreeSet<Place> {
    replacing(sack, Ordering::Less)
}

fn replacing(sack: &Sack, wanted: Ordering) -> BTreeSet<Place> {
    let mut found = BTreeSet::new();
    for place in sack.available() {
        let new = &sack.package(place).nevra;
        let mut orders = sack.named(&new.name).iter().filter(|old| sack.is_installed(**old)).filter_map(|old| {
            let old = &sack.package(*old).nevra;
            let fits = old.arch == new.arch || old.arch.as_str() == "noarch" || new.arch.as_str() == "noarch";
            (fits && new.arch.as_str() != "src").then(|| new.evr.cmp(&old.evr))
        });
        let first = orders.next();
        if first == Some(wanted) && orders.all(|order| order == wanted) {
            found.insert(place);
        }
    }
    found
}

/// The installed package that one of a repository takes the place of.
pub fn replaced(sack: &Sack, new: Place) -> Option<Place> {
    let nevra = &sack.package(new).nevra;
    let installed = sack.named(&nevra.name).iter().copied().filter(|old| sack.is_installed(*old));
    installed.filter(|old| fits(&sack.package(*old).nevra.arch, &nevra.arch)).last()
}

fn fits(old: &pkg::Arch, new: &pkg::Arch) -> bool {
    old == new || old.as_str() == "noarch" || new.as_str() == "noarch"
}

/// Installed packages of which there are several versions of one name and architecture.
pub fn duplicates(sack: &Sack) -> BTreeSet<Place> {
    let mut groups: BTreeMap<(&str, &str), Vec<Place>> = BTreeMap::new();
    for place in sack.installed() {
        let nevra = &sack.package(place).nevra;
        groups.entry((&nevra.name, nevra.arch.as_str())).or_default().push(place);
    }
    groups.into_values().filter(|places| places.len() > 1).flatten().collect()
}

/// Installed packages whose name and architecture no repository has.
pub fn extras(sack: &Sack) -> BTreeSet<Place> {
    let is_known = |place: &Place| {
        let nevra = &sack.package(*place).nevra;
        sack.named(&nevra.name)
            .iter()
            .any(|other| !sack.is_installed(*other) && sack.package(*other).nevra.arch == nevra.arch)
    };
    sack.installed().filter(|place| !is_known(place)).collect()
}
