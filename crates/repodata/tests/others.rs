//! Advisories, groups and zchunk files: round trips, and what libsolv and zck say of them.

#![expect(clippy::unwrap_used, reason = "a test's own functions")]
#![expect(clippy::disallowed_methods, reason = "the programs are the oracles of this test, no tools of Slipway")]

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use repodata::comps::{Category, Comps, Environment, Group, GroupPackage, Label, PackageKind};
use repodata::updateinfo::{Advisory, Collection, FixedPackage, Reference};

/// What a chain of programs makes of `input`; none, with a word, where one is not installed.
fn piped(programs: &[&[&str]], input: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = input.to_vec();
    for words in programs {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            eprintln_skipped(words[0]);
            return None;
        };
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(&bytes));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success(), "{words:?}");
        bytes = output.stdout;
    }
    Some(bytes)
}

#[expect(clippy::disallowed_macros, reason = "a test says why it skips")]
fn eprintln_skipped(tool: &str) {
    eprintln!("skipped: {tool} not installed");
}

fn advisory() -> Advisory {
    Advisory {
        id: "SKSA-2026-0001".to_owned(),
        from: "security@example.org".to_owned(),
        status: "stable".to_owned(),
        kind: "security".to_owned(),
        version: "2".to_owned(),
        title: "Important: a <b> & \"c\"".to_owned(),
        issued: "2026-01-02 03:04:05".to_owned(),
        severity: "Important".to_owned(),
        description: "Two\nlines.".to_owned(),
        references: vec![Reference {
            href: "https://example.org/CVE-2026-1?a=b&c=d".to_owned(),
            id: "CVE-2026-1".to_owned(),
            kind: "cve".to_owned(),
            title: "one".to_owned(),
        }],
        collections: vec![Collection {
            short: "sk".to_owned(),
            name: "Skiff".to_owned(),
            module: Some(["m", "1", "20260102", "c0ffee", "x86_64"].map(str::to_owned)),
            packages: vec![FixedPackage {
                nevra: "lmdb-3:0.9-2.x86_64".parse().unwrap(),
                source: "lmdb-0.9-2.src.rpm".to_owned(),
                file_name: "lmdb-0.9-2.x86_64.rpm".to_owned(),
                checksum: Some(("sha256".to_owned(), "ab".repeat(32))),
                reboot: true,
                restart: false,
                relogin: false,
            }],
        }],
        ..Advisory::default()
    }
}

#[test]
fn advisories_read_back() {
    let xml = repodata::updateinfo::to_xml(&[advisory(), Advisory { id: "B".to_owned(), ..Advisory::default() }]);
    let read = repodata::updateinfo::read(xml.as_bytes()).unwrap();
    assert_eq!(read[0], advisory());
    assert_eq!(read[1].id, "B");
    assert_eq!(repodata::updateinfo::to_xml(&read), xml);
    for (from, to, fact) in [
        ("epoch=\"3\"", "epoch=\"three\"", "`three` where `package` has a number"),
        ("<updates>", "<update>", "`update` as its root"),
        (" name=\"lmdb\"", "", "without `name`"),
    ] {
        assert!(xml.contains(from));
        let error = repodata::updateinfo::read(xml.replacen(from, to, 1).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(fact), "{error}");
    }
}

#[test]
fn files_libsolv_reads_advisories() {
    let xml = repodata::updateinfo::to_xml(&[advisory()]);
    let Some(dump) = piped(&[&["updateinfoxml2solv"], &["dumpsolv"]], xml.as_bytes()) else { return };
    let dump = String::from_utf8(dump).unwrap();
    for fact in ["patch:SKSA-2026-0001", "Important: a <b> & \"c\"", "CVE-2026-1", "lmdb", "3:0.9-2", "update:reboot"] {
        assert!(dump.contains(fact), "{fact} is not in\n{dump}");
    }
}

fn comps() -> Comps {
    let label = |id: &str| Label { id: id.to_owned(), name: format!("The {id}"), ..Label::default() };
    let package = |name: &str, kind| GroupPackage { name: name.to_owned(), kind };
    Comps {
        groups: vec![Group {
            label: Label {
                names: vec![("de".to_owned(), "Der Kern".to_owned())],
                description: "What is <always> there.".to_owned(),
                display_order: Some(7),
                ..label("core")
            },
            is_default: true,
            is_visible: false,
            lang_only: String::new(),
            packages: vec![
                package("bash", PackageKind::Mandatory),
                package("vim", PackageKind::Default),
                package("emacs", PackageKind::Optional),
                package("vim-x", PackageKind::Conditional("xorg".to_owned())),
            ],
        }],
        categories: vec![Category { label: label("base"), groups: vec!["core".to_owned()] }],
        environments: vec![Environment {
            label: label("server"),
            groups: vec!["core".to_owned()],
            options: vec![("web".to_owned(), true), ("mail".to_owned(), false)],
        }],
        langpacks: vec![("gimp".to_owned(), "gimp-help-%s".to_owned())],
    }
}

#[test]
fn groups_read_back() {
    let xml = comps().to_xml();
    assert_eq!(Comps::read(xml.as_bytes()).unwrap(), comps());
    let error = Comps::read(xml.replacen("<id>core</id>", "", 1).as_bytes()).unwrap_err().to_string();
    assert!(error.contains("a `group` without `id`"), "{error}");
}

#[test]
fn files_libsolv_reads_groups() {
    let Some(dump) = piped(&[&["comps2solv"], &["dumpsolv"]], comps().to_xml().as_bytes()) else { return };
    let dump = String::from_utf8(dump).unwrap();
    for fact in ["group:core", "category:base", "What is <always> there.", "bash", "vim-x"] {
        assert!(dump.contains(fact), "{fact} is not in\n{dump}");
    }
}

#[test]
fn files_zchunk_files_open() {
    let folder = tempfile::tempdir().unwrap();
    let text: String =
        (0..30_000).map(|number| format!("<file>/usr/share/{}/{number}</file>\n", number * 7919 % 1000)).collect();
    let (plain, packed) = (folder.path().join("text"), folder.path().join("text.zck"));
    fs_err::write(&plain, &text).unwrap();
    let Ok(status) = Command::new("zck").arg("-o").args([&packed, &plain]).status() else {
        return eprintln_skipped("zck");
    };
    assert!(status.success());
    let bytes = fs_err::read(&packed).unwrap();
    let open = |bytes: &[u8], limit: u64| {
        let mut read = String::new();
        let mut open = repodata::decompress(bytes, limit).map_err(|error| error.to_string())?;
        open.read_to_string(&mut read).map_err(|error| error.to_string())?;
        Ok::<String, String>(read)
    };
    assert!(open(&bytes, text.len() as u64).unwrap() == text);
    let error = open(&bytes, text.len() as u64 - 1).unwrap_err();
    assert!(error.contains("it has more than the expected"), "{error}");
    // Whatever byte is changed or cut off, it is an error.
    for place in (5..bytes.len()).step_by(97) {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(open(&changed, 1 << 30).is_err(), "byte {place}");
        assert!(open(&bytes[..place], 1 << 30).is_err(), "cut at {place}");
    }
}
