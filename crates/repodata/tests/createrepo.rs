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

/// All that a quick reader tells of one package, in the words of the other.
fn told(solvable: &repodata::Solvable<'_>) -> String {
    let (epoch, version, release) = solvable.version();
    let mut told = format!(
        "{} {} {epoch}:{version}-{release} {:?} {} {:?} {} {} {}",
        solvable.name(),
        solvable.arch(),
        solvable.checksum(),
        solvable.location(),
        solvable.location_base(),
        solvable.vendor(),
        solvable.package_size(),
        solvable.installed_size()
    );
    for relation in solvable.relations() {
        let bound = relation.bound.map(|(condition, epoch, version, release)| {
            (condition, pkg::Evr::new(epoch, version, release).to_string())
        });
        told.push_str(&format!("\n{:?} {} {bound:?}", relation.kind, relation.name));
    }
    solvable.files().for_each(|path| told.push_str(&format!("\n{path}")));
    told
}

fn told_of(package: &Package) -> String {
    let evr = &package.nevra.evr;
    let mut told = format!(
        "{} {} {}:{}-{} {:?} {} {:?} {} {} {}",
        package.nevra.name,
        package.nevra.arch,
        evr.epoch,
        evr.version,
        evr.release,
        (package.checksum.algorithm, package.checksum.hex.as_str()),
        package.location,
        package.location_base.as_deref(),
        package.vendor,
        package.sizes.package,
        package.sizes.installed
    );
    let requires: Vec<pkg::Relation> = package.requires.iter().map(|required| required.relation.clone()).collect();
    for (kind, relations) in [
        ("Provides", &package.provides),
        ("Requires", &requires),
        ("Conflicts", &package.conflicts),
        ("Obsoletes", &package.obsoletes),
        ("Suggests", &package.suggests),
        ("Enhances", &package.enhances),
        ("Recommends", &package.recommends),
        ("Supplements", &package.supplements),
    ] {
        for relation in relations {
            let bound = relation.bound.as_ref().map(|(condition, evr)| (*condition, evr.to_string()));
            told.push_str(&format!("\n{kind} {} {bound:?}", relation.name));
        }
    }
    package.files.iter().for_each(|file| told.push_str(&format!("\n{}", file.path)));
    told
}

/// Gives a few bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl std::io::Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn all_told(text: &[u8]) -> Result<Vec<String>, ReadError> {
    let mut solvables = repodata::Solvables::new(Drops(text, 1000));
    let mut all = Vec::new();
    while let Some(solvable) = solvables.next()? {
        all.push(told(&solvable));
    }
    Ok(all)
}

#[test]
fn the_quick_reader_tells_what_the_other_tells() {
    let expected: Vec<String> =
        repodata::primary::Reader::new(PRIMARY.as_bytes()).map(|package| told_of(&package.unwrap())).collect();
    assert_eq!(all_told(PRIMARY.as_bytes()).unwrap(), expected);
    // So many that the window slides, once inside a package.
    let (head, rest) = PRIMARY.split_at(PRIMARY.find("<package").unwrap());
    let packages =
        rest.strip_suffix("</metadata>").unwrap_or_else(|| rest.trim_end().strip_suffix("</metadata>").unwrap());
    let count = (5 << 20) / packages.len();
    let long = format!("{head}{}</metadata>", packages.repeat(count));
    assert_eq!(all_told(long.as_bytes()).unwrap(), vec![expected; count].concat());
}

#[test]
fn the_quick_reader_refuses_what_the_other_refuses() {
    for (from, to, fact) in [
        ("href=\"beta-2.0-1.src.rpm\"", "href=\"../beta.rpm\"", "`../beta.rpm` as a location"),
        ("pkgid=\"YES\">92", "pkgid=\"YES\">9", "which is no checksum"),
        ("flags=\"GE\"", "flags=\"XX\"", "`XX` as the flags"),
        ("<name>beta</name>", "", "without `name`"),
        ("epoch=\"2\"", "epoch=\"two\"", "`two` where a number should be"),
        ("<metadata ", "<data ", "`data` as its root"),
        ("<metadata ", "<!DOCTYPE a [<!ENTITY b 'c'>]><metadata ", "a document type is not allowed"),
        ("&lt;", "&unknown;", "`&unknown;` is not known"),
    ] {
        assert!(PRIMARY.contains(from));
        let text =
            PRIMARY.replace("<rpm:vendor></rpm:vendor>", "<rpm:vendor>&lt;v&gt;</rpm:vendor>").replacen(from, to, 1);
        let text = if from == "&lt;" { text.replace("<name>beta", "<name>&unknown;") } else { text };
        let error = all_told(text.as_bytes()).expect_err(to).to_string();
        assert!(error.contains(fact), "{error} for {to}");
    }
    for length in (60..PRIMARY.trim_end().len()).step_by(31) {
        assert!(all_told(&PRIMARY.as_bytes()[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn owners_of_paths_are_found_in_filelists() {
    let wanted = std::collections::HashSet::from(["/var/log/alpha.log", "/nobody/has/this"]);
    let owners = repodata::filelists::owners(Drops(FILELISTS.as_bytes(), 100), &wanted).unwrap();
    let alpha = packages().into_iter().find(|package| package.nevra.arch.as_str() == "noarch").unwrap();
    assert_eq!(owners, [(alpha.checksum.hex, "/var/log/alpha.log".to_owned())]);
    assert!(repodata::filelists::owners(&FILELISTS.as_bytes()[..FILELISTS.len() / 2], &wanted).is_err());
}
