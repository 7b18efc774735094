//! What we sign, rpm 4.18's `rpmkeys` accepts; what it would refuse, we refuse.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

use pkg::{Nevra, SourceDateEpoch};
use rpm::Compression;
use rpm::write::{Format, NewFile, PackageBuilder};
use sign::{Key, KeyAlgorithm, KeyRing, Signer as _, VerifyError};

const AT: SourceDateEpoch = SourceDateEpoch(1_750_000_000);

#[expect(clippy::disallowed_methods, reason = "the oracle is a program")]
fn rpmkeys(database: &std::path::Path, arguments: &[&str]) -> Option<(bool, String)> {
    let define = format!("_dbpath {}", database.display());
    let output =
        Command::new("rpmkeys").args(["--define", &define]).args(arguments).env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some((output.status.success(), text))
}

fn package(format: Format) -> Vec<u8> {
    PackageBuilder::new(Nevra::parse("hello-1:2.0-3.noarch").unwrap(), AT)
        .requires("(bash or zsh)")
        .compression(Compression::Xz)
        .format(format)
        .file("/usr/share/hello", NewFile::regular("hello\n"))
        .build()
        .unwrap()
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn files_rpmkeys_accepts_our_signatures() {
    for algorithm in [KeyAlgorithm::Rsa3072, KeyAlgorithm::Ed25519] {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::generate("Skiff test <test@example.org>", algorithm, AT).unwrap();
        let public = folder.path().join("key.asc");
        fs_err::write(&public, key.public_key_armored().unwrap()).unwrap();
        let database = folder.path().join("db");
        let Some((imported, text)) = rpmkeys(&database, &["--import", public.to_str().unwrap()]) else {
            println!("skipped: rpmkeys not installed");
            return;
        };
        assert!(imported, "{algorithm:?}: {text}");

        let original = package(Format::V4);
        let mut signed = Vec::new();
        let signed_package =
            rpm::sign(&mut original.as_slice(), &mut signed, |bytes| key.sign_binary(bytes, AT)).unwrap();
        assert_eq!(signed.len(), original.len(), "the reserved space is used");
        let path = folder.path().join("hello.rpm");
        fs_err::write(&path, &signed).unwrap();
        let (good, text) = rpmkeys(&database, &["-Kv", path.to_str().unwrap()]).unwrap();
        assert!(good && text.contains("Signature, key ID") && !text.contains("NOKEY"), "{algorithm:?}: {text}");
        assert!(!text.contains("BAD") && !text.contains("NOTFOUND"), "{text}");
        let (_, text) = rpmkeys(&database, &["-K", path.to_str().unwrap()]).unwrap();
        assert!(text.contains("digests signatures OK"), "{text}");

        // Ours agrees, and signing again changes nothing.
        let mut ring = KeyRing::new();
        ring.add(key.public_key_armored().unwrap().as_bytes()).unwrap();
        let packets = signed_package.signatures();
        assert_eq!(packets.len(), 1);
        ring.verify(&packets[0], &signed_package.signed_region()).unwrap();
        let mut again = Vec::new();
        rpm::sign(&mut signed.as_slice(), &mut again, |bytes| key.sign_binary(bytes, AT)).unwrap();
        assert_eq!(again, signed);

        // One changed byte of the header is seen by both.
        let mut changed = signed.clone();
        let at = signed_package.header_range.end as usize - 60;
        changed[at] ^= 1;
        fs_err::write(&path, &changed).unwrap();
        assert!(!rpmkeys(&database, &["-K", path.to_str().unwrap()]).unwrap().0);
        let changed = rpm::Package::read(&mut changed.as_slice()).unwrap();
        assert!(matches!(ring.verify(&packets[0], &changed.signed_region()), Err(VerifyError::Mismatch { .. })));
    }
}

#[test]
fn signatures_of_v6_packages_are_found_again() {
    let key = Key::generate("Skiff test <test@example.org>", KeyAlgorithm::Ed25519, AT).unwrap();
    let mut signed = Vec::new();
    let original = package(Format::V6);
    rpm::sign(&mut original.as_slice(), &mut signed, |bytes| key.sign_binary(bytes, AT)).unwrap();
    let package = rpm::Package::read(&mut signed.as_slice()).unwrap();
    key.public_key().verify(&package.signatures()[0], &package.signed_region()).unwrap();
}

#[test]
fn strangers_and_other_bytes_are_refused() {
    let key = Key::generate("One <one@example.org>", KeyAlgorithm::Ed25519, AT).unwrap();
    let other = Key::generate("Two <two@example.org>", KeyAlgorithm::Ed25519, AT).unwrap();
    let armored = key.sign_detached_armored(b"abc", AT).unwrap();
    assert_eq!(armored, key.sign_detached_armored(b"abc", AT).unwrap(), "nothing random");
    key.public_key().verify(armored.as_bytes(), b"abc").unwrap();
    assert!(matches!(key.public_key().verify(armored.as_bytes(), b"abd"), Err(VerifyError::Mismatch { .. })));
    assert!(matches!(other.public_key().verify(armored.as_bytes(), b"abc"), Err(VerifyError::UnknownKey { .. })));
    let early = key.sign_binary(b"abc", SourceDateEpoch(AT.0 - 1)).unwrap();
    assert!(matches!(key.public_key().verify(&early, b"abc"), Err(VerifyError::BadKey { .. })));
    assert!(matches!(key.public_key().verify(b"", b"abc"), Err(VerifyError::NotASignature(_))));
    assert!(matches!(key.public_key().verify(&[0xff; 100], b"abc"), Err(VerifyError::NotASignature(_))));
}

#[test]
fn files_keys_are_kept_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.asc");
    let key = Key::generate("One <one@example.org>", KeyAlgorithm::Ed25519, AT).unwrap();
    key.save(&path).unwrap();
    assert!(key.save(&path).is_err(), "a key is never overwritten");
    let loaded = Key::load(&path).unwrap();
    assert_eq!(loaded.fingerprint(), key.fingerprint());
    assert_eq!(loaded.sign_binary(b"abc", AT).unwrap(), key.sign_binary(b"abc", AT).unwrap());
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs_err::set_permissions(&path, permissions).unwrap();
    assert!(matches!(Key::load(&path), Err(sign::KeyError::Readable { mode: 0o644, .. })));
}
