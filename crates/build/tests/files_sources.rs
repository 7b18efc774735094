//! Sources from servers that do wrong, from repositories of git, and signed ones.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use build::sources::{
    Access, Algorithm, Checksum, Origin, Signature, SignedBy, Source, fetch, fetch_each, measure, pin,
};
use build::{BuildError, Silent};
use host::transfer::Manner;
use host::{Cmd, Host, Tool};
use pkg::{Arch, Digest, SourceDateEpoch};
use sign::Signer as _;
use store::Store;
use testkit::server::{self, serve, serve_heard};

/// A folder that servers show, a store, and what is needed to fetch.
struct Bench {
    folder: tempfile::TempDir,
    host: Host,
    store: Store,
    arch: Arch,
    manner: Manner,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("www")).unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        let manner = Manner { timeout_s: 2, retries: 2, proxy: "none".to_owned(), ..Manner::default() };
        Bench { folder, host: Host::detect().unwrap(), store, arch: Arch::new("x86_64"), manner }
    }

    fn www(&self) -> PathBuf {
        self.folder.path().join("www")
    }

    fn access(&self) -> Access<'_> {
        Access { suite: "", arch: &self.arch, parallel: 4, manner: &self.manner }
    }

    /// A file that servers show, and the source that it is.
    fn source(&self, name: &str, bytes: &[u8], addresses: &[&str]) -> Source {
        fs_err::write(self.www().join(name), bytes).unwrap();
        let addresses = addresses.iter().map(|base| format!("{base}{name}")).collect();
        source(name, bytes, Origin::Remote(addresses))
    }

    fn fetch(&self, sources: &[Source]) -> Result<Vec<Digest>, BuildError> {
        fetch(sources, &self.access(), &self.host, &self.store, &Silent)
    }

    fn quarantined(&self) -> usize {
        fs_err::read_dir(self.store.root().join("quarantine")).unwrap().count()
    }

    fn part(&self, source: &Source) -> PathBuf {
        let checksum = source.checksum.as_ref().unwrap();
        self.store.area("sources").unwrap().join(format!("{}-{}.part", checksum.algorithm, checksum.hex))
    }
}

fn sha512(bytes: &[u8]) -> Checksum {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs_err::write(file.path(), bytes).unwrap();
    measure(file.path(), Algorithm::Sha512).unwrap().sha512
}

fn source(name: &str, bytes: &[u8], origin: Origin) -> Source {
    Source {
        component: "tiny".to_owned(),
        file_name: name.to_owned(),
        origin,
        checksum: Some(sha512(bytes)),
        size: None,
        signature: None,
        at: "sources:1:1".to_owned(),
    }
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|number| (number * 31 % 251) as u8).collect()
}

#[test]
fn files_of_mirrors_come_from_the_first_that_is_right() {
    let bench = Bench::new();
    let (gone, heard_gone) = serve_heard(bench.www(), server::Manner::Fails(404));
    let (lies, heard_lies) = serve_heard(bench.www(), server::Manner::Lies("a.tar"));
    let (good, heard_good) = serve_heard(bench.www(), server::Manner::Good);
    let (after, heard_after) = serve_heard(bench.www(), server::Manner::Good);
    let bytes = content(100_000);
    let source = bench.source("a.tar", &bytes, &[&gone, &lies, &good, &after]);
    let digests = bench.fetch(std::slice::from_ref(&source)).unwrap();
    assert_eq!(fs_err::read(bench.store.object_path(&digests[0])).unwrap(), bytes);
    assert_eq!(bench.quarantined(), 1, "what the second one sent");
    for (heard, count) in [(heard_gone, 1), (heard_lies, 1), (heard_good, 1), (heard_after, 0)] {
        assert_eq!(heard.lock().unwrap().len(), count);
    }
    assert!(!bench.part(&source).exists());
    // What is in the store is asked for nowhere.
    let nowhere = Source { origin: Origin::Remote(Vec::new()), ..source };
    assert_eq!(bench.fetch(&[nowhere]).unwrap(), digests);
}

#[test]
fn files_that_no_server_gives_right_are_told_and_not_taken() {
    for (manner, told) in [
        (server::Manner::Truncates, "cut off after"),
        (server::Manner::Stalls, "stalled"),
        (server::Manner::Redirects, "redirected more than 10 times"),
        (server::Manner::Endless, "larger than the expected 5000 bytes"),
        (server::Manner::Fails(503), "the server answered 503"),
        (server::Manner::Fails(404), "the server answered 404"),
    ] {
        let bench = Bench::new();
        let base = serve(bench.www(), manner).replace("http://", "http://me:secret@");
        let source = Source { size: Some(5000), ..bench.source("a.tar", &content(5000), &[&base]) };
        let error = bench.fetch(&[source]).unwrap_err();
        let BuildError::SourceUnreachable { failures, .. } = &error else { panic!("{manner:?}: {error}") };
        assert!(failures.iter().any(|failure| failure.contains(told)), "{manner:?}: {error}");
        assert!(error.to_string().contains("sources:1:1"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert_eq!(bench.quarantined(), 0);
    }
    let bench = Bench::new();
    let base = serve(bench.www(), server::Manner::Lies("a.tar"));
    let error = bench.fetch(&[bench.source("a.tar", &content(5000), &[&base])]).unwrap_err();
    let BuildError::SourceDiffers { quarantine, locked, received, .. } = error else { panic!("{error}") };
    assert!(quarantine.is_file() && locked != received, "{locked} {received}");
}

#[test]
fn files_go_on_where_an_interruption_left_them() {
    let bench = Bench::new();
    let bytes = content(400_000);
    // Within one call: the second half of a connection that was cut.
    let (cut, heard) = serve_heard(bench.www(), server::Manner::TruncatesOnce);
    bench.fetch(&[bench.source("cut.tar", &bytes, &[&cut])]).unwrap();
    assert_eq!(*heard.lock().unwrap(), ["/cut.tar", "/cut.tar from 200000"]);
    // Between two calls, and on another mirror.
    let bytes = content(300_001);
    let stalls = serve(bench.www(), server::Manner::StallsHalfway);
    let once = Bench { manner: Manner { retries: 1, timeout_s: 1, ..bench.manner.clone() }, ..bench };
    let source = once.source("stalls.tar", &bytes, &[&stalls]);
    once.fetch(&[source]).unwrap_err();
    let (good, heard) = serve_heard(once.www(), server::Manner::Good);
    let source = once.source("stalls.tar", &bytes, &[&good]);
    assert_eq!(fs_err::metadata(once.part(&source)).unwrap().len(), 150_000);
    once.fetch(&[source]).unwrap();
    assert_eq!(*heard.lock().unwrap(), ["/stalls.tar from 150000"]);
}

#[test]
fn files_start_again_where_going_on_does_not_help() {
    for (name, left, manner, asked) in [
        ("no-ranges", content(1000), server::Manner::NoRanges, vec!["/a.tar from 1000", "/a.tar"]),
        ("another start", vec![b'x'; 1000], server::Manner::Good, vec!["/a.tar from 1000", "/a.tar"]),
        ("beyond the end", vec![b'x'; 60_000], server::Manner::Good, vec!["/a.tar from 60000", "/a.tar"]),
        ("whole", content(50_000), server::Manner::Good, vec![]),
    ] {
        let bench = Bench::new();
        let (base, heard) = serve_heard(bench.www(), manner);
        let source = bench.source("a.tar", &content(50_000), &[&base]);
        fs_err::write(bench.part(&source), left).unwrap();
        bench.fetch(&[source]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(*heard.lock().unwrap(), asked, "{name}");
        assert_eq!(bench.quarantined(), 0, "{name}");
    }
}

#[test]
fn files_known_by_other_digests_are_verified_too() {
    let bench = Bench::new();
    let base = serve(bench.www(), server::Manner::Good);
    let lies = serve(bench.www(), server::Manner::Lies("a.tar"));
    let (bytes, place) = (content(5000), bench.folder.path().join("a"));
    fs_err::write(&place, &bytes).unwrap();
    for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
        let checksum = measure(&place, algorithm).unwrap().asked;
        let with = |addresses: &[&str]| Source {
            checksum: Some(checksum.clone()),
            ..bench.source("a.tar", &bytes, addresses)
        };
        let fresh =
            Bench { folder: tempfile::tempdir().unwrap(), store: other_store(&bench, algorithm), ..Bench::new() };
        assert!(checksum.find(&fresh.store).is_none());
        assert!(matches!(fresh.fetch(&[with(&[&lies])]), Err(BuildError::SourceDiffers { .. })));
        let found = fresh.fetch(&[with(&[&base])]).unwrap();
        assert_eq!(checksum.find(&fresh.store), Some(found[0]));
        assert_eq!(sha512(&bytes).find(&fresh.store), Some(found[0]));
    }
    let unpinned = Source { checksum: None, ..bench.source("a.tar", &bytes, &[&base]) };
    assert!(matches!(bench.fetch(&[unpinned]), Err(BuildError::Unpinned { .. })));
}

fn other_store(bench: &Bench, algorithm: Algorithm) -> Store {
    Store::open(bench.folder.path().join(format!("store-{algorithm}"))).unwrap()
}

#[test]
fn files_of_many_sources_do_not_wait_for_one_that_fails() {
    let bench = Bench::new();
    let good = serve(bench.www(), server::Manner::Good);
    let sources: Vec<Source> = (0..40)
        .map(|number| {
            let base = if number == 7 { "http://127.0.0.1:9/" } else { &good };
            bench.source(&format!("{number}.tar"), &content(1000 + number), &[base])
        })
        .collect();
    let fetched = fetch_each(&sources, &bench.access(), &bench.host, &bench.store, &Silent);
    for (number, (fetched, source)) in fetched.iter().zip(&sources).enumerate() {
        assert_eq!(fetched.is_ok(), number != 7, "{number}");
        assert_eq!(fetched.as_ref().ok().copied(), source.checksum.as_ref().unwrap().find(&bench.store));
    }
    // Without any network not each source costs its time.
    let none: Vec<Source> = (100..400)
        .map(|number| bench.source(&format!("{number}.tar"), &content(number), &["http://127.0.0.1:9/"]))
        .collect();
    let fetched = fetch_each(&none, &bench.access(), &bench.host, &bench.store, &Silent);
    let tried = fetched.iter().filter(|one| matches!(one, Err(BuildError::SourceUnreachable { .. }))).count();
    assert!((12..=16).contains(&tried), "{tried} were tried");
}

#[test]
fn files_are_signed_or_not_taken() {
    let bench = Bench::new();
    let at = SourceDateEpoch(1_700_000_000);
    let key = sign::Key::generate("Up <up@example.org>", sign::KeyAlgorithm::Ed25519, at).unwrap();
    let other = sign::Key::generate("Other <o@example.org>", sign::KeyAlgorithm::Ed25519, at).unwrap();
    let keys = bench.folder.path().join("keys.asc");
    fs_err::write(&keys, key.public_key_armored().unwrap()).unwrap();
    let base = serve(bench.www(), server::Manner::Good);
    let tar = content(50_000);
    let mut packed = liblzma::write::XzEncoder::new(Vec::new(), 1);
    std::io::Write::write_all(&mut packed, &tar).unwrap();
    let packed = packed.finish().unwrap();
    let signed = |by: SignedBy, uncompressed: bool, bytes: &[u8]| {
        let signature = Signature { by, key: keys.clone(), uncompressed, at: "comp.toml:9:1".to_owned() };
        Source { signature: Some(signature), ..bench.source("a.tar.xz", bytes, &[&base]) }
    };
    let file = |name: &str, text: String| {
        let path = bench.folder.path().join(name);
        fs_err::write(&path, text).unwrap();
        SignedBy::File(path)
    };
    for (name, by, uncompressed, told) in [
        (
            "of another key",
            file("1", other.sign_detached_armored(&packed, at).unwrap()),
            false,
            "none of the 1 accepted",
        ),
        ("over other bytes", file("2", key.sign_detached_armored(b"x", at).unwrap()), false, "is not over these bytes"),
        (
            "over the archive",
            file("3", key.sign_detached_armored(&packed, at).unwrap()),
            true,
            "is not over these bytes",
        ),
        ("no signature", file("4", "hello".to_owned()), false, "is no OpenPGP signature"),
    ] {
        let source = signed(by, uncompressed, &packed);
        let checksum = source.checksum.clone().unwrap();
        let error = bench.fetch(&[source]).unwrap_err();
        let BuildError::SourceSignature { cause, quarantine: Some(kept), .. } = &error else {
            panic!("{name}: {error}")
        };
        assert!(cause.contains(told), "{name}: {cause}");
        assert!(kept.is_file() && checksum.find(&bench.store).is_none(), "{name}");
    }
    // Signed over the tar, and the signature is a source itself, named after what it signs.
    let text = key.sign_detached_armored(&tar, at).unwrap();
    let by = SignedBy::Source("a.tar.sign".to_owned());
    let both = [signed(by, true, &packed), bench.source("a.tar.sign", text.as_bytes(), &[&base])];
    let digests = bench.fetch(&both).unwrap();
    assert_eq!(fs_err::read(bench.store.object_path(&digests[0])).unwrap(), packed);
    assert_eq!(bench.fetch(&both).unwrap(), digests);
    // In the store already: the signature that is wanted now counts all the same.
    let wrong = signed(SignedBy::File(bench.folder.path().join("2")), false, &packed);
    assert!(matches!(bench.fetch(&[wrong]), Err(BuildError::SourceSignature { quarantine: None, .. })));
}

fn git(host: &Host, folder: &Path, args: &[&str]) -> String {
    let cmd = Cmd::new(Tool::Git)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
        .args(["-c", "user.name=N", "-c", "user.email=e@example.org", "-c", "protocol.file.allow=always", "-C"])
        .arg(folder)
        .args(args);
    host.check(&cmd).unwrap().text().trim().to_owned()
}

#[test]
fn files_of_a_commit_are_packed_into_the_same_bytes_each_time() {
    let bench = Bench::new();
    let repository = bench.folder.path().join("up");
    fs_err::create_dir_all(repository.join("deep/er")).unwrap();
    git(&bench.host, &repository, &["init", "--quiet"]);
    let long = format!("deep/er/{}", "n".repeat(150));
    fs_err::write(repository.join("run"), "#!/bin/sh\n").unwrap();
    fs_err::write(repository.join(&long), content(70_000)).unwrap();
    fs_err::write(repository.join("version"), "$Format:%h$\n").unwrap();
    fs_err::write(repository.join(".gitattributes"), "version export-subst\n").unwrap();
    fs_err::os::unix::fs::symlink("run", repository.join("link")).unwrap();
    git(&bench.host, &repository, &["add", "."]);
    git(&bench.host, &repository, &["update-index", "--chmod=+x", "run"]);
    git(&bench.host, &repository, &["commit", "--quiet", "-m", "one"]);
    let commit = git(&bench.host, &repository, &["rev-parse", "HEAD"]);
    // What comes later changes nothing.
    fs_err::write(repository.join("run"), "later").unwrap();
    git(&bench.host, &repository, &["commit", "--quiet", "-a", "-m", "two"]);
    let uri = format!("file://{}", repository.display());
    let wanted = |name: &str, commit: &str| Source {
        checksum: None,
        ..source(name, b"", Origin::Git { uri: uri.clone(), commit: commit.to_owned() })
    };
    let pinned = pin(&wanted("up-1.tar.gz", &commit), None, &bench.access(), &bench.host, &bench.store).unwrap();
    let unpacked = bench.folder.path().join("unpacked");
    fs_err::create_dir(&unpacked).unwrap();
    let tar = Cmd::new(Tool::Tar).arg("-xzf").arg(bench.store.object_path(&pinned.digest)).arg("-C").arg(&unpacked);
    bench.host.check(&tar).unwrap();
    let top = unpacked.join("up-1");
    assert_eq!(fs_err::read_to_string(top.join("run")).unwrap(), "#!/bin/sh\n");
    assert_eq!(fs_err::read_to_string(top.join("version")).unwrap(), "$Format:%h$\n");
    assert_eq!(fs_err::read(top.join(&long)).unwrap(), content(70_000));
    assert_eq!(fs_err::read_link(top.join("link")).unwrap(), Path::new("run"));
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs_err::metadata(top.join("run")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o755);

    // Another store, with all of the history.
    let other = Bench::new();
    let copy = other.folder.path().join("copy.git");
    git(&other.host, other.folder.path(), &["clone", "--quiet", "--bare", &uri, "copy.git"]);
    let from_copy = Source {
        checksum: Some(Checksum::new(Algorithm::Sha512, &pinned.sha512)),
        size: Some(pinned.size),
        ..source("up-1.tar.gz", b"", Origin::Git { uri: copy.display().to_string(), commit: commit.clone() })
    };
    assert_eq!(other.fetch(&[from_copy]).unwrap(), [pinned.digest]);

    let plain = pin(&wanted("up-1.tar", &commit), None, &bench.access(), &bench.host, &bench.store).unwrap();
    assert_eq!(measure(&bench.store.object_path(&plain.digest), Algorithm::Sha512).unwrap().size, plain.size);
    for (name, commit, told) in [
        ("up.tar.xz", commit.as_str(), "ends in none of .tar, .tar.gz, .tgz"),
        ("up.tar", &"0".repeat(40), "leads to this commit"),
    ] {
        let error = pin(&wanted(name, commit), None, &bench.access(), &bench.host, &bench.store).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    let absent = Source {
        origin: Origin::Git { uri: "https://me:secret@127.0.0.1:9/x.git".to_owned(), commit },
        ..wanted("up.tar", "")
    };
    let error = pin(&absent, None, &bench.access(), &bench.host, &bench.store).unwrap_err().to_string();
    assert!(!error.contains("secret") && error.contains("***@127.0.0.1"), "{error}");
}
