//! Universes as text, for tests.
//!
//! ```text
//! app-1-1.x86_64
//!   requires libz.so.1 >= 2
//!   file /usr/bin/app
//!   installed
//! ```

use pkg::{Arch, Nevra, Relation};
use solve::{Package, Request, Solution, Universe};

pub(crate) fn packages(text: &str) -> Vec<Package> {
    let mut packages: Vec<Package> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Some(line) = line.strip_prefix("  ") else {
            packages.push(Package::new(Nevra::parse(line).unwrap()));
            continue;
        };
        let package = packages.last_mut().unwrap();
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let relation = || Relation::parse(rest).unwrap();
        match kind {
            "provides" => package.provides.push(relation()),
            "requires" => package.requires.push(relation()),
            "conflicts" => package.conflicts.push(relation()),
            "obsoletes" => package.obsoletes.push(relation()),
            "recommends" => package.recommends.push(relation()),
            "suggests" => package.suggests.push(relation()),
            "supplements" => package.supplements.push(relation()),
            "enhances" => package.enhances.push(relation()),
            "file" => package.files.push(rest.to_owned()),
            "priority" => package.priority = rest.parse().unwrap(),
            "cost" => package.cost = rest.parse().unwrap(),
            "vendor" => package.vendor = rest.to_owned(),
            "installed" => package.installed = true,
            "dependency" => package.reason = solve::Reason::Dependency,
            _ => panic!("`{kind}` is no part of a package"),
        }
    }
    packages
}

pub(crate) fn request(install: &[&str]) -> Request {
    Request::new(Arch::new("x86_64")).install(install.iter().map(|text| Relation::parse(text).unwrap()))
}

pub(crate) fn names(universe: &Universe, solution: &Solution) -> Vec<String> {
    solution.packages().map(|id| universe.package(id).nevra.to_string()).collect()
}
