//! What a snapshot is, and what it stays whatever happens.

use crate::fixture::{AT, files, keep, key, packages, publish};
use publish::{CURRENT, Package, PublishError, SNAPSHOTS, compose};
use repodata::{Repomd, decompress, read_packages};
use sign::Signer as _;
use store::Store;

#[test]
fn files_equal_input_gives_equal_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = publish(one.path());
    // Another store, in which another order and another subset was published before.
    let store = Store::open(two.path().join("store")).unwrap();
    let mut given = keep(&store, &packages());
    given.reverse();
    compose(&given[..1], &key(), pkg::SourceDateEpoch(1), &store, &two.path().join("out")).unwrap();
    given.push(given[0].clone());
    let second = compose(&given, &key(), AT, &store, &two.path().join("out")).unwrap();
    assert_eq!(first.id, second.id);
    assert_eq!(first.packages, second.packages);
    assert_eq!(files(&first.folder), files(&second.folder));
    assert!(second.is_new);
    // Published again, it is there already.
    assert!(!publish(one.path()).is_new);
}

#[test]
fn files_the_index_leads_to_everything() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = publish(folder.path());
    let read = |path: &str| fs_err::read(snapshot.current.join(path)).unwrap();
    let index = read("repodata/repomd.xml");
    key().public_key().verify(&read("repodata/repomd.xml.asc"), &index).unwrap();
    let repomd = Repomd::read(index.as_slice()).unwrap();
    let document = |kind: &str| {
        let data = repomd.document(kind).unwrap();
        let bytes = read(&data.location);
        assert_eq!(data.checksum.sha256(), Some(pkg::Digest::of(&bytes)));
        assert_eq!(data.size, Some(bytes.len() as u64));
        std::io::Cursor::new(bytes)
    };
    let limit = 1 << 20;
    let packages = read_packages(
        decompress(document("primary"), limit).unwrap(),
        decompress(document("filelists"), limit).unwrap(),
        decompress(document("other"), limit).unwrap(),
    )
    .unwrap();
    let names: Vec<&str> = packages.iter().map(|package| package.nevra.name.as_str()).collect();
    assert_eq!(names, ["app", "app-helper", "libapp"]);
    for (told, published) in packages.iter().zip(&snapshot.packages) {
        let bytes = read(&told.location);
        assert_eq!(told.location, published.location);
        assert_eq!(told.checksum.sha256(), Some(pkg::Digest::of(&bytes)));
        assert_eq!(told.sizes.package, bytes.len() as u64);
        let package = rpm::Package::read(&mut bytes.as_slice()).unwrap();
        assert_eq!(package.nevra(), told.nevra);
        let header = &bytes[told.header_range.start as usize..told.header_range.end as usize];
        assert_eq!(header, package.header.to_bytes());
        key().public_key().verify(&package.signatures()[0], &package.signed_region()).unwrap();
    }
    // Its own file is no requirement; the others' is.
    let requires: Vec<String> = packages[0].requires.iter().map(|required| required.relation.to_string()).collect();
    assert_eq!(requires, ["/usr/bin/app-helper", "libapp >= 2"]);
    assert_eq!(read("RPM-GPG-KEY"), key().public_key_armored().unwrap().into_bytes());
}

#[test]
fn files_a_published_snapshot_stays() {
    let folder = tempfile::tempdir().unwrap();
    let first = publish(folder.path());
    let before = files(&first.folder);
    let store = Store::open(folder.path().join("store")).unwrap();
    let given = keep(&store, &packages()[..1]);
    let second = compose(&given, &key(), AT, &store, &folder.path().join("out")).unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(files(&first.folder), before);
    let shown = fs_err::read_link(folder.path().join("out").join(CURRENT)).unwrap();
    assert_eq!(shown.to_str().unwrap(), format!("{SNAPSHOTS}/{}", second.id.hex()));
}

#[test]
fn files_what_is_wrong_is_refused_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let first = publish(folder.path());
    let store = Store::open(folder.path().join("store")).unwrap();
    let refused = |bytes: Vec<Vec<u8>>| {
        let given: Vec<Package> = bytes
            .iter()
            .map(|bytes| Package { file_name: "x.rpm".to_owned(), digest: store.put_bytes(bytes).unwrap() })
            .collect();
        compose(&given, &key(), AT, &store, &out).unwrap_err()
    };
    let good = packages().remove(0);
    let mut damaged = good.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(refused(vec![damaged]), PublishError::Damaged { .. }));
    assert!(matches!(refused(vec![b"no package".to_vec()]), PublishError::Package { .. }));
    let other = crate::fixture::builder("app-1:1.0~rc1-1.noarch").summary("another").build().unwrap();
    assert!(matches!(refused(vec![good, other]), PublishError::SameName { .. }));
    let missing = Package { file_name: "x.rpm".to_owned(), digest: pkg::Digest::of(b"missing") };
    assert!(matches!(compose(&[missing], &key(), AT, &store, &out), Err(PublishError::Store(_))));
    assert_eq!(fs_err::canonicalize(out.join(CURRENT)).unwrap(), fs_err::canonicalize(&first.folder).unwrap());
}

/// Publishes in a process of its own that is killed at many moments; afterwards `current` is one whole snapshot.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test runs itself")]
fn files_killed_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let first = {
        let store = Store::open(folder.path().join("store")).unwrap();
        compose(&keep(&store, &packages()[..1]), &key(), AT, &store, &out).unwrap()
    };
    let expected = publish(tempfile::tempdir().unwrap().path()).id;
    let (mut killed, mut finished) = (0, 0);
    for step in 0..60 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "snapshot::child_that_publishes", "--ignored", "--nocapture"])
            .env("PUBLISH_TEST_FOLDER", folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_micros(700 * step));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            finished += 1;
        } else {
            killed += 1;
        }
        let shown = fs_err::canonicalize(out.join(CURRENT)).unwrap();
        let id = shown.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(id == first.id.hex() || id == expected.hex(), "{id}");
        let whole = files(&shown);
        assert_eq!(whole.len(), if id == expected.hex() { 9 } else { 7 });
        if step % 4 == 3 {
            // Back to the start, with a store that knows nothing of the second snapshot.
            fs_err::remove_dir_all(out.join(SNAPSHOTS).join(expected.hex())).ok();
            fs_err::remove_dir_all(folder.path().join("store/records")).ok();
            let store = Store::open(folder.path().join("store")).unwrap();
            compose(&keep(&store, &packages()[..1]), &key(), AT, &store, &out).unwrap();
        }
    }
    assert!(killed > 0, "{finished} finished before they could be killed");
    let last = publish(folder.path());
    assert_eq!(last.id, expected);
    let left: Vec<_> = fs_err::read_dir(out.join(SNAPSHOTS)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
#[ignore = "run by files_killed_at_any_moment"]
#[expect(clippy::disallowed_methods, reason = "how the parent tells the folder")]
fn child_that_publishes() {
    if let Some(folder) = std::env::var_os("PUBLISH_TEST_FOLDER") {
        publish(folder.as_ref());
    }
}
