//! Advisories of repositories (updateinfo), and which packages they speak of.
//!
//! Source: libdnf5, `AdvisoryQuery` and `PackageQuery::filter_latest_unresolved_advisories`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use repodata::updateinfo;

pub use repodata::updateinfo::{Advisory, FixedPackage, Reference};

use crate::sack::SackError;
use crate::{Machine, Place, Sack, Synced};

/// All advisories of some repositories, by name; one that several repositories have alike is there once.
pub fn load(repositories: &[Synced], machine: &Machine<'_>) -> Result<Vec<Advisory>, SackError> {
    let mut all: Vec<Advisory> = Vec::new();
    for synced in repositories {
        let Some(text) = synced.document("updateinfo", machine)? else { continue };
        let wrong = |cause| SackError::Document { id: synced.repository.id.clone(), kind: "updateinfo", cause };
        all.extend(updateinfo::read(text.as_slice()).map_err(wrong)?);
    }
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all.dedup();
    Ok(all)
}

/// Which advisories are meant: those that any of these lists names. An empty choice means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Names.
    pub names: Vec<String>,
    /// `security`, `bugfix`, `enhancement`, `newpackage`.
    pub kinds: Vec<String>,
    /// Severities, in any case.
    pub severities: Vec<String>,
    /// Numbers of bugs.
    pub bugs: Vec<String>,
    /// Numbers of CVEs.
    pub cves: Vec<String>,
}

impl Choice {
    /// Whether all are meant.
    pub fn is_empty(&self) -> bool {
        *self == Choice::default()
    }

    /// The advisories that are meant.
    pub fn of<'a>(&self, all: &'a [Advisory]) -> Vec<&'a Advisory> {
        all.iter().filter(|advisory| self.is_empty() || self.means(advisory)).collect()
    }

    fn means(&self, advisory: &Advisory) -> bool {
        self.names.contains(&advisory.id)
            || self.kinds.contains(&advisory.kind)
            || self.severities.iter().any(|severity| severity.eq_ignore_ascii_case(&advisory.severity))
            || self.bugs.iter().any(|id| refers(advisory, "bugzilla", id))
            || self.cves.iter().any(|id| refers(advisory, "cve", id))
    }

    /// What was named and is in no advisory, a sentence each.
    pub fn unmet(&self, all: &[Advisory]) -> Vec<String> {
        let none = |ids: &[String], has: &dyn Fn(&Advisory, &str) -> bool| {
            !ids.is_empty() && !all.iter().any(|advisory| ids.iter().any(|id| has(advisory, id)))
        };
        let mut unmet = Vec::new();
        let words = |ids: &[String]| ids.join(", ");
        if none(&self.names, &|advisory, id| advisory.id == id) {
            unmet.push(format!("no advisory found matching the requested name: \"{}\"", words(&self.names)));
        }
        if none(&self.bugs, &|advisory, id| refers(advisory, "bugzilla", id)) {
            unmet.push(format!("no advisory found fixing the Bugzilla ID: \"{}\"", words(&self.bugs)));
        }
        if none(&self.cves, &|advisory, id| refers(advisory, "cve", id)) {
            unmet.push(format!("no advisory found fixing the CVE ID: \"{}\"", words(&self.cves)));
        }
        unmet
    }
}

fn refers(advisory: &Advisory, kind: &str, id: &str) -> bool {
    advisory.references.iter().any(|reference| reference.kind == kind && reference.id == id)
}

/// A package that an advisory names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fix<'a> {
    /// The advisory.
    pub advisory: &'a Advisory,
    /// The package.
    pub package: &'a FixedPackage,
}

/// All packages that advisories name, by name and architecture.
fn fixes<'a>(advisories: &[&'a Advisory]) -> BTreeMap<(&'a str, &'a str), Vec<Fix<'a>>> {
    let mut fixes: BTreeMap<(&str, &str), Vec<Fix<'_>>> = BTreeMap::new();
    for advisory in advisories {
        for package in advisory.collections.iter().flat_map(|collection| &collection.packages) {
            let key = (package.nevra.name.as_str(), package.nevra.arch.as_str());
            fixes.entry(key).or_default().push(Fix { advisory, package });
        }
    }
    fixes
}

/// What advisories name whose version compares so with that of one of `places` of its name and architecture; by name,
/// architecture, version.
pub fn compared<'a>(
    advisories: &[&'a Advisory],
    sack: &Sack,
    places: &BTreeSet<Place>,
    wanted: impl Fn(Ordering) -> bool,
) -> Vec<Fix<'a>> {
    let mut found = Vec::new();
    for ((name, arch), list) in fixes(advisories) {
        let ours: Vec<&pkg::Nevra> = sack
            .named(name)
            .iter()
            .filter(|place| places.contains(place))
            .map(|place| &sack.package(*place).nevra)
            .filter(|nevra| nevra.arch.as_str() == arch)
            .collect();
        let is_wanted = |fix: &Fix<'_>| ours.iter().any(|own| wanted(fix.package.nevra.evr.cmp(&own.evr)));
        let mut list: Vec<Fix<'_>> = list.into_iter().filter(is_wanted).collect();
        list.sort_by(|one, other| {
            (&one.package.nevra.evr, &one.advisory.id).cmp(&(&other.package.nevra.evr, &other.advisory.id))
        });
        list.dedup();
        found.extend(list);
    }
    found
}

/// The packages of `places` that are what an advisory names, or newer.
pub fn at_least(advisories: &[&Advisory], sack: &Sack, places: &BTreeSet<Place>) -> BTreeSet<Place> {
    let fixes = fixes(advisories);
    retained(sack, places, |nevra, list| list.iter().any(|fix| nevra.evr >= fix.package.nevra.evr), &fixes)
}

/// The packages of `places` that bring all that advisories name and that is not installed yet: per name and architecture
/// the newest of that counts.
pub fn resolving(advisories: &[&Advisory], sack: &Sack, places: &BTreeSet<Place>) -> BTreeSet<Place> {
    let mut fixes = fixes(advisories);
    for ((name, arch), list) in &mut fixes {
        let newest = sack
            .named(name)
            .iter()
            .filter(|place| sack.is_installed(**place))
            .map(|place| &sack.package(*place).nevra)
            .filter(|nevra| nevra.arch.as_str() == *arch)
            .map(|nevra| &nevra.evr)
            .max();
        list.retain(|fix| newest.is_none_or(|newest| *newest < fix.package.nevra.evr));
    }
    let brings = |nevra: &pkg::Nevra, list: &[Fix<'_>]| {
        list.iter().map(|fix| &fix.package.nevra.evr).max().is_some_and(|latest| nevra.evr >= *latest)
    };
    retained(sack, places, brings, &fixes)
}

fn retained(
    sack: &Sack,
    places: &BTreeSet<Place>,
    fits: impl Fn(&pkg::Nevra, &[Fix<'_>]) -> bool,
    fixes: &BTreeMap<(&str, &str), Vec<Fix<'_>>>,
) -> BTreeSet<Place> {
    let of = |place: &Place| {
        let nevra = &sack.package(*place).nevra;
        fixes.get(&(nevra.name.as_str(), nevra.arch.as_str())).is_some_and(|list| fits(nevra, list))
    };
    places.iter().copied().filter(of).collect()
}

/// When an advisory was issued, or changed last: seconds since 1970. A date that is written otherwise than
/// `YYYY-MM-DD[ HH:MM:SS]` or as seconds is none.
pub fn issued(advisory: &Advisory) -> u64 {
    [&advisory.issued, &advisory.updated].into_iter().filter_map(|date| seconds(date)).max().unwrap_or(0)
}

fn seconds(date: &str) -> Option<u64> {
    let date = date.trim();
    if let Ok(seconds) = date.parse() {
        return Some(seconds);
    }
    let (day, time) = date.split_once([' ', 'T']).unwrap_or((date, "00:00:00"));
    let numbers = |text: &str, separator: char| -> Option<Vec<u64>> {
        text.split(separator).map(|part| part.parse().ok()).collect()
    };
    let (day, time) = (numbers(day, '-')?, numbers(time.trim_end_matches(" UTC").trim_end_matches('Z'), ':')?);
    let ([year, month, day], [hour, minute, second]) = (day.as_slice(), time.as_slice()) else { return None };
    let is_time = *hour < 24 && *minute < 60 && *second < 61;
    let days = crate::history::days(*year, *month, *day)?;
    is_time.then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use pkg::Nevra;
    use repodata::updateinfo::Collection;
    use repodata::{Algorithm, Checksum, Package};

    use super::*;
    use crate::reasons::Reason;
    use crate::{Candidate, Origin};

    fn advisory(id: &str, kind: &str, severity: &str, packages: &[&str]) -> Advisory {
        let package = |nevra: &&str| FixedPackage {
            nevra: Nevra::parse(nevra).unwrap(),
            source: String::new(),
            file_name: String::new(),
            checksum: None,
            reboot: false,
            restart: false,
            relogin: false,
        };
        let collection = Collection { packages: packages.iter().map(package).collect(), ..Collection::default() };
        Advisory {
            id: id.to_owned(),
            kind: kind.to_owned(),
            severity: severity.to_owned(),
            references: vec![Reference { id: format!("CVE-{id}"), kind: "cve".to_owned(), ..Reference::default() }],
            collections: vec![collection],
            ..Advisory::default()
        }
    }

    fn sack(installed: &[&str], others: &[&str]) -> Sack {
        let package = |nevra: &str| {
            let checksum = Checksum::new(Algorithm::parse("sha256").unwrap(), "0".repeat(64)).unwrap();
            Package::new(Nevra::parse(nevra).unwrap(), checksum)
        };
        let there = Origin::Installed { time: 1, reason: Reason::User, from: String::new(), number: 1 };
        let all = installed.iter().map(|nevra| Candidate { package: package(nevra), origin: there.clone() });
        let other = Origin::File { path: "/x".into() };
        let others = others.iter().map(|nevra| Candidate { package: package(nevra), origin: other.clone() });
        Sack::new(all.chain(others).collect(), Vec::new())
    }

    fn names(sack: &Sack, places: &BTreeSet<Place>) -> Vec<String> {
        places.iter().map(|place| sack.package(*place).nevra.to_string()).collect()
    }

    #[test]
    fn choices_join_what_they_name() {
        let all = [
            advisory("1", "security", "Important", &[]),
            advisory("2", "bugfix", "", &[]),
            advisory("3", "x", "", &[]),
        ];
        let of = |choice: Choice| choice.of(&all).iter().map(|one| one.id.clone()).collect::<Vec<_>>().join(" ");
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(of(Choice::default()), "1 2 3");
        assert_eq!(of(Choice { kinds: list(&["bugfix"]), names: list(&["3"]), ..Choice::default() }), "2 3");
        assert_eq!(of(Choice { severities: list(&["important"]), ..Choice::default() }), "1");
        let cves = Choice { cves: list(&["CVE-2", "CVE-9"]), ..Choice::default() };
        assert!(cves.unmet(&all).is_empty());
        assert_eq!(of(cves), "2");
        let unmet = Choice { cves: list(&["CVE-9"]), ..Choice::default() }.unmet(&all);
        assert_eq!(unmet, ["no advisory found fixing the CVE ID: \"CVE-9\""]);
    }

    #[test]
    fn the_newest_fix_that_is_not_installed_counts() {
        let one = advisory("1", "security", "", &["a-2-1.noarch", "b-1-1.noarch"]);
        let two = advisory("2", "bugfix", "", &["a-3-1.noarch"]);
        let sack =
            sack(&["a-1-1.noarch", "b-1-1.noarch"], &["a-2-1.noarch", "a-3-1.noarch", "a-4-1.noarch", "b-2-1.noarch"]);
        let places: BTreeSet<Place> = sack.available().collect();
        assert_eq!(names(&sack, &resolving(&[&one, &two], &sack, &places)), ["a-3-1.noarch", "a-4-1.noarch"]);
        assert_eq!(names(&sack, &resolving(&[&one], &sack, &places)).len(), 3);
        assert_eq!(names(&sack, &at_least(&[&one], &sack, &places)).len(), 4);
        let installed = sack.installed().collect();
        let open = compared(&[&one, &two], &sack, &installed, Ordering::is_gt);
        let open: Vec<String> = open.iter().map(|fix| fix.package.nevra.to_string()).collect();
        assert_eq!(open, ["a-2-1.noarch", "a-3-1.noarch"]);
        assert_eq!(compared(&[&one, &two], &sack, &installed, Ordering::is_le).len(), 1);
    }

    #[test]
    fn dates_are_seconds_or_days() {
        for (date, time) in [
            ("1772500000", Some(1_772_500_000)),
            ("2026-03-05 10:00:00", Some(1_772_704_800)),
            ("2026-04-01", Some(1_775_001_600)),
            ("2026-13-01", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(seconds(date), time, "{date}");
        }
    }
}
