use pkg::Nevra;
use repodata::comps::{self, GroupPackage, Label, PackageKind};

use super::installed::file;
use super::*;
use crate::reasons::{Known, Reason, Reasons};

fn group(id: &str, packages: &[(&str, PackageKind)]) -> comps::Group {
    let packages = packages.iter().map(|(name, kind)| GroupPackage { name: (*name).to_owned(), kind: kind.clone() });
    let label = Label { id: id.to_owned(), name: format!("Name of {id}"), ..Label::default() };
    comps::Group { label, packages: packages.collect(), ..comps::Group::default() }
}

fn available() -> Available {
    let conditional = PackageKind::Conditional("other".to_owned());
    let base = [
        ("app", PackageKind::Mandatory),
        ("tool", PackageKind::Default),
        ("opt", PackageKind::Optional),
        ("cond", conditional),
    ];
    let environment = comps::Environment {
        label: Label { id: "server".to_owned(), name: "Server".to_owned(), ..Label::default() },
        groups: vec!["base".to_owned()],
        options: vec![("more".to_owned(), true), ("rest".to_owned(), false)],
    };
    let groups = vec![group("base", &base), group("more", &[("tool", PackageKind::Mandatory)])];
    let mut all = Available::default();
    all.add("r", Comps { groups, environments: vec![environment], ..Comps::default() });
    all
}

fn ask(install: &[&str], remove: &[&str], upgrade: &[&str]) -> Asked {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Asked { install: words(install), remove: words(remove), upgrade: words(upgrade), ..Asked::default() }
}

/// Does what is planned: every package comes for its group.
fn carry_out(asked: &Asked, all: &Available, installed: &mut InstalledGroups, reasons: &mut Reasons) -> Plan {
    let mut plan = plan(asked, all, installed);
    for (name, condition) in &plan.install {
        let nevra = Nevra::parse(&format!("{name}-1-1.noarch")).unwrap();
        if condition.is_none() && reasons.of(&nevra).is_none() {
            reasons.set(&nevra, Known { reason: Reason::Group, from: "r".to_owned() });
        }
    }
    installed.apply(&mut plan.changes, reasons);
    plan
}

#[test]
fn groups_come_and_go_with_their_packages() {
    let (all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
    let done = carry_out(&ask(&["name of B*"], &[], &[]), &all, &mut installed, &mut reasons);
    let wanted = |name: &str| (name.to_owned(), None);
    assert_eq!(done.install, [wanted("app"), wanted("tool"), ("cond".to_owned(), Some("other".to_owned()))]);
    assert_eq!(installed.groups["base"].packages.iter().collect::<Vec<_>>(), ["app", "tool"]);
    carry_out(&ask(&["more"], &[], &[]), &all, &mut installed, &mut reasons);
    // `tool` belongs to the other group, too, and stays.
    let done = carry_out(&ask(&[], &["base"], &[]), &all, &mut installed, &mut reasons);
    assert_eq!(done.remove, ["app"]);
    assert_eq!(installed.groups.keys().collect::<Vec<_>>(), ["more"]);
    assert_eq!(done.changes[0].reversed().action(), "Install");
    let done = plan(&ask(&["nothing"], &["base"], &["nothing"]), &all, &installed);
    assert_eq!((done.unknown.len(), done.notes.len(), done.changes.len()), (2, 1, 0));
}

#[test]
fn environments_bring_groups_and_take_those_that_nobody_asked_for() {
    let (all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
    carry_out(&ask(&["more"], &[], &[]), &all, &mut installed, &mut reasons);
    let done = carry_out(&ask(&["server"], &[], &[]), &all, &mut installed, &mut reasons);
    assert_eq!(done.notes, ["group `more` is already installed"]);
    assert_eq!(installed.environments["server"].groups.iter().collect::<Vec<_>>(), ["base", "more"]);
    assert_eq!(installed.groups["base"].reason, Reason::Dependency);
    let done = carry_out(&ask(&[], &["server"], &[]), &all, &mut installed, &mut reasons);
    assert_eq!(done.remove, ["app"]);
    assert_eq!(installed.groups.keys().collect::<Vec<_>>(), ["more"]);
    assert!(installed.environments.is_empty());
}

#[test]
fn an_upgrade_brings_what_is_new_in_a_group() {
    let (mut all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
    carry_out(&ask(&["base"], &[], &[]), &all, &mut installed, &mut reasons);
    let new = GroupPackage { name: "new".to_owned(), kind: PackageKind::Mandatory };
    all.groups[0].0.packages.push(new);
    let done = carry_out(&ask(&[], &[], &["base"]), &all, &mut installed, &mut reasons);
    assert_eq!(done.install, [("new".to_owned(), None)]);
    assert_eq!(done.changes[0].action(), "Upgrade");
    assert!(installed.groups["base"].packages.contains("new"));
    // Once more there is nothing to do.
    assert!(plan(&ask(&[], &[], &["base"]), &all, &installed).changes.is_empty());
}

#[test]
fn files_what_is_installed_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let (all, mut installed, mut reasons) = (available(), InstalledGroups::default(), Reasons::default());
    carry_out(&ask(&["server"], &[], &[]), &all, &mut installed, &mut reasons);
    installed.save(folder.path()).unwrap();
    assert_eq!(InstalledGroups::load(folder.path()).unwrap(), installed);
    fs_err::write(file(folder.path()), "[").unwrap();
    assert!(InstalledGroups::load(folder.path()).unwrap_err().to_string().contains("groups.json"));
}
