//! Small random universes: the solver finds a set exactly when trying all sets finds one, and what it finds is right.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]

mod corpus;
mod truth;

use std::collections::BTreeSet;

use pkg::{Condition, Relation};
use proptest::prelude::*;
use solve::{Package, Universe, resolve};
use truth::{provides, right};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "p"];

/// The packages whose bits are set.
fn chosen(packages: &[Package], set: u32) -> Vec<&Package> {
    packages.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1).map(|(_, package)| package).collect()
}

fn obsoletes(new: &Package, old: &Package) -> bool {
    let own = Relation::new(&old.nevra.name, Condition::Equal, old.nevra.evr.clone());
    new != old && new.obsoletes.iter().any(|relation| relation.satisfied_by(&own))
}

fn plain() -> impl Strategy<Value = String> {
    let name = prop::sample::select(NAMES.to_vec());
    let bound = prop::sample::select(vec!["", "", " = 1", " >= 2", " < 2", " > 1"]);
    (name, bound).prop_map(|(name, bound)| format!("{name}{bound}"))
}

fn rich() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["and", "or", "if", "unless"]);
    prop_oneof![
        3 => plain(),
        1 => (plain(), operator, plain()).prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
        1 => (plain(), plain(), plain()).prop_map(|(a, b, c)| format!("({a} if {b} else {c})")),
        1 => (plain(), plain(), plain()).prop_map(|(a, b, c)| format!("({a} unless {b} else {c})")),
        1 => (plain(), plain(), plain()).prop_map(|(a, b, c)| format!("(({a} and {b}) or {c})")),
        1 => (plain(), plain()).prop_map(|(a, b)| format!("({a} with {b})")),
        1 => (plain(), plain()).prop_map(|(a, b)| format!("({a} without {b})")),
    ]
}

fn package() -> impl Strategy<Value = String> {
    let list = |kind: &'static str, most: usize| {
        let item = rich().prop_map(move |relation| format!("  {kind} {relation}\n"));
        prop::collection::vec(item, 0..=most).prop_map(|lines| lines.concat())
    };
    let obsoletes = prop::option::weighted(0.2, plain().prop_map(|relation| format!("  obsoletes {relation}\n")));
    let provides = prop::option::of(prop::sample::select(vec!["p", "p = 1", "p = 2", "d = 3"]));
    let parts =
        (list("requires", 2), list("conflicts", 1), obsoletes, provides, list("recommends", 1), list("supplements", 1));
    (prop::sample::select(NAMES[..4].to_vec()), 1..4, parts).prop_map(|(name, version, parts)| {
        let (requires, conflicts, obsoletes, provides, recommends, supplements) = parts;
        let provides = provides.map_or(String::new(), |provides| format!("  provides {provides}\n"));
        let obsoletes = obsoletes.unwrap_or_default();
        format!("{name}-{version}-1.noarch\n{provides}{requires}{conflicts}{obsoletes}{recommends}{supplements}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn finds_a_set_when_there_is_one(
        texts in prop::collection::vec(package(), 1..9),
        install in prop::collection::vec(rich(), 1..3),
        weak: bool,
    ) {
        let mut packages = corpus::packages(&texts.concat());
        packages.sort_by_key(|package| package.nevra.to_string());
        packages.dedup_by_key(|package| package.nevra.to_string());
        // In a request a name means packages of that name first, which is another question: ask through a package.
        let install: Vec<Relation> = install.iter().map(|text| Relation::parse(text).unwrap()).collect();
        let mut asking = Package::new(pkg::Nevra::parse("asking-1-1.noarch").unwrap());
        asking.requires = install.clone();
        packages.push(asking);
        let asked = [Relation::any("asking")];

        let sets = 0..1_u32 << packages.len();
        let chosen = |set: u32| packages.iter().enumerate().filter(move |(index, _)| set >> index & 1 == 1);
        let possible = sets.clone().any(|set| right(&chosen(set).map(|(_, package)| package).collect::<Vec<_>>(), &asked));

        let universe = Universe::new(packages.clone());
        let mut request = corpus::request(&["asking"]);
        request.weak = weak;
        let solution = resolve(&universe, &request);
        prop_assert_eq!(solution.is_ok(), possible, "{:?}", solution);
        match &solution {
            Ok(solution) => {
                let set: Vec<Package> = solution.packages().map(|id| universe.package(id)).collect();
                let set: Vec<&Package> = set.iter().collect();
                prop_assert!(right(&set, &asked), "{:?} is not right", corpus::names(&universe, solution));
            }
            Err(error) => prop_assert!(!error.facts.is_empty()),
        }

        // The order of the packages does not matter.
        let mut reversed = packages.clone();
        reversed.reverse();
        let other = Universe::new(reversed);
        prop_assert_eq!(&solution, &resolve(&other, &request));

        // The newest version of a name that can be there at all is the one that is chosen.
        for name in packages.iter().map(|package| package.nevra.name.clone()).collect::<BTreeSet<_>>() {
            let possible = |package: &Package| {
                sets.clone().any(|set| {
                    let set: Vec<&Package> = chosen(set).map(|(_, package)| package).collect();
                    set.contains(&package) && right(&set, &[])
                })
            };
            let best = packages.iter().filter(|package| package.nevra.name == name && possible(package)).max_by(|left, right| left.nevra.evr.cmp(&right.nevra.evr));
            let replaced = packages.iter().any(|package| package.nevra.name != name && package.obsoletes.iter().any(|relation| relation.name == name));
            if let (Some(best), false) = (best, replaced) {
                let solution = resolve(&universe, &corpus::request(&[&name])).unwrap();
                let id = universe.named(&name).iter().copied().find(|id| solution.because(*id).is_some());
                prop_assert_eq!(id.map(|id| universe.package(id).nevra.evr.clone()), Some(best.nevra.evr.clone()));
            }
        }
    }

    #[test]
    fn changes_a_machine_when_that_is_possible(
        texts in prop::collection::vec(package(), 1..9),
        machine: prop::sample::Index,
        install in prop::option::of(rich()),
        erase in prop::option::weighted(0.4, prop::sample::select(NAMES[..4].to_vec())),
        protected in prop::option::weighted(0.3, prop::sample::select(NAMES[..4].to_vec())),
        erasing: bool,
        upgrade: bool,
    ) {
        let mut packages = corpus::packages(&texts.concat());
        packages.sort_by_key(|package| package.nevra.to_string());
        packages.dedup_by_key(|package| package.nevra.to_string());
        let mut asking = Package::new(pkg::Nevra::parse("asking-1-1.noarch").unwrap());
        asking.requires = install.iter().map(|text| Relation::parse(text).unwrap()).collect();
        packages.push(asking);
        let asked = [Relation::any("asking")];

        // The machine has some set that holds together, without what is asked for.
        let sets = 0..1_u32 << packages.len();
        let machines: Vec<u32> = {
            let whole = |set: &u32| right(&chosen(&packages, *set), &[]);
            (0..1_u32 << (packages.len() - 1)).filter(whole).collect()
        };
        let machine = *machine.get(&machines);
        for (index, package) in packages.iter_mut().enumerate() {
            package.installed = machine >> index & 1 == 1;
        }

        let mut request = corpus::request(&["asking"]);
        request.erase = erase.iter().map(|name| Relation::any(*name)).collect();
        request.protected = protected.iter().map(|name| Relation::any(*name)).collect();
        request.erasing = if erasing { solve::Allowed::Yes } else { solve::Allowed::No };
        request.upgrade = if upgrade { solve::Upgrade::All } else { solve::Upgrade::AsNeeded };
        let may_erase = erasing || erase.is_some();
        // A name that packages have stands for these, another for what provides it; what replaces them goes with them.
        let erased: Vec<&Package> = packages.iter().filter(|package| {
            erase.is_some_and(|name| {
                let of_name: Vec<&Package> = packages.iter().filter(|other| other.nevra.name == name).collect();
                let provides = provides(package, &Relation::any(name));
                package.nevra.name == name || provides && (of_name.is_empty() || of_name.iter().any(|old| obsoletes(package, old)))
            })
        }).collect();
        let newer = |new: &Package, old: &Package| new.nevra.name == old.nevra.name && new.nevra.evr > old.nevra.evr;
        let allowed = |set: &[&Package]| {
            let goes = |old: &Package| erased.contains(&old);
            // An older version that obsoletes newer ones of its own name is a downgrade, which has to be asked for.
            let replaces = |new: &Package, old: &Package| new.nevra.name != old.nevra.name && obsoletes(new, old);
            let stays = |old: &Package| set.iter().any(|new| *new == old || !new.installed && (newer(new, old) || replaces(new, old)));
            let kept = |old: &Package| set.iter().any(|new| *new == old || !new.installed && newer(new, old));
            let mut installed = packages.iter().filter(|package| package.installed);
            right(set, &asked)
                && !set.iter().any(|package| erased.contains(package))
                && installed.all(|old| {
                    (may_erase || goes(old) || stays(old))
                        && (protected != Some(old.nevra.name.as_str()) || kept(old))
                })
        };
        let possible = sets.clone().any(|set| allowed(&chosen(&packages, set)));

        let universe = Universe::new(packages.clone());
        let solution = resolve(&universe, &request);
        prop_assert_eq!(solution.is_ok(), possible, "{:?}", solution);
        if let Ok(solution) = &solution {
            let nevras: BTreeSet<_> = solution.packages().map(|id| universe.nevra(id)).collect();
            let set: Vec<&Package> = packages.iter().filter(|package| nevras.contains(&package.nevra)).collect();
            prop_assert!(allowed(&set), "{:?} is not right", corpus::names(&universe, solution));
            // Nothing changes that need not: with nothing wanted of it, an installed set stays as it is.
            if install.is_none() && erase.is_none() && !upgrade {
                prop_assert_eq!(solution.removed(), &[]);
            }
        }
    }
}
