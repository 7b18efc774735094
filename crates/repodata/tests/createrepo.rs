//! What createrepo_c wrote is read, and written again byte for byte. See `fixtures/createrepo/ORIGIN`.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]

use pkg::{Nevra, SourceDateEpoch};
use repodata::{Compression, Documents, Entry, FileKind, Package, ReadError, Repomd, read_packages};

const PRIMARY: &str = include_str!("../fixtures/createrepo/primary.xml");
const FILELISTS: &str = include_str!("../fixtures/createrepo/filelists.xml");
const OTHER: &str = include_str!("../fixtures/createrepo/other.xml");
const REPOMD: &str = include_str!("../fixtures/createrepo/repomd.xml");

fn packages() -> Vec<Package> {
    read_packages(PRIMARY.as_bytes(), FILELISTS.as_bytes(), OTHER.as_bytes()).unwrap()
}

#[test]
fn documents_are_written_as_createrepo_writes_them() {
    let entries: Vec<Entry> = packages().iter().map(Entry::new).collect();
    let documents = Documents::new(&entries, Compression::None, SourceDateEpoch(1_700_000_000)).unwrap();
    for ((name, bytes), expected) in documents.files.iter().zip([PRIMARY, FILELISTS, OTHER]) {
        assert_eq!(std::str::from_utf8(bytes).unwrap(), expected, "{name}");
    }
}

#[test]
fn the_index_is_written_as_createrepo_writes_it() {
    let repomd = Repomd::read(REPOMD.as_bytes()).unwrap();
    assert_eq!(repomd.data.len(), 3);
    assert_eq!(repomd.document("primary").unwrap().open_size, Some(7080));
    assert_eq!(repomd.to_xml(), REPOMD);
}

#[test]
fn facts_are_where_they_belong() {
    let packages = packages();
    let alpha = packages.iter().find(|package| package.nevra.arch.as_str() == "noarch").unwrap();
    assert_eq!(alpha.nevra, Nevra::parse("alpha-2:1.2~rc1-3.noarch").unwrap());
    assert_eq!(alpha.description, "Line one with  two spaces <&>.\n\n Indented line with é ü 漢字.\nTrailing.");
    assert_eq!(alpha.requires.iter().filter(|required| required.pre).count(), 2);
    assert_eq!(alpha.requires[0].relation.to_string(), "(gamma or delta >= 3)");
    assert_eq!(alpha.supplements[0].to_string(), "(sup1 and sup2)");
    assert_eq!(alpha.enhances[0].to_string(), "enh1 = 3-4");
    assert_eq!(
        alpha.files.last().map(|file| (file.path.as_str(), file.kind)),
        Some(("/var/log/alpha.log", FileKind::Ghost))
    );
    assert_eq!(alpha.changelog.len(), 5);
    assert_eq!(alpha.changelog[4].text, "- Third entry <with> & markup\n- more");
}

#[test]
fn an_entry_reads_back_from_its_bytes() {
    for package in packages() {
        let entry = Entry::new(&package);
        assert_eq!(Entry::from_bytes(&entry.to_bytes()).as_ref(), Some(&entry));
        assert_eq!(entry.read_primary().unwrap().requires, package.requires);
        let bytes = entry.to_bytes();
        assert_eq!(Entry::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Entry::from_bytes(&bytes[..10]), None);
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (from, to, fact) in [
        ("href=\"beta-2.0-1.src.rpm\"", "href=\"../beta.rpm\"", "`../beta.rpm` as a location"),
        ("pkgid=\"YES\">92", "pkgid=\"YES\">9", "which is no sha256 checksum"),
        ("flags=\"GE\"", "flags=\"XX\"", "`XX` as the flags of `beta`"),
        ("<name>beta</name>", "", "without `name`"),
        ("epoch=\"2\"", "epoch=\"two\"", "`two` where `version` has a number"),
        ("<metadata ", "<data ", "`data` as its root"),
    ] {
        assert!(PRIMARY.contains(from));
        let text = PRIMARY.replacen(from, to, 1);
        let error = repodata::primary::Reader::new(text.as_bytes()).find_map(Result::err).unwrap();
        assert!(error.to_string().contains(fact), "{error} for {to}");
    }
    let other = OTHER.replacen("pkgid=\"92", "pkgid=\"93", 1);
    let error = read_packages(PRIMARY.as_bytes(), FILELISTS.as_bytes(), other.as_bytes()).unwrap_err();
    assert!(matches!(error, ReadError::Stranger { document: "other", .. }));
}

#[test]
fn any_cut_is_an_error_or_the_packages_before_it() {
    for length in (0..PRIMARY.len()).filter(|length| PRIMARY.is_char_boundary(*length)).step_by(37) {
        let read: Vec<_> = repodata::primary::Reader::new(&PRIMARY.as_bytes()[..length]).take(10).collect();
        // Nothing at all is an empty document; every other cut leaves an element open.
        assert!(length < 40 || read.iter().any(Result::is_err), "cut at {length}");
    }
}
