//! Repositories that cannot be had: the command ends, or goes on without them where that is allowed.

use std::net::TcpListener;
use std::path::PathBuf;

use pkg::Digest;
use repodata::{Compression, Documents, Entry};
use rpm::write::NewFile;
use testkit::packages::AT;
use testkit::server::{Manner, serve};

use crate::machine::{can_run, command, package};

/// A folder with a root, a repository `good` of one package, `app`, and the description of another, `gone`.
struct Place {
    folder: tempfile::TempDir,
}

/// How a call ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    data: String,
    notes: String,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a folder can be made") };
        let repository = place.path("good");
        fs_err::create_dir_all(repository.join("repodata")).expect("a folder can be made");
        let bytes = package("app-1-1.noarch").file("/app", NewFile::regular("app\n")).build();
        let bytes = bytes.expect("a package can be made");
        let file = repository.join("app-1-1.noarch.rpm");
        fs_err::write(&file, &bytes).expect("it can be written");
        let mut package = update::resolve::package_of_file(&file).expect("it is a package");
        package.checksum = Digest::of(&bytes).into();
        package.location = "app-1-1.noarch.rpm".to_owned();
        let documents = Documents::new(&[Entry::new(&package)], Compression::Gzip, AT).expect("documents can be made");
        for (name, bytes) in &documents.files {
            fs_err::write(repository.join(name), bytes).expect("a document can be written");
        }
        fs_err::write(repository.join("repodata/repomd.xml"), documents.repomd.to_xml()).expect("it can be written");
        fs_err::create_dir(place.path("repos")).expect("a folder can be made");
        fs_err::create_dir(place.path("root")).expect("a folder can be made");
        place.describe("good", &format!("baseurl=file://{}", repository.display()));
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn describe(&self, id: &str, lines: &str) {
        let text = format!("[{id}]\nname={id}\ngpgcheck=0\ntimeout=1\nretries=1\n{lines}\n");
        fs_err::write(self.path("repos").join(format!("{id}.repo")), text).expect("it can be written");
    }

    /// The program, from an empty cache.
    fn call(&self, words: &[&str]) -> Said {
        let _ = fs_err::remove_dir_all(self.path("cache"));
        let done = command(env!("CARGO_BIN_EXE_slipway"))
            .args(["dnf", "-y", "--releasever=1", "--setopt=keepcache=1"])
            .arg(format!("--installroot={}", self.path("root").display()))
            .arg(format!("--setopt=reposdir={}", self.path("repos").display()))
            .arg(format!("--setopt=cachedir={}", self.path("cache").display()))
            .args(words)
            .env("XDG_CACHE_HOME", self.path("store"))
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { code: done.status.code(), data: text(&done.stdout), notes: text(&done.stderr) }
    }

    /// It stops, and says of which repository and why.
    fn stops(&self, words: &[&str], why: &str) {
        let said = self.call(words);
        assert_eq!((said.code, said.data.as_str()), (Some(1), ""), "{words:?}: {}", said.notes);
        for part in ["error: ", "`gone`", why, "hint: `--disable-repo=gone` goes on without it"] {
            assert!(said.notes.contains(part), "{words:?}: `{part}` is not in {}", said.notes);
        }
        assert!(!self.path("root/app").exists(), "{words:?}");
    }

    /// It goes on with the other one, and says which is left out and why.
    fn goes_on(&self, words: &[&str], why: &str) {
        let said = self.call(words);
        assert_eq!(said.code, Some(0), "{words:?}: {}", said.notes);
        assert!(said.data.contains("app"), "{words:?}: {said:?}");
        for part in ["warning: ", "warning: `gone` is skipped", why] {
            assert!(said.notes.contains(part), "{words:?}: `{part}` is not in {}", said.notes);
        }
        assert!(!said.notes.contains("error: "), "{words:?}: {}", said.notes);
    }
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    format!("http://{}/", listener.local_addr().expect("it has an address"))
}

const ASK: &[&str] = &["repoquery", "app"];
const SKIP: &str = "--setopt=gone.skip_if_unavailable=1";

#[test]
fn files_a_repository_that_cannot_be_had_stops_the_command_unless_it_may_be_missing() {
    let place = Place::new();
    if command("curl").arg("--version").output().is_err() {
        curl_missing();
        return;
    }
    let good = place.path("good");
    let nobody = nobody();
    let stalls = serve(good.clone(), Manner::Stalls);
    let lies = serve(good.clone(), Manner::Lies("primary"));
    let empty = serve(place.path("root"), Manner::Good);
    let unsigned = format!("file://{}", good.display());
    for (lines, why) in [
        (format!("baseurl={nobody}"), nobody.as_str()),
        (format!("baseurl={stalls}"), "it stalled, or did not answer within 1 s"),
        (format!("baseurl={lies}"), "its sha256 is"),
        (format!("baseurl={empty}"), "the server answered 404"),
        (format!("mirrorlist={empty}mirrors"), "the server answered 404"),
        (format!("baseurl={unsigned}\nrepo_gpgcheck=1"), "repomd.xml.asc"),
        ("baseurl=file:///nowhere/$nothing".to_owned(), "nothing"),
        (String::new(), "gone.repo"),
    ] {
        // Nobody says so, the repository says so, the command line says so.
        place.describe("gone", &lines);
        place.stops(ASK, why);
        place.goes_on(&[&[SKIP], ASK].concat(), why);
        place.describe("gone", &format!("{lines}\nskip_if_unavailable=0"));
        place.stops(ASK, why);
        place.describe("gone", &format!("{lines}\nskip_if_unavailable=1"));
        place.goes_on(ASK, why);
    }
}

#[test]
fn files_whether_a_repository_may_be_missing_is_said_as_every_other_option() {
    let place = Place::new();
    let why = "/nowhere/repodata/repomd.xml";
    let with = |option: &'static str| [&[option][..], ASK].concat();
    place.describe("gone", "baseurl=file:///nowhere");
    for option in [
        "--setopt=skip_if_unavailable=1",
        "--setopt=*.skip_if_unavailable=yes",
        "--setopt=g*e.skip_if_unavailable=true",
    ] {
        place.goes_on(&with(option), why);
    }
    for option in ["--setopt=good.skip_if_unavailable=1", "--setopt=skip_if_unavailable=0"] {
        place.stops(&with(option), why);
    }
    // What a repository says of itself is stronger than `[main]`, and the command line's word for it than both.
    place.describe("gone", "baseurl=file:///nowhere\nskip_if_unavailable=0");
    place.stops(&with("--setopt=skip_if_unavailable=1"), why);
    place.describe("gone", "baseurl=file:///nowhere\nskip_if_unavailable=1");
    place.goes_on(&with("--setopt=skip_if_unavailable=0"), why);
    place.stops(&with("--setopt=gone.skip_if_unavailable=0"), why);
    // No cache is as bad as no answer.
    let said = place.call(&with("--cacheonly"));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.notes.contains("nothing of the repository `good` is in the cache"), "{said:?}");
    // What was left out has nothing, and that is said too.
    let said = place.call(&["--repo=gone", "install", "app"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    for part in ["warning: `gone` is skipped", "error: ", "app"] {
        assert!(said.notes.contains(part), "`{part}` is not in {said:?}");
    }
}

#[test]
fn host_packages_are_installed_without_a_repository_that_may_be_missing_and_not_otherwise() {
    let place = Place::new();
    if !can_run(&["curl"]) {
        return;
    }
    let nobody = nobody();
    place.describe("gone", &format!("baseurl={nobody}"));
    place.stops(&["install", "app"], &nobody);
    // An index is no promise: a package that does not come stops the command, whatever may be missing.
    let without = serve(place.path("good"), Manner::Only(".rpm", &Manner::Fails(404)));
    place.describe("gone", &format!("baseurl={without}\nskip_if_unavailable=1"));
    let said = place.call(&["--repo=gone", "install", "app"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let words = format!("{without}app-1-1.noarch.rpm: the server answered 404");
    assert!(said.notes.contains("no mirror gives `app-1-1.noarch.rpm`") && said.notes.contains(&words), "{said:?}");
    assert!(!place.path("root/app").exists(), "{said:?}");

    place.describe("gone", &format!("baseurl={nobody}"));
    place.goes_on(&[SKIP, "install", "app"], &nobody);
    assert!(place.path("root/app").exists());
}

#[expect(clippy::disallowed_macros, reason = "a test says why it does nothing")]
fn curl_missing() {
    println!("skipped: curl not installed");
}
