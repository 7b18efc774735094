//! Random universes of some dozen packages: libsolv finds a set exactly when we do, and each of both sets is right.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "libsolv is the oracle of this test, no tool"
)]

mod corpus;
mod truth;

use std::process::Command;

use pkg::{Digest, Relation};
use repodata::{Compression, Documents, Entry, Requirement};
use solve::{Package, Universe, resolve};

/// Numbers that look random and are the same each time (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len() as u64) as usize]
    }
}

const NAMES: [&str; 14] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "p", "q"];

fn plain(chance: &mut Chance) -> String {
    let (name, bound) = (chance.of(&NAMES), chance.of(&["", "", "", " = 1", " >= 2", " < 3", " > 1"]));
    format!("{name}{bound}")
}

fn rich(chance: &mut Chance) -> String {
    let mut next = || plain(chance);
    let (left, right, third) = (next(), next(), next());
    match chance.below(12) {
        0 => format!("({left} or {right})"),
        1 => format!("({left} and {right})"),
        2 => format!("({left} if {right})"),
        3 => format!("({left} if {right} else {third})"),
        4 => format!("({left} or {right} or {third})"),
        5 => format!("({left} unless {right})"),
        _ => left,
    }
}

fn universe(chance: &mut Chance) -> Vec<Package> {
    let mut text = String::new();
    for name in &NAMES[..12] {
        for version in 1..2 + chance.below(3) {
            text.push_str(&format!("{name}-{version}-1.noarch\n"));
            for _ in 0..chance.below(3) {
                text.push_str(&format!("  requires {}\n", rich(chance)));
            }
            if chance.below(5) == 0 {
                text.push_str(&format!("  conflicts {}\n", plain(chance)));
            }
            if chance.below(12) == 0 {
                text.push_str(&format!("  obsoletes {}\n", chance.of(&NAMES[..12])));
            }
            if chance.below(4) == 0 {
                text.push_str(&format!("  provides {}\n", chance.of(&["p", "p = 1", "p = 2", "q", "q = 3"])));
            }
            if chance.below(4) == 0 {
                text.push_str(&format!("  recommends {}\n", plain(chance)));
            }
        }
    }
    let mut packages = corpus::packages(&text);
    for package in &mut packages {
        // Of its own name a package obsoletes nothing: libsolv reads that otherwise, and nobody writes it.
        let name = package.nevra.name.clone();
        package.obsoletes.retain(|relation| relation.name != name);
        let own = Relation::new(&name, pkg::Condition::Equal, package.nevra.evr.clone());
        package.provides.push(own);
    }
    packages
}

/// The packages as a primary document.
fn primary(packages: &[Package]) -> Vec<u8> {
    let entries: Vec<Entry> = packages
        .iter()
        .map(|package| {
            let mut told = repodata::Package::new(package.nevra.clone(), Digest::of(package.key.as_bytes()).into());
            told.location = package.nevra.file_name();
            told.provides = package.provides.clone();
            told.requires =
                package.requires.iter().cloned().map(|relation| Requirement { relation, pre: false }).collect();
            told.conflicts = package.conflicts.clone();
            told.obsoletes = package.obsoletes.clone();
            told.recommends = package.recommends.clone();
            Entry::new(&told)
        })
        .collect();
    let documents = Documents::new(&entries, Compression::None, pkg::SourceDateEpoch(1)).unwrap();
    documents.files.into_iter().next().unwrap().1
}

#[test]
fn files_libsolv_finds_a_set_exactly_when_we_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut chance = Chance(0x5eed_cafe_f00d_1234);
    let mut questions = Vec::new();
    for number in 0..60 {
        let packages = universe(&mut chance);
        fs_err::write(folder.path().join(format!("{number}.xml")), primary(&packages)).unwrap();
        let mut requests = String::new();
        for _ in 0..20 {
            let weak = if chance.below(3) == 0 { "-weak " } else { "" };
            let names: Vec<&str> = (0..1 + chance.below(3)).map(|_| chance.of(&NAMES[..12])).collect();
            requests.push_str(&format!("{weak}{}\n", names.join(" ")));
            questions.push((number, packages.clone(), weak.is_empty(), names));
        }
        fs_err::write(folder.path().join(format!("{number}.requests")), requests).unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libsolv.py");
    let output = Command::new("/usr/bin/python3").arg(script).arg(folder.path()).output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) if !String::from_utf8_lossy(&output.stderr).contains("No module named") => {
            panic!("{}", String::from_utf8_lossy(&output.stderr))
        }
        _ => return println!("skipped: python3-solv not installed"),
    };
    let answers = String::from_utf8(output.stdout).unwrap();
    let (mut solvable, mut equal) = (0, 0);
    assert_eq!(answers.lines().count(), questions.len());
    for ((number, packages, weak, names), theirs) in questions.iter().zip(answers.lines()) {
        let universe = Universe::new(packages.clone());
        let mut request = corpus::request(names);
        request.weak = *weak;
        let ours = resolve(&universe, &request);
        let about = format!("universe {number}, {names:?}: ours {ours:?}, theirs {theirs}");
        assert_eq!(ours.is_ok(), theirs != "no", "{about}");
        let Ok(ours) = ours else { continue };
        let mut ours = corpus::names(&universe, &ours);
        ours.sort();
        let asked: Vec<Relation> = names.iter().map(|name| Relation::any(*name)).collect();
        for set in [ours.join(" "), theirs.to_owned()] {
            let there: Vec<&Package> = packages
                .iter()
                .filter(|package| set.split(' ').any(|nevra| nevra == package.nevra.to_string()))
                .collect();
            assert!(truth::right(&there, &asked), "{set} is not right in {about}");
        }
        solvable += 1;
        equal += usize::from(ours.join(" ") == theirs);
    }
    // The rest are choices; were it less than half, the policies would have drifted apart.
    assert!(solvable > 200 && equal * 2 > solvable, "{equal} of {solvable} are equal");
}
