//! Transactions on a root that is in use, ended at every change of the file system that they make.

use std::path::{Path, PathBuf};

use install::live::{Changed, Durability, Fault, Faults, Live, Recovered, Remember, change_live, recover};
use install::{Change, DATABASE, InstallError, Options, PackageFile};
use pkg::{Nevra, Relation};
use rpm::write::{NewFile, PackageBuilder};
use rpm::{FileFlags, ScriptletKind};
use testkit::packages::{AT, filesystem, shell};

use crate::oracle;
use crate::yard::{Yard, listing};

/// A root in a folder, treated as one that is in use.
struct Place<'a> {
    yard: &'a Yard,
    root: PathBuf,
}

fn version(name: &str, version: &str) -> PackageBuilder {
    PackageBuilder::new(Nevra::parse(&format!("{name}-{version}-1.noarch")).unwrap(), AT)
}

/// Whether owners can be given to files; says why not.
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn is_root() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("skipped: not root, who alone gives files to others");
    }
    is_root
}

impl<'a> Place<'a> {
    /// A root with an empty database.
    fn new(yard: &'a Yard) -> Place<'a> {
        let root = yard.folder.path().join("live");
        let database = root.join(DATABASE);
        fs_err::create_dir_all(database.parent().unwrap()).unwrap();
        fs_err::write(&database, rpm::db::write([]).unwrap()).unwrap();
        Place { yard, root }
    }

    fn live<'l>(&'l self, faults: &'l Faults) -> Live<'l> {
        Live { durability: Durability::Process, ..Live::new(&self.root, faults) }
    }

    fn change(&self, change: &Change, faults: &Faults) -> Result<Changed, InstallError> {
        let mut change = change.clone();
        change.allow.dependencies = true;
        let options = Options { at: AT, is_excluded: &|_| false, progress: &|_, _, _| {} };
        let remember = Remember { memo: &|_| "memo".to_owned(), keep: &|_| Ok(()) };
        change_live(&self.live(faults), &change, &options, &remember, &self.yard.host, &self.yard.store)
    }

    fn recover(&self, faults: &Faults) -> Result<Recovered, InstallError> {
        recover(&self.live(faults), &|_| Ok(()), AT, &self.yard.host, &self.yard.store)
    }

    /// All that is in the root but the database's bytes, and the packages that the database has.
    fn state(&self) -> String {
        let mut lines = listing(&oracle::read(&self.root));
        lines.retain(|path, _| !path.contains("rpmdb.sqlite"));
        // Times of directories are nobody's; the listing has none.
        let database = rpm::db::snapshot(&self.root.join(DATABASE)).unwrap();
        let packages = rpm::db::read(&database).unwrap();
        let packages: Vec<String> =
            packages.iter().map(|package| format!("{} {}", package.number, package.header.nevra())).collect();
        format!("{lines:#?}\n{packages:#?}")
    }

    fn copy(&self, to: &Path) {
        let done = host::Cmd::new(host::Tool::Shell).args(["-c", "rm -rf \"$1\" && cp -a \"$0\" \"$1\""]);
        self.yard.host.check(&done.arg(&self.root).arg(to)).unwrap();
    }
}

fn upgrade(files: Vec<PackageFile>) -> Change {
    Change { upgrade: files, ..Change::default() }
}

fn config() -> FileFlags {
    FileFlags::CONFIG
}

/// Two versions of a package with all that files can be and become.
fn before() -> PackageBuilder {
    version("app", "1")
        .file("/etc/app.conf", NewFile::regular("one\n").flags(config()))
        .file("/etc/kept.conf", NewFile::regular("one\n").flags(config().and(FileFlags::NOREPLACE)))
        .file("/usr/bin/app", NewFile::regular("app one\n").mode(0o4755))
        .file("/usr/lib/app", NewFile::directory())
        .file("/usr/lib/app/gone", NewFile::regular("gone\n"))
        .file("/usr/lib/app/link", NewFile::symlink("gone"))
        .file("/usr/lib/app/empty", NewFile::directory())
}

fn after() -> PackageBuilder {
    version("app", "2")
        .file("/etc/app.conf", NewFile::regular("two\n").flags(config()))
        .file("/etc/kept.conf", NewFile::regular("two\n").flags(config().and(FileFlags::NOREPLACE)))
        .file("/usr/bin/app", NewFile::regular("app two\n").mode(0o755))
        .file("/usr/lib/app", NewFile::directory())
        .file("/usr/lib/app/link", NewFile::regular("no link any more\n"))
        .file("/usr/lib/app/new", NewFile::directory())
        .file("/usr/lib/app/new/file", NewFile::regular("new\n"))
        .file("/usr/lib/app/new/link", NewFile::symlink("file"))
}

/// Lets `change` end at each of its changes of the file system, in each way; the root is what it was or what it is to be.
fn at_every_change(place: &Place<'_>, change: &Change) {
    let start = place.yard.folder.path().join("start");
    place.copy(&start);
    let old = place.state();
    let faults = Faults::none();
    place.change(change, &faults).unwrap();
    let (new, count) = (place.state(), faults.count());
    assert_ne!(old, new);
    assert!(count > 20, "{count} changes");
    let (mut taken_back, mut finished) = (0, 0);
    for fault in [Fault::Death, Fault::Torn, Fault::NoSpace] {
        for at in 0..count {
            Place { yard: place.yard, root: start.clone() }.copy(&place.root);
            let what = format!("{fault:?} at {at} of {count}");
            let done = place.change(change, &Faults::at(at, fault));
            if fault != Fault::NoSpace {
                // What is only torn after the last change is done.
                let is_last = fault == Fault::Torn && at + 1 == count;
                assert!(done.is_err() || is_last, "{what}: it went on");
                // The one who recovers is cut off as well, at first.
                let _ = place.recover(&Faults::at(at % 7, Fault::Death));
            }
            match place.recover(&Faults::none()).unwrap_or_else(|error| panic!("{what}: {error}")) {
                Recovered::TakenBack => taken_back += 1,
                Recovered::Finished => finished += 1,
                Recovered::Nothing => {}
            }
            let found = place.state();
            assert!(found == old || found == new, "{what}: neither old nor new\n{found}\nold {old}\nnew {new}");
            if done.is_ok() {
                assert_eq!(found, new, "{what}");
            }
        }
    }
    assert!(taken_back > 10 && finished > 3, "{taken_back} were taken back, {finished} finished");
}

#[test]
fn host_an_upgrade_is_there_as_a_whole_or_not_at_all() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let place = Place::new(&yard);
    place.change(&upgrade(yard.files(vec![filesystem(), before()])), &Faults::none()).unwrap();
    fs_err::write(place.root.join("etc/app.conf"), "mine\n").unwrap();
    fs_err::write(place.root.join("etc/kept.conf"), "mine\n").unwrap();
    at_every_change(&place, &upgrade(yard.files(vec![after()])));
    let text = |path: &str| fs_err::read_to_string(place.root.join(path)).unwrap();
    assert_eq!((text("etc/app.conf.rpmsave"), text("etc/kept.conf.rpmnew")), ("mine\n".to_owned(), "two\n".to_owned()));
}

#[test]
fn host_an_installation_is_there_as_a_whole_or_not_at_all() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let place = Place::new(&yard);
    place.change(&upgrade(yard.files(vec![filesystem()])), &Faults::none()).unwrap();
    at_every_change(&place, &upgrade(yard.files(vec![before(), testkit::packages::links()])));
}

#[test]
fn host_an_erasure_is_there_as_a_whole_or_not_at_all() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let place = Place::new(&yard);
    place.change(&upgrade(yard.files(vec![filesystem(), before()])), &Faults::none()).unwrap();
    fs_err::write(place.root.join("etc/app.conf"), "mine\n").unwrap();
    at_every_change(&place, &Change { erase: vec![Relation::any("app")], ..Change::default() });
}

#[test]
fn host_a_pre_that_fails_leaves_its_package_as_it_was() {
    let (true, Ok(busybox)) = (is_root(), fs_err::read("/bin/busybox")) else { return };
    let yard = Yard::new();
    let place = Place::new(&yard);
    place.change(&upgrade(yard.files(vec![filesystem(), shell(&busybox), before()])), &Faults::none()).unwrap();
    let old = place.state();
    let failing = after().scriptlet(ScriptletKind::Pre, "/bin/sh", "echo no; exit 3");
    let done = place.change(&upgrade(yard.files(vec![failing])), &Faults::none()).unwrap();
    assert_eq!(done.failed, ["app-1-1.noarch", "app-2-1.noarch"]);
    assert!(done.notes.iter().any(|note| note.contains("%pre") && note.contains("no")), "{:?}", done.notes);
    assert_eq!(place.state(), old);
}

#[test]
fn host_rpm_agrees_with_a_live_root() {
    let yard = Yard::new();
    if !is_root() || !oracle::can_ask(&yard.host) {
        return;
    }
    let place = Place::new(&yard);
    place.change(&upgrade(yard.files(vec![filesystem(), before()])), &Faults::none()).unwrap();
    place.change(&upgrade(yard.files(vec![after()])), &Faults::none()).unwrap();
    let (good, said) = oracle::ask(&yard.host, &place.root, &["-Va", "--nodeps"]);
    assert!(good && said.is_empty(), "{said:?}");
    let (good, said) = oracle::verify_database(&yard.host, &place.root);
    assert!(good, "{said:?}");
    // A database that is missing is not ours to make.
    fs_err::remove_file(place.root.join(DATABASE)).unwrap();
    let error = place.change(&Change::default(), &Faults::none()).unwrap_err();
    assert!(matches!(error, InstallError::NoDatabase { .. }), "{error}");
}
