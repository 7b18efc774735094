use std::collections::{BTreeMap, BTreeSet};

use distro::Stage0;
use pkg::Relation;

/// A package that was built: what it really provides and requires.
#[derive(Clone, Debug)]
pub struct BuiltPackage {
    /// Its name.
    pub name: String,
    /// What it provides.
    pub provides: Vec<Relation>,
    /// What it requires to be installed.
    pub requires: Vec<Relation>,
    /// The files that it has.
    pub files: BTreeSet<String>,
}

/// Nothing that was built satisfies a requirement, and stage0 does not stand in for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing provides `{wanted}`, which `{by}` requires in the build root")]
pub struct Unprovided {
    /// The requirement.
    pub wanted: Relation,
    /// The package that has it, or the component that is built.
    pub by: String,
}

/// The packages among `built` that a build root needs for `wanted`: those that provide it, and all that these require,
/// except what stage0 stands in for. Indexes into `built`.
pub fn closure(
    component: &str,
    wanted: &[Relation],
    built: &[BuiltPackage],
    stage0: &Stage0,
) -> Result<BTreeSet<usize>, Unprovided> {
    let mut by_capability: BTreeMap<&str, Vec<(usize, &Relation)>> = BTreeMap::new();
    for (index, package) in built.iter().enumerate() {
        for provided in &package.provides {
            by_capability.entry(&provided.name).or_default().push((index, provided));
        }
    }
    let find = |wanted: &Relation| {
        let named = by_capability.get(wanted.name.as_str()).into_iter().flatten();
        let mut found: Vec<usize> =
            named.filter(|(_, provided)| wanted.satisfied_by(provided)).map(|(index, _)| *index).collect();
        if wanted.name.starts_with('/') {
            found.extend(built.iter().position(|package| package.files.contains(&wanted.name)));
        }
        // The package of that very name before others, then by name.
        found.into_iter().min_by_key(|index| (built[*index].name != wanted.name, built[*index].name.as_str()))
    };
    let mut chosen = BTreeSet::new();
    let mut waiting: Vec<(&Relation, &str)> = wanted.iter().map(|relation| (relation, component)).collect();
    while let Some((wanted, by)) = waiting.pop() {
        // Rich dependencies are conditions on whole systems, which a build root is not.
        if wanted.is_rich() || stage0.stands_in_for(&wanted.name) {
            continue;
        }
        let index = find(wanted).ok_or_else(|| Unprovided { wanted: wanted.clone(), by: by.to_owned() })?;
        if chosen.insert(index) {
            waiting.extend(built[index].requires.iter().map(|relation| (relation, built[index].name.as_str())));
        }
    }
    Ok(chosen)
}
