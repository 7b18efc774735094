//! The metadata of a folder: the same whatever was known, and the same packages as createrepo_c's.

use std::collections::BTreeMap;
use std::path::Path;

use publish::index;
use repodata::{Package, Repomd, decompress, read_packages};
use store::Store;

use crate::fixture::{AT, builder, files, oracle, packages};

fn fill(folder: &Path, count: usize) {
    fs_err::create_dir_all(folder.join("a")).unwrap();
    for bytes in packages() {
        let nevra = rpm::Package::read(&mut bytes.as_slice()).unwrap().nevra();
        fs_err::write(folder.join("a").join(nevra.file_name()), bytes).unwrap();
    }
    for number in 0..count {
        add(folder, number);
    }
}

fn add(folder: &Path, number: usize) {
    let bytes = builder(&format!("many{number}-1-1.noarch")).summary("one of many").build().unwrap();
    fs_err::write(folder.join(format!("many{number}-1-1.noarch.rpm")), bytes).unwrap();
}

fn read(folder: &Path) -> BTreeMap<String, Package> {
    let index = fs_err::read(folder.join("repodata/repomd.xml")).unwrap();
    let repomd = Repomd::read(index.as_slice()).unwrap();
    let document = |kind: &str| {
        let data = repomd.document(kind).unwrap();
        let bytes = fs_err::read(folder.join(&data.location)).unwrap();
        assert_eq!(data.checksum, pkg::Digest::of(&bytes).into());
        let text = std::io::read_to_string(decompress(bytes.as_slice(), 1 << 30).unwrap()).unwrap();
        assert_eq!(data.open_checksum, Some(pkg::Digest::of(text.as_bytes()).into()), "{kind}");
        assert_eq!((data.size, data.open_size), (Some(bytes.len() as u64), Some(text.len() as u64)));
        text
    };
    let [primary, filelists, other] = ["primary", "filelists", "other"].map(document);
    let all = read_packages(primary.as_bytes(), filelists.as_bytes(), other.as_bytes()).unwrap();
    // The file's time is ours to choose.
    all.into_iter().map(|package| (package.location.clone(), Package { file_time: 0, ..package })).collect()
}

#[test]
fn files_what_is_known_changes_nothing_but_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let (base, store) = (folder.path().join("p"), Store::open(folder.path().join("s")).unwrap());
    fill(&base, 300);
    let first = index(&base, AT, &store).unwrap();
    assert_eq!((first.packages, first.read), (303, 303));
    let again = index(&base, AT, &store).unwrap();
    assert_eq!((again.packages, again.read), (303, 0));

    add(&base, 1000);
    fs_err::remove_file(base.join("many7-1-1.noarch.rpm")).unwrap();
    let changed = index(&base, AT, &store).unwrap();
    assert_eq!((changed.packages, changed.read), (303, 1));
    let from_known = files(&base.join("repodata"));
    assert_eq!(from_known.len(), 4, "old documents are gone: {from_known:?}");
    let empty = Store::open(folder.path().join("empty")).unwrap();
    assert_eq!(index(&base, AT, &empty).unwrap().read, 303);
    assert_eq!(files(&base.join("repodata")), from_known);
    assert!(read(&base).contains_key("many1000-1-1.noarch.rpm"));

    // Another file of the same name and size is seen by its times.
    let path = base.join("many3-1-1.noarch.rpm");
    let bytes = builder("many3-1-1.noarch").summary("two of many").build().unwrap();
    fs_err::write(&path, bytes).unwrap();
    assert_eq!(index(&base, AT, &store).unwrap().read, 1);
    assert_eq!(read(&base)["many3-1-1.noarch.rpm"].summary, "two of many");
}

#[test]
fn files_damaged_records_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (base, store) = (folder.path().join("p"), Store::open(folder.path().join("s")).unwrap());
    fill(&base, 40);
    index(&base, AT, &store).unwrap();
    let right = files(&base.join("repodata"));
    for kind in ["publish-folder", "publish-group"] {
        for key in store.keys(kind).unwrap() {
            let mut bytes = store.record(kind, &key).unwrap();
            bytes.truncate(bytes.len() / 2);
            store.set_record(kind, &key, &bytes).unwrap();
        }
        assert!(index(&base, AT, &store).unwrap().read > 0, "{kind}");
        assert_eq!(files(&base.join("repodata")), right);
    }
}

#[test]
fn files_createrepo_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (base, store) = (folder.path().join("p"), Store::open(folder.path().join("s")).unwrap());
    fill(&base, 20);
    let Some(output) = oracle("createrepo_c", &["--no-database", base.to_str().unwrap()]) else { return };
    assert!(output.status.success());
    let theirs = read(&base);
    index(&base, AT, &store).unwrap();
    assert_eq!(read(&base), theirs);
    // And it reads ours: nothing is new to it.
    let output = oracle("createrepo_c", &["--no-database", "--update", "--skip-stat", base.to_str().unwrap()]).unwrap();
    assert!(output.status.success());
    assert_eq!(read(&base), theirs);
}
