//! Packages that are not what they should be, and servers that give something else: the reason is said, and the root and its
//! database stay as they are to the last byte.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use host::Tool;
use sign::{Key, KeyAlgorithm, Signer as _};
use store::Store;
use testkit::server::{Manner, serve};
use update::config::Config;
use update::resolve::{Job, package_of_file};

use crate::repository::{AT, Place, write, write_other};
use crate::transactions::{carry_out, installed, package, skipped, words};

const FILE: &str = "app-1-1.noarch.rpm";

/// All that is in a root: of each path what it is, when it was changed (of files) and what is in it.
type Picture = BTreeMap<PathBuf, (u64, u32, i64, i64, Vec<u8>)>;

/// Keys that somebody accepted stay accepted, whatever becomes of the package.
const KEYS: &str = "var/lib/slipway/dnf/keys";

fn picture(folder: &Path, into: &mut Picture) {
    for entry in fs_err::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("a folder can be read").path();
        if path.ends_with(KEYS) {
            continue;
        }
        let meta = fs_err::symlink_metadata(&path).expect("it is there");
        let bytes = if meta.is_file() { fs_err::read(&path).expect("it can be read") } else { Vec::new() };
        if meta.is_dir() {
            into.insert(path.clone(), (meta.ino(), meta.mode(), 0, 0, bytes));
            picture(&path, into);
        } else {
            into.insert(path, (meta.ino(), meta.mode(), meta.mtime(), meta.mtime_nsec(), bytes));
        }
    }
}

/// A root with the package `first`, into which nothing else may come before it is right.
struct Site {
    place: Place,
    store: Store,
    before: Picture,
}

impl Site {
    /// None where the machine cannot do that, which is said.
    fn new() -> Option<Site> {
        let place = Place::new();
        if !place.host.is_privileged() {
            skipped();
            return None;
        }
        let store = Store::open(place.path("store")).expect("a store can be made");
        let folder = place.path("first");
        write(&folder, &[package("first-1-1.noarch", &[])]);
        let mut site = Site { place, store, before: Picture::new() };
        let config = site.place.config(&format!("baseurl=file://{}\ngpgcheck=0", folder.display()));
        site.go(&config, &Job { install: words(&["first"]), ..Job::default() }).expect("it can be installed");
        site.before = site.picture();
        assert!(site.before.keys().any(|path| path.ends_with(install::DATABASE)));
        Some(site)
    }

    fn picture(&self) -> Picture {
        let mut found = Picture::new();
        picture(&self.place.path("root"), &mut found);
        found
    }

    fn go(&self, config: &Config, job: &Job) -> Result<(), String> {
        let done = self.place.with(config, true, |machine| carry_out(job, machine, &self.store));
        done.map(drop).map_err(|error| error.to_string())
    }

    /// A job that must not succeed; its error has to have these words in it.
    fn refuses(&self, config: &Config, job: &Job, what: &str, words: &[&str]) {
        let error = self.go(config, job).expect_err(what);
        for word in words {
            assert!(error.contains(word), "{what}: `{word}` is not in `{error}`");
        }
        let after = self.picture();
        let is_same = |path: &&PathBuf| after.get(*path) == self.before.get(*path);
        let changed: Vec<_> = after.keys().chain(self.before.keys()).filter(|path| !is_same(path)).collect();
        assert!(changed.is_empty(), "{what} changed {changed:?}");
        assert_eq!(installed(&self.place), ["first-1-1.noarch"], "{what}");
    }

    fn accepts(&self, config: &Config, job: &Job) {
        self.go(config, job).expect("it is as it should be");
        assert_eq!(installed(&self.place), ["app-1-1.noarch", "first-1-1.noarch"]);
        let text = fs_err::read_to_string(self.place.path("root/usr/share/app")).expect("it has come");
        assert_eq!(text, "app-1-1.noarch\n");
    }
}

fn key(name: &str) -> Key {
    Key::generate(&format!("{name} <{name}@example.org>"), KeyAlgorithm::Ed25519, AT).expect("a key can be made")
}

fn signed(bytes: &[u8], key: &Key) -> Vec<u8> {
    let mut out = Vec::new();
    rpm::sign(&mut &bytes[..], &mut out, |bytes| key.sign_binary(bytes, AT)).expect("it can be signed");
    out
}

/// A package's start, and the bytes of its payload.
fn parts(mut bytes: &[u8]) -> (rpm::Package, &[u8]) {
    let package = rpm::Package::read(&mut bytes).expect("it is a package");
    (package, bytes)
}

/// The same bytes with the lowest bit turned where `part` begins.
fn turned(bytes: &[u8], part: &[u8]) -> Vec<u8> {
    let at = bytes.windows(part.len()).rposition(|window| window == part).expect("it is in the package");
    turned_at(bytes, at)
}

fn turned_at(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// What can have happened to a package, and what is said of it.
fn damaged(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (package, payload) = parts(bytes);
    let digest = package.header.str(rpm::Tag::PAYLOADSHA256).expect("there is one");
    let last = bytes.len() - 1;
    vec![
        ("a bit of the header", turned(bytes, b"usr/share/"), "the header's digest is"),
        ("the digest of the payload", turned(bytes, digest.as_bytes()), "the header's digest is"),
        ("the first bit of the payload", turned_at(bytes, bytes.len() - payload.len()), "the payload's digest is"),
        ("the last bit of the payload", turned_at(bytes, last), "the payload's digest is"),
        ("the end", bytes[..last - 6].to_vec(), "the payload's digest is"),
        ("something behind it", [bytes, b"more"].concat(), "the payload's digest is"),
        ("all but the start", bytes[..200].to_vec(), "signature header"),
        ("everything", b"<html>Not here</html>".to_vec(), "it does not start like an rpm package"),
        ("nothing is left", Vec::new(), "it does not start like an rpm package"),
    ]
}

#[test]
fn host_packages_that_are_not_what_was_signed_are_refused_with_the_reason() {
    let Some(site) = Site::new() else { return };
    let (good, other) = (key("good"), key("other"));
    let armour = site.place.path("good.asc");
    fs_err::write(&armour, good.public_key_armored().expect("armour")).expect("it can be written");
    let (_, plain) = package("app-1-1.noarch", &[]);
    let bytes = signed(&plain, &good);
    let folder = site.place.path("repository");
    let lines = format!("baseurl=file://{}\ngpgkey=file://{}", folder.display(), armour.display());
    let job = Job { install: words(&["app"]), ..Job::default() };
    // The index is of the wrong file: only what the package says of itself can tell.
    let offer = |there: &[u8], gpgcheck: &str| {
        let _ = fs_err::remove_dir_all(site.place.path("cache"));
        write_other(&folder, &[(FILE, &bytes, there)], &[]);
        site.place.config(&format!("{lines}\ngpgcheck={gpgcheck}"))
    };
    // What is damaged is refused whether signatures are wanted or not.
    for gpgcheck in ["1", "0"] {
        for (what, there, reason) in damaged(&bytes) {
            let config = offer(&there, gpgcheck);
            site.refuses(&config, &job, what, &["`app-1-1.noarch` from `base` is not accepted", reason]);
        }
        let (_, newer) = package("app-1-2.noarch", &[]);
        let reasons = [FILE, "is app-1-2.noarch, but app-1-1.noarch was chosen"];
        site.refuses(&offer(&newer, gpgcheck), &job, "another package", &reasons);
    }
    // The signature of one package does not do for another.
    let packet = parts(&bytes).0.signatures().remove(0);
    let (_, stranger) = package("app-1-1.noarch", &["first"]);
    let (start, payload) = parts(&stranger);
    let mut borrowed = Vec::new();
    start.with_signature(&packet).expect("it fits").write_start(&mut borrowed).expect("it can be written");
    borrowed.extend_from_slice(payload);
    let fingerprint = other.public_key().fingerprint();
    for (what, there, reason) in [
        ("it is not signed", plain.clone(), "it is not signed, and `gpgcheck` of `base` wants it to be"),
        ("another signed it", signed(&plain, &other), "`base` has no `gpgkey` that is this key"),
        ("it has the signature of another", borrowed, "is not over these bytes"),
    ] {
        site.refuses(&offer(&there, "1"), &job, what, &["`app-1-1.noarch` from `base` is not accepted", reason]);
    }
    site.refuses(&offer(&signed(&plain, &other), "1"), &job, "another signed it", &[&fingerprint]);
    site.accepts(&offer(&bytes, "1"), &job);
}

#[test]
fn host_a_package_file_that_is_damaged_is_refused_though_nobody_wants_a_signature() {
    let Some(site) = Site::new() else { return };
    let folder = site.place.path("repository");
    write(&folder, &[]);
    let config = site.place.config(&format!("baseurl=file://{}", folder.display()));
    let (_, bytes) = package("app-1-1.noarch", &[]);
    let file = site.place.path(FILE);
    let job = |there: &[u8]| {
        fs_err::write(&file, there).expect("it can be written");
        package_of_file(&file).map(|package| Job { files: vec![(file.clone(), package)], ..Job::default() })
    };
    let mut read = 0;
    for (what, there, reason) in damaged(&bytes) {
        match job(&there) {
            Ok(job) => site.refuses(&config, &job, what, &["`app-1-1.noarch` from `@commandline`", reason]),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains(&file.display().to_string()) && error.contains(reason), "{what}: {error}");
                continue;
            }
        }
        read += 1;
    }
    assert_eq!(read, 6, "of those whose header can be read, another one was refused at once");
    // It is looked at again after it was chosen.
    let chosen = job(&bytes).expect("it is as it should be");
    fs_err::write(&file, package("app-1-2.noarch", &[]).1).expect("it can be written");
    site.refuses(&config, &chosen, "it was changed", &[FILE, "is app-1-2.noarch, but app-1-1.noarch was chosen"]);
    site.accepts(&config, &job(&bytes).expect("it is as it should be"));
}

#[test]
fn host_a_server_that_does_wrong_with_packages_changes_nothing() {
    if Site::new().is_none() {
        return;
    }
    if !Tool::Curl.is_installed(&Place::new().host) {
        curl_missing();
        return;
    }
    let manners = [
        (Manner::Lies(".rpm"), "its sha256 is"),
        (Manner::Only(".rpm", &Manner::Truncates), "it is cut off after"),
        (Manner::Only(".rpm", &Manner::Stalls), "it stalled, or did not answer within 2 s"),
        (Manner::Only(".rpm", &Manner::StallsHalfway), "it stalled, or did not answer within 2 s"),
        (Manner::Only(".rpm", &Manner::Redirects), "it was redirected more than 10 times"),
        (Manner::Only(".rpm", &Manner::Endless), "it is larger than the expected"),
        (Manner::Only(".rpm", &Manner::Fails(404)), "the server answered 404"),
        (Manner::Only(".rpm", &Manner::Fails(503)), "the server answered 503"),
    ];
    // Most of the time they wait.
    std::thread::scope(|scope| {
        for (manner, reason) in manners {
            scope.spawn(move || wrong_server(manner, reason));
        }
    });
}

fn wrong_server(manner: Manner, reason: &str) {
    let site = Site::new().expect("it was possible before");
    let folder = site.place.path("repository");
    let (_, bytes) = package("app-1-1.noarch", &[]);
    write(&folder, &[(FILE.to_owned(), bytes.clone())]);
    let job = Job { install: words(&["app"]), ..Job::default() };
    let bad = serve(folder.clone(), manner);
    let config = site.place.config(&format!("baseurl={bad}\ngpgcheck=0"));
    let whose = format!("{bad}{FILE}: ");
    let expected = match manner {
        Manner::Lies(_) => format!("{} is expected", pkg::Digest::of(&bytes).hex()),
        _ => String::new(),
    };
    let reasons = ["the repository `base` cannot be used: no mirror gives `app-1-1.noarch.rpm`", &whose, reason];
    site.refuses(&config, &job, &format!("{manner:?}"), &[&reasons[..], &[&expected]].concat());
    // Nothing of the wrong bytes is taken for the package later, and with another mirror all is well.
    let good = serve(folder, Manner::Good);
    site.accepts(&site.place.config(&format!("baseurl={bad}\n  {good}\ngpgcheck=0")), &job);
}

#[expect(clippy::disallowed_macros, reason = "a test says why it does nothing")]
fn curl_missing() {
    eprintln!("skipped: curl not installed");
}
