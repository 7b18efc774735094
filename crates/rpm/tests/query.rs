//! Every tag by name: ours against `rpm --qf`. Every reason to refuse a package: made here.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

use pkg::{Nevra, SourceDateEpoch};
use rpm::policy::{Outcome, Policy, Refusal, SignatureCheck, Signatures, WeakDigests, verify};
use rpm::write::{Format, NewFile, PackageBuilder};
use rpm::{DependencyKind, FileFlags, HeaderBuilder, Package, ScriptletKind, Tag, Value, signature};

const AT: SourceDateEpoch = SourceDateEpoch(1_750_000_000);

fn builder() -> PackageBuilder {
    PackageBuilder::new(Nevra::parse("asked-2:1.0-1.noarch").unwrap(), AT)
        .summary("is asked")
        .requires("needed >= 1:2-3")
        .requires("plain")
        .provides("given = 4")
        .depends(DependencyKind::Recommends, "(one or other)")
        .depends(DependencyKind::Obsoletes, "old < 1")
        .scriptlet(ScriptletKind::Post, "/bin/sh", "true")
        .changelog(1_700_000_000, "Somebody <a@b> - 1.0-1", "- first\n- second")
        .file("/usr/share/asked", NewFile::directory())
        .file("/usr/share/asked/one", NewFile::regular("one").flags(FileFlags::DOC))
        .file("/usr/share/asked/two", NewFile::hard_link("/usr/share/asked/one"))
        .file("/usr/bin/asked", NewFile::regular("able").mode(0o755).capabilities("cap_net_raw=ep"))
        .file("/usr/bin/link", NewFile::symlink("asked"))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the oracle is a program")]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn files_tags_are_those_of_rpm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asked.rpm");
    let bytes = builder().build().unwrap();
    fs_err::write(&path, &bytes).unwrap();
    let ask = |arguments: &[&str]| Command::new("rpm").args(arguments).env("LC_ALL", "C").output();
    let Ok(known) = ask(&["--querytags"]) else {
        println!("skipped: rpm not installed");
        return;
    };
    let known = String::from_utf8(known.stdout).unwrap();
    let package = Package::read(&mut bytes.as_slice()).unwrap();
    let (mut compared, mut different) = (0, Vec::new());
    for name in known.lines().filter(|name| rpm::is_tag_name(name)) {
        let format = format!("[%{{{name}}}~~\\n]");
        let said = ask(&["-qp", "--nosignature", "--nodigest", "--qf", &format, path.to_str().unwrap()]).unwrap();
        let theirs = String::from_utf8_lossy(&said.stdout).into_owned();
        let theirs: Vec<&str> = theirs.split("~~\n").filter(|text| !["", "(none)"].contains(text)).collect();
        let mut ours = package.query(name).map(|value| value.texts()).unwrap_or_default();
        ours.retain(|text| !text.is_empty());
        // What rpm formats on its own: times of the changelog as a whole, and all tags at once.
        if ["CHANGELOG", "VERBOSE", "HEADERI18NTABLE"].contains(&name)
            || name.starts_with("HEADER") && name != "HEADERCOLOR"
        {
            continue;
        }
        if ours != theirs {
            different.push(format!("{name}: {ours:?}, rpm: {theirs:?}"));
        }
        compared += usize::from(!ours.is_empty());
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(compared > 90, "{compared} tags have a value");
    assert!(!rpm::is_tag_name("nothing"));
}

fn good(_: &[u8], _: &[u8]) -> SignatureCheck {
    SignatureCheck::Good("KEY".to_owned())
}

fn never(_: &[u8], _: &[u8]) -> SignatureCheck {
    SignatureCheck::NoKey("by 1234".to_owned())
}

/// A signature packet as far as its first bytes are looked at.
const PACKET: [u8; 6] = [0xc2, 4, 4, 0, 22, 8];

fn signed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    rpm::sign(&mut &*bytes, &mut out, |_| Ok::<_, std::io::Error>(PACKET.to_vec())).unwrap();
    out
}

/// The package with another signature header.
fn with_tags(bytes: &[u8], change: impl Fn(&mut HeaderBuilder)) -> Vec<u8> {
    let mut reader = bytes;
    let package = Package::read(&mut reader).unwrap();
    let mut tags = HeaderBuilder::from_header(&package.signature);
    change(&mut tags);
    let changed = Package { signature: tags.build(Tag::HEADERSIGNATURES).unwrap(), ..package };
    let mut out = Vec::new();
    changed.write_start(&mut out).unwrap();
    out.extend(reader);
    out
}

#[test]
fn a_refused_package_is_told_why() {
    let strict = Policy::default();
    let lax = Policy { signature: Signatures::IfAccepted, weak_digests: WeakDigests::Accepted };
    let unsigned = Policy { signature: Signatures::IfAccepted, ..strict };
    for format in [Format::V4, Format::V6] {
        let plain = builder().format(format).build().unwrap();
        let whole = signed(&plain);
        let refusals = |bytes: &[u8], policy: &Policy, check: &dyn Fn(&[u8], &[u8]) -> SignatureCheck| {
            verify(&mut &*bytes, policy, check).unwrap().refusals
        };
        assert_eq!(refusals(&whole, &strict, &good), []);
        assert_eq!(refusals(&plain, &strict, &good), [Refusal::Unsigned]);
        assert_eq!(refusals(&plain, &unsigned, &good), []);
        assert_eq!(refusals(&whole, &strict, &never), [Refusal::NoKey("by 1234".to_owned())]);
        assert_eq!(refusals(&whole, &unsigned, &never), []);
        let bad = |_: &[u8], _: &[u8]| SignatureCheck::Bad("not over these bytes".to_owned());
        let wrong = refusals(&whole, &unsigned, &bad);
        assert!(matches!(&wrong[..], [Refusal::Wrong { what, .. }] if what == "Header OpenPGP signature"), "{wrong:?}");

        let mut damaged = whole.clone();
        let last = damaged.len() - 3;
        damaged[last] ^= 1;
        let wrong = refusals(&damaged, &strict, &good);
        assert!(matches!(&wrong[..], [Refusal::Wrong { what, .. }] if what == "Payload SHA256 digest"), "{wrong:?}");
        let wrong = refusals(&whole[..whole.len() - 1], &strict, &good);
        assert!(
            wrong
                .iter()
                .any(|refusal| matches!(refusal, Refusal::Length { expected, found } if found + 1 == *expected)),
            "{wrong:?}"
        );

        let package = Package::read(&mut whole.as_slice()).unwrap();
        let mut damaged = whole.clone();
        let header = package.header_range.start as usize..package.header_range.end as usize;
        let name = header.start + damaged[header].windows(8).position(|window| window == b"is asked").unwrap();
        damaged[name] ^= 1;
        let wrong = refusals(&damaged, &strict, &good);
        assert!(
            wrong
                .iter()
                .any(|refusal| matches!(refusal, Refusal::Wrong { what, .. } if what == "Header SHA256 digest")),
            "{wrong:?}"
        );

        let no_digest = with_tags(&whole, |tags| {
            for tag in [Tag::SHA256HEADER, Tag::SHA1HEADER, signature::MD5] {
                tags.remove(tag);
            }
        });
        assert_eq!(refusals(&no_digest, &lax, &good), [Refusal::NoDigest("header")]);
        if format == Format::V4 {
            let weak = with_tags(&whole, |tags| {
                tags.remove(Tag::SHA256HEADER);
            });
            assert_eq!(refusals(&weak, &strict, &good), [Refusal::WeakDigest("header")]);
            assert_eq!(refusals(&weak, &lax, &good), []);
        }
        let report = verify(&mut whole.as_slice(), &strict, &good).unwrap();
        let found = report.findings.iter().find(|finding| finding.what == "Header OpenPGP signature").unwrap();
        assert_eq!(found.outcome, Outcome::Good(Some("KEY".to_owned())));
    }
    // A header without digest of its payload: what old packages have is MD5 over all.
    let old = builder().tag(Tag::PAYLOADSHA256, Value::Strings(Vec::new())).build().unwrap();
    let refusals = |policy: &Policy| verify(&mut old.as_slice(), policy, &good).unwrap().refusals;
    assert_eq!(refusals(&unsigned), [Refusal::WeakDigest("payload")]);
    assert_eq!(refusals(&lax), []);
}

#[test]
fn differences_name_what_differs() {
    let read = |builder: PackageBuilder| Package::read(&mut builder.build().unwrap().as_slice()).unwrap();
    let one = read(builder());
    assert_eq!(rpm::differences(&one, &read(builder())).unwrap(), []);
    let other = read(
        builder().requires("more").summary("is asked again").file("/usr/share/asked/three", NewFile::regular("three")),
    );
    let found = rpm::differences(&one, &other).unwrap();
    let at =
        |place: &str| found.iter().find(|difference| difference.place == place).unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!((at("requirename").first.len(), &at("requirename").second[..]), (0, &["more".to_owned()][..]));
    assert_eq!(at("summary").second, ["is asked again"]);
    assert_eq!(at("file /usr/share/asked/three").first, [""; 0]);
    assert!(at("file /usr/share/asked/three").second[0].starts_with("100644 root:root 5 bytes sha "), "{found:?}");
}
