use std::collections::{BTreeMap, BTreeSet};

use pkg::Relation;
use rpm::{DependencyKind, Header};

/// The order in which packages are installed: indexes into `headers`.
///
/// Each package comes after those that it requires. Where packages require each other, requirements of `%pre` and
/// `%post` weigh more than others, as in rpm (`lib/order.cc`); what is then still free goes by name, so that the order
/// depends on the packages alone.
pub fn order(headers: &[&Header]) -> Vec<usize> {
    let providers = Providers::of(headers);
    // What each package waits for: (package, whether a scriptlet needs it).
    let mut waits: Vec<BTreeMap<usize, bool>> = Vec::with_capacity(headers.len());
    for (index, header) in headers.iter().enumerate() {
        let mut wanted = BTreeMap::new();
        let kinds = [DependencyKind::Requires, DependencyKind::Order, DependencyKind::Recommends];
        for dependency in kinds.iter().flat_map(|kind| header.dependencies(*kind)) {
            if dependency.is_rpmlib() {
                continue;
            }
            for provider in providers.of_relation(&dependency.relation) {
                if provider != index {
                    *wanted.entry(provider).or_insert(false) |= dependency.sense.is_pre();
                }
            }
        }
        waits.push(wanted);
    }
    let mut left: BTreeSet<(String, usize)> =
        headers.iter().enumerate().map(|(index, header)| (header.nevra().to_string(), index)).collect();
    let mut done = vec![false; headers.len()];
    let mut ordered = Vec::with_capacity(headers.len());
    while !left.is_empty() {
        // In a circle: the one that waits for the fewest scriptlet needs, then for the fewest others, then by name.
        let next = left
            .iter()
            .min_by_key(|(name, index)| {
                let open = waits[*index].iter().filter(|(other, _)| !done[**other]);
                let (mut hard, mut soft) = (0, 0);
                for (_, is_pre) in open {
                    if *is_pre { hard += 1 } else { soft += 1 }
                }
                (hard, soft, name.clone())
            })
            .cloned();
        let Some(next) = next else { break };
        left.remove(&next);
        done[next.1] = true;
        ordered.push(next.1);
    }
    ordered
}

struct Providers<'a> {
    by_name: BTreeMap<String, Vec<(usize, Relation)>>,
    by_path: BTreeMap<String, usize>,
    headers: &'a [&'a Header],
}

impl<'a> Providers<'a> {
    fn of(headers: &'a [&'a Header]) -> Providers<'a> {
        let mut by_name: BTreeMap<String, Vec<(usize, Relation)>> = BTreeMap::new();
        let mut by_path = BTreeMap::new();
        for (index, header) in headers.iter().enumerate() {
            for provided in header.dependencies(DependencyKind::Provides) {
                by_name.entry(provided.relation.name.clone()).or_default().push((index, provided.relation));
            }
            for path in header.file_paths() {
                by_path.entry(path).or_insert(index);
            }
        }
        Providers { by_name, by_path, headers }
    }

    fn of_relation(&self, wanted: &Relation) -> Vec<usize> {
        if wanted.is_rich() {
            // Every package that a rich dependency names counts, whatever its words between say.
            let words = wanted.name.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
            return words.filter_map(|word| self.headers.iter().position(|header| header.name() == word)).collect();
        }
        let named = self.by_name.get(&wanted.name).into_iter().flatten();
        let mut found: Vec<usize> =
            named.filter(|(_, provided)| wanted.satisfied_by(provided)).map(|(index, _)| *index).collect();
        found.extend(self.by_path.get(&wanted.name));
        found
    }
}
