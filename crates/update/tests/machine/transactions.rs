use pkg::Nevra;
use rpm::write::{NewFile, PackageBuilder};
use store::Store;
use update::config::Key;
use update::history::{Action, load, undo};
use update::reasons::{Reason, Reasons};
use update::resolve::{Job, Outcome, resolve};
use update::transaction::{Doing, TransactionError, fetch, lock, run};
use update::{DatabaseFile, Freshness, Machine, sync};

use crate::repository::{AT, Place, write};

pub(crate) fn package(nevra: &str, requires: &[&str]) -> (String, Vec<u8>) {
    let nevra = Nevra::parse(nevra).expect("it names a package");
    let name = nevra.name.clone();
    let text = format!("{nevra}\n");
    let file = nevra.file_name();
    let builder = PackageBuilder::new(nevra, AT).file(&format!("/usr/share/{name}"), NewFile::regular(text.as_str()));
    let builder = requires.iter().fold(builder, |builder, relation| builder.requires(relation));
    (file, builder.build().expect("a package can be made"))
}

/// What a job comes to, and its being done.
pub(crate) fn carry_out(
    job: &Job,
    machine: &Machine<'_>,
    store: &Store,
) -> Result<Outcome, Box<dyn std::error::Error>> {
    let _lock = lock(machine)?;
    let persist = machine.config.folder(Key::PersistDir);
    let reasons = Reasons::load(&persist)?;
    let database = DatabaseFile::read(&machine.config.installroot)?;
    let repositories = vec![sync(&machine.config.repositories[0], &["primary"], Freshness::Refresh, machine)?];
    let outcome = resolve(job, &database.packages()?, &repositories, &reasons, machine)?;
    let files = fetch(&outcome, &repositories, &database, &|_, _| {}, machine)?;
    let doing =
        Doing { command: "test".to_owned(), comment: String::new(), fetched: &|_, _| {}, progress: &|_, _, _| {} };
    run(&outcome, &files, &reasons, &doing, store, machine)?;
    Ok(outcome)
}

pub(crate) fn installed(place: &Place) -> Vec<String> {
    let packages =
        DatabaseFile::read(&place.path("root")).expect("the database can be read").packages().expect("it is sound");
    let mut names: Vec<String> = packages.iter().map(|one| one.package.nevra.to_string()).collect();
    names.sort();
    names
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn host_packages_come_go_and_come_back() {
    let place = Place::new();
    if !place.host.is_privileged() {
        skipped();
        return;
    }
    let store = Store::open(place.path("store")).expect("a store can be made");
    let folder = place.path("repository");
    let old = [package("app-1-1.noarch", &["lib"]), package("lib-1-1.noarch", &[]), package("other-1-1.noarch", &[])];
    write(&folder, &old);
    let config = place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
    let persist = config.folder(Key::PersistDir);
    let go = |job: Job| place.with(&config, true, |machine| carry_out(&job, machine, &store));

    go(Job { install: words(&["app", "other"]), ..Job::default() }).expect("they can be installed");
    assert_eq!(installed(&place), ["app-1-1.noarch", "lib-1-1.noarch", "other-1-1.noarch"]);
    let text = |name: &str| fs_err::read_to_string(place.path("root/usr/share").join(name)).unwrap_or_default();
    assert_eq!(text("app"), "app-1-1.noarch\n");
    let nevra = |text: &str| Nevra::parse(text).expect("it names a package");
    let reasons = Reasons::load(&persist).expect("they can be read");
    assert_eq!(reasons.of(&nevra("lib-1-1.noarch")).map(|known| known.reason), Some(Reason::Dependency));
    assert_eq!(reasons.of(&nevra("app-1-1.noarch")).map(|known| known.reason), Some(Reason::User));

    let new = [package("app-2-1.noarch", &["lib"]), package("lib-1-1.noarch", &[])];
    write(&folder, &[&old[..], &new[..1]].concat());
    let outcome = go(Job { upgrade_all: true, ..Job::default() }).expect("it can be upgraded");
    assert_eq!(outcome.steps.iter().map(|step| step.action).collect::<Vec<_>>(), [Action::Upgrade]);
    assert_eq!(text("app"), "app-2-1.noarch\n");

    // What nobody knows of stays, and a word that means nothing changes nothing.
    fs_err::write(place.path("root/usr/share/own"), "mine").expect("a file can be written");
    assert!(go(Job { install: words(&["nothing"]), ..Job::default() }).is_err());
    go(Job { remove: words(&["app"]), freed: true, ..Job::default() }).expect("it can be removed");
    assert_eq!(installed(&place), ["other-1-1.noarch"]);
    assert_eq!((text("app"), text("own")), (String::new(), "mine".to_owned()));

    let all = load(&persist).expect("the history can be read");
    assert_eq!(all.len(), 3);
    let wanted = undo(&[&all[2]]);
    let exact = wanted.there().map(|(package, reason)| (nevra(package), Some(reason))).collect();
    go(Job { exact, ..Job::default() }).expect("it can be undone");
    assert_eq!(installed(&place), ["app-2-1.noarch", "lib-1-1.noarch", "other-1-1.noarch"]);
    let reasons = Reasons::load(&persist).expect("they can be read");
    assert_eq!(reasons.of(&nevra("lib-1-1.noarch")).map(|known| known.reason), Some(Reason::Dependency));
    go(Job { downgrade: words(&["app"]), ..Job::default() }).expect("it can be downgraded");
    assert_eq!(text("app"), "app-1-1.noarch\n");
}

#[test]
fn host_packages_without_the_right_signature_are_not_installed() {
    let place = Place::new();
    if !place.host.is_privileged() {
        skipped();
        return;
    }
    let store = Store::open(place.path("store")).expect("a store can be made");
    let folder = place.path("repository");
    write(&folder, &[package("app-1-1.noarch", &[])]);
    let config = place.config(&format!("baseurl=file://{}", folder.display()));
    let job = Job { install: words(&["app"]), ..Job::default() };
    let error = place.with(&config, true, |machine| carry_out(&job, machine, &store)).expect_err("it is not signed");
    assert!(error.to_string().contains("it is not signed"), "{error}");
    assert!(installed(&place).is_empty());
    // A package that the repository's index does not tell.
    let config = place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
    fs_err::remove_dir_all(place.path("cache")).expect("it can be removed");
    fs_err::write(folder.join("app-1-1.noarch.rpm"), "another").expect("it can be changed");
    let error = place.with(&config, true, |machine| carry_out(&job, machine, &store)).expect_err("it is another");
    assert!(error.to_string().contains("no mirror gives `app-1-1.noarch.rpm`"), "{error}");
    assert!(installed(&place).is_empty());
}

#[test]
fn host_damaged_packages_are_refused_where_no_signature_is_wanted() {
    let place = Place::new();
    if !place.host.is_privileged() {
        skipped();
        return;
    }
    let store = Store::open(place.path("store")).expect("a store can be made");
    let folder = place.path("repository");
    let (name, sound) = package("app-1-1.noarch", &[]);
    let place_of = b"/usr/share/";
    let header = sound.windows(place_of.len()).position(|bytes| bytes == place_of).expect("the header has it");
    // The index is of the damaged file: only the package's own digests can tell.
    for (what, at, said) in [("header", header + 9, "header"), ("payload", sound.len() - 1, "payload")] {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        write(&folder, &[(name.clone(), damaged)]);
        let config = place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
        let job = Job { install: words(&["app"]), ..Job::default() };
        let error = place.with(&config, true, |machine| carry_out(&job, machine, &store)).expect_err(what);
        // Before the transaction begins, not by the installer in the middle of it.
        assert!(matches!(error.downcast_ref(), Some(TransactionError::Signature { .. })), "{what}: {error}");
        let error = error.to_string();
        assert!(error.contains("app-1-1.noarch") && error.contains(said), "{what}: {error}");
        assert!(installed(&place).is_empty(), "{what}");
        fs_err::remove_dir_all(place.path("cache")).expect("it can be removed");
        fs_err::remove_dir_all(&folder).expect("it can be removed");
    }
}

#[test]
fn host_a_running_system_that_rpm_does_not_manage_is_left_alone() {
    if std::path::Path::new("/").join(install::DATABASE).exists() {
        return;
    }
    let place = Place::new();
    let config = update::config::Config { installroot: "/".into(), ..place.config("baseurl=file:///nowhere") };
    let store = Store::open(place.path("store")).expect("a store can be made");
    let doing = Doing { command: String::new(), comment: String::new(), fetched: &|_, _| {}, progress: &|_, _, _| {} };
    let result = place
        .with(&config, true, |machine| run(&Outcome::default(), &[], &Reasons::default(), &doing, &store, machine));
    assert!(matches!(result, Err(TransactionError::Install(install::InstallError::NoDatabase { .. }))));
}

#[expect(clippy::disallowed_macros, reason = "a test says why it does nothing")]
pub(crate) fn skipped() {
    eprintln!("skipped: owners of files cannot be set without privileges");
}
