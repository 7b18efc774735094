use std::path::Path;

use pkg::Nevra;
use repodata::{Checksum, Package};

use super::*;
use crate::history::Action;
use crate::reasons::Reason;
use crate::reasons::Reasons;
use crate::resolve::{Incoming, Step};

fn installed(nevra: &str) -> Installed {
    let nevra = Nevra::parse(nevra).unwrap();
    let checksum = Checksum::from(Digest::of(nevra.to_string().as_bytes()));
    Installed { package: Package::new(nevra, checksum), install_time: 0, number: 1 }
}

/// A package's file, and an outcome that installs it.
fn install(folder: &Path, nevra: &str) -> (Outcome, Vec<PackageFile>, Vec<Change>) {
    let nevra = Nevra::parse(nevra).unwrap();
    let path = folder.join(nevra.file_name());
    let bytes = rpm::write::PackageBuilder::new(nevra.clone(), testkit::packages::AT).build().unwrap();
    fs_err::write(&path, &bytes).unwrap();
    let new = Incoming {
        nevra: nevra.clone(),
        repository: "base".to_owned(),
        from: Some(0),
        location: String::new(),
        checksum: String::new(),
        size: 0,
        installed_size: 0,
    };
    let (action, reason) = (Action::Install, Reason::User);
    let step = Step { action, new: Some(new), old: Vec::new(), reason, unneeded: false, beside: false };
    let change = Change { action, package: nevra.to_string(), repository: "base".to_owned(), reason };
    let outcome = Outcome { steps: vec![step], ..Outcome::default() };
    (outcome, vec![PackageFile { path, digest: Digest::of(&bytes) }], vec![change])
}

#[test]
fn files_what_is_stored_reads_back_as_it_was_resolved() {
    let persist = tempfile::tempdir().unwrap();
    let folder = Folder::of(persist.path());
    assert_eq!(folder.state().unwrap(), None);
    let there = [installed("other-1-1.noarch")];
    let (outcome, files, changes) = install(persist.path(), "app-1-1.noarch");
    let about = About { command: "install app".to_owned(), time: 7, ..About::default() };
    let state = folder.store(&outcome, &files, &changes, &there, about).unwrap();
    assert_eq!(folder.state().unwrap().as_ref(), Some(&state));
    assert_eq!((state.status, state.time, state.files.len()), (Status::DownloadComplete, 7, 2));
    let items = folder.check(&state, &there).unwrap();
    let again = stored::outcome(&items, &[], &there, &Reasons::default(), &folder.transaction_file()).unwrap();
    let new = again.steps[0].new.clone().unwrap();
    assert_eq!((new.nevra.to_string().as_str(), new.repository.as_str()), ("app-1-1.noarch", "base"));
    assert!(new.location.ends_with("offline/packages/app-1-1.noarch.rpm"), "{}", new.location);

    // Another set of installed packages, in whatever order, and one with the same names but another header.
    let more = [installed("app-1-1.noarch"), installed("other-1-1.noarch")];
    let error = folder.check(&state, &more).unwrap_err().to_string();
    assert!(error.contains("other packages are installed") && error.contains("`app-1-1.noarch` is installed already"));
    let mut other = there.clone();
    other[0].package.checksum = Checksum::from(Digest::of(b"another"));
    assert!(matches!(folder.check(&state, &other), Err(OfflineError::Changed(_))));
    let turned = [more[1].clone(), more[0].clone()];
    assert_eq!(installed_digest(&more), installed_digest(&turned));

    // A package without a digest is none that was checked.
    let mut without = state.clone();
    without.files.retain(|file| file.path == stored::FILE);
    assert!(
        folder.check(&without, &there).unwrap_err().to_string().contains("no digest of the package `app-1-1.noarch`")
    );
    // A file that changed under its digest when it was stored.
    fs_err::write(&files[0].path, "another").unwrap();
    let error = folder.store(&outcome, &files, &changes, &there, About::default()).unwrap_err().to_string();
    assert!(error.contains("is not what was stored"), "{error}");
    assert_eq!(folder.state().unwrap(), None, "nothing waits then");
    assert_eq!(folder.clean().unwrap(), 1);
    assert!(!folder.path().exists());
}

#[test]
fn files_the_link_is_ours_or_not() {
    let root = tempfile::tempdir().unwrap();
    let persist = root.path().join("var/lib/slipway/dnf");
    let folder = Folder::of(&persist);
    assert_eq!(link::ours(root.path()).unwrap(), None);
    fs_err::create_dir_all(folder.path()).unwrap();
    link::make(root.path(), &folder).unwrap();
    assert_eq!(link::target(root.path()).unwrap().unwrap(), Path::new("/var/lib/slipway/dnf/offline"));
    assert_eq!(link::ours(root.path()).unwrap(), None, "there is no state in it");
    fs_err::write(folder.state_file(), "damaged").unwrap();
    assert_eq!(link::ours(root.path()).unwrap(), Some(folder.clone()));
    link::make(root.path(), &folder).unwrap();
    let error = link::make(root.path(), &Folder::of(root.path())).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    link::remove(root.path()).unwrap();
    assert_eq!(link::target(root.path()).unwrap(), None);
    fs_err::write(root.path().join("system-update"), "no link").unwrap();
    assert!(link::ours(root.path()).is_err());
}

#[test]
fn files_a_log_that_is_damaged_does_not_hide_the_next_attempt() {
    let persist = tempfile::tempdir().unwrap();
    let attempt = |end| log::Attempt {
        time: 1,
        boot: "b".to_owned(),
        command: "upgrade".to_owned(),
        release: "1".to_owned(),
        target: "2".to_owned(),
        end,
        lines: Vec::new(),
    };
    log::begin(persist.path(), &attempt(log::End::Unknown)).unwrap();
    log::finish(persist.path(), &attempt(log::End::Done(3))).unwrap();
    log::begin(persist.path(), &attempt(log::End::Unknown)).unwrap();
    let ends: Vec<_> = log::load(persist.path()).unwrap().into_iter().map(|one| one.end).collect();
    assert_eq!(ends, [log::End::Done(3), log::End::Unknown]);
    fs_err::write(persist.path().join("offline.jsonl"), "{").unwrap();
    assert!(log::load(persist.path()).unwrap_err().to_string().contains("offline.jsonl`:1:"));
    log::begin(persist.path(), &attempt(log::End::Unknown)).unwrap();
    assert_eq!(log::load(persist.path()).unwrap().len(), 1);
    assert!(persist.path().join("offline.jsonl.damaged").is_file());
}
