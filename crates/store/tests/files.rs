//! The store against a temporary folder.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use pkg::{Blobs as _, Digest};
use store::{Keep, Purge, Store, StoreError};

fn opened() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(folder.path().join("store")).expect("a new store");
    (folder, store)
}

fn entries(path: &Path) -> usize {
    fs_err::read_dir(path).expect("a folder").count()
}

#[test]
fn files_objects_are_kept_once_and_read_back() {
    let (folder, store) = opened();
    let digest = store.put_bytes(b"abc").unwrap();
    assert_eq!(digest, Digest::of(b"abc"));
    assert_eq!(store.put_reader(&b"abc"[..]).unwrap(), digest);
    let file = folder.path().join("abc");
    fs_err::write(&file, "abc").unwrap();
    assert_eq!(store.put_file(&file).unwrap(), digest);
    assert_eq!(store.adopt_file(&file).unwrap(), digest);
    assert!(!file.exists());
    assert_eq!(store.read(&digest).unwrap(), b"abc");
    store.verify(&digest).unwrap();
    assert!(matches!(store.open_object(&Digest::of(b"x")), Err(StoreError::Missing(_))));
    assert!(!store.contains(&Digest::of(b"x")));
}

#[test]
fn files_a_changed_object_is_found() {
    let (_folder, store) = opened();
    let digest = store.put_bytes(b"abc").unwrap();
    let path = store.object_path(&digest);
    fs_err::remove_file(&path).unwrap();
    fs_err::write(&path, "abd").unwrap();
    assert!(matches!(store.verify(&digest), Err(StoreError::Damaged { .. })));
}

#[test]
fn files_a_reader_that_fails_leaves_nothing() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken"))
        }
    }
    let (_folder, store) = opened();
    assert!(store.put_reader(Broken).is_err());
    let session = fs_err::read_dir(store.root().join("tmp")).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(session.filter(|path| path.is_dir()).map(|path| entries(&path)).sum::<usize>(), 0);
    assert_eq!(entries(&store.root().join("objects")), 0);
}

#[test]
fn files_records_are_replaced_and_listed() {
    let (_folder, store) = opened();
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    assert_eq!(store.record("build", &one), None);
    store.set_record("build", &one, b"first").unwrap();
    store.set_record("build", &one, b"second").unwrap();
    store.set_record("build", &two, b"").unwrap();
    assert_eq!(store.record("build", &one).unwrap(), b"second");
    let mut expected = vec![one, two];
    expected.sort();
    assert_eq!(store.keys("build").unwrap(), expected);
    store.remove_record("build", &one).unwrap();
    store.remove_record("build", &one).unwrap();
    assert_eq!(store.keys("build").unwrap(), [two]);
}

#[test]
fn files_a_directory_is_made_once_by_many() {
    let (_folder, store) = opened();
    let made = AtomicU32::new(0);
    let key = Digest::of(b"key");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let path = store
                    .make_directory("deb", &key, |tmp| {
                        made.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        fs_err::write(tmp.join("file"), "bytes").map_err(StoreError::Io)
                    })
                    .unwrap();
                assert_eq!(fs_err::read(path.join("file")).unwrap(), b"bytes");
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
    assert_eq!(entries(&store.root().join("locks")), 1, "only `in-use` stays");
}

#[test]
fn files_a_directory_that_fails_is_not_there() {
    let (_folder, store) = opened();
    let key = Digest::of(b"key");
    let failed = store.make_directory("deb", &key, |tmp| {
        fs_err::write(tmp.join("half"), "").map_err(StoreError::Io)?;
        Err(StoreError::Missing(key))
    });
    assert!(matches!(failed, Err(StoreError::Missing(_))));
    assert_eq!(store.directory("deb", &key), None);
    store
        .make_directory("deb", &key, |tmp| {
            assert_eq!(entries(tmp), 0);
            Ok::<(), StoreError>(())
        })
        .unwrap();
    assert!(store.directory("deb", &key).is_some());
    store.remove_directory("deb", &key).unwrap();
    assert_eq!(store.directory("deb", &key), None);
}

#[test]
fn files_a_dead_session_is_swept_and_a_living_one_is_not() {
    let (_folder, store) = opened();
    let living = store.temp_dir().unwrap();
    let tmp = store.root().join("tmp");
    // What a killed process leaves: a lock file that nobody holds, and its folder; or the folder alone.
    fs_err::write(tmp.join("999999-0.lock"), "").unwrap();
    for dead in ["999999-0/0/unreadable", "999998-0"] {
        fs_err::create_dir_all(tmp.join(dead)).unwrap();
    }
    let second = Store::open(store.root()).unwrap();
    assert!(!tmp.join("999999-0").exists() && !tmp.join("999999-0.lock").exists() && !tmp.join("999998-0").exists());
    assert!(living.path().is_dir());
    drop((living, second, store));
    assert_eq!(entries(&tmp), 0);
}

#[test]
fn files_another_layout_and_other_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("VERSION"), "slipway store 0\n").unwrap();
    let error = Store::open(folder.path()).unwrap_err();
    assert!(error.to_string().contains("VERSION says `slipway store 0`, expected `slipway store 1`"), "{error}");
    let other = tempfile::tempdir().unwrap();
    fs_err::write(other.path().join("thesis.tex"), "").unwrap();
    assert!(matches!(Store::open(other.path()), Err(StoreError::Version { .. })));
}

#[test]
fn files_names_do_not_leave_the_store() {
    let (_folder, store) = opened();
    for name in ["", "..", "a/b", ".hidden", "a\0b", "a b"] {
        assert!(matches!(store.area(name), Err(StoreError::Name(_))), "{name:?}");
        assert!(matches!(store.lock(name), Err(StoreError::Name(_))), "{name:?}");
        assert!(matches!(store.set_record(name, &Digest::of(b""), b""), Err(StoreError::Name(_))), "{name:?}");
    }
}

#[test]
fn files_quarantine_keeps_every_file() {
    let (folder, store) = opened();
    for expected in ["a.tar", "a.tar.1", "a.tar.2"] {
        let file = folder.path().join("a.tar");
        fs_err::write(&file, "").unwrap();
        let place = store.quarantine(&file, "a.tar").unwrap();
        assert_eq!(place, store.root().join("quarantine").join(expected));
    }
    assert!(matches!(store.quarantine(Path::new("x"), "../x"), Err(StoreError::Name(_))));
}

#[test]
fn files_collection_removes_what_nobody_needs() {
    let (_folder, store) = opened();
    let (kept, gone) = (store.put_bytes(b"kept").unwrap(), store.put_bytes(b"gone").unwrap());
    for key in [kept, gone] {
        store.set_record("build", &key, b"").unwrap();
        store.make_directory("rpm", &key, |_| Ok::<(), StoreError>(())).unwrap();
    }
    let mut keep = Keep::default();
    keep.objects.insert(kept);
    keep.records.entry("build".to_owned()).or_default().insert(kept);
    keep.directories.entry("rpm".to_owned()).or_default().insert(kept);
    let other = Store::open(store.root()).unwrap();
    assert!(matches!(store.collect(&keep, Purge::Delete), Err(StoreError::Busy(_))));
    drop(other);
    let counted = store.collect(&keep, Purge::Count).unwrap();
    assert!(store.contains(&gone));
    assert_eq!(store.collect(&keep, Purge::Delete).unwrap(), counted);
    assert_eq!((counted.objects, counted.records, counted.directories), (1, 1, 1));
    assert!(store.contains(&kept) && !store.contains(&gone));
    assert_eq!(store.keys("build").unwrap(), [kept]);
    assert!(store.directory("rpm", &kept).is_some() && store.directory("rpm", &gone).is_none());
    let usage = store.usage().unwrap();
    assert_eq!(usage.iter().find(|usage| usage.part == "objects").unwrap().entries, 1);
}
