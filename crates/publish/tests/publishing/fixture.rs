//! What the tests of publishing share: tiny packages, a key, a store.

use std::path::Path;
use std::process::{Command, Output};

use pkg::{Digest, Nevra, SourceDateEpoch};
use publish::{Package, Snapshot, compose};
use rpm::write::{NewFile, PackageBuilder};
use sign::{Key, KeyAlgorithm};
use store::Store;

pub(crate) const AT: SourceDateEpoch = SourceDateEpoch(1_700_000_000);

pub(crate) fn key() -> Key {
    use rand::SeedableRng as _;
    let random = rand::rngs::StdRng::seed_from_u64(7);
    Key::generate_from("Test <test@example.org>", KeyAlgorithm::Ed25519, AT, random).unwrap()
}

pub(crate) fn builder(nevra: &str) -> PackageBuilder {
    PackageBuilder::new(Nevra::parse(nevra).unwrap(), AT)
}

/// Some packages that need one another.
pub(crate) fn packages() -> Vec<Vec<u8>> {
    let app = builder("app-1:1.0~rc1-1.noarch")
        .summary("An <app> & more")
        .requires("libapp >= 2")
        .requires("/usr/bin/app-helper")
        .requires("/usr/bin/app")
        .file("/usr/bin/app", NewFile::regular("#!/bin/sh\n").mode(0o755))
        .file("/etc/app.conf", NewFile::regular("a=b\n"))
        .file("/var/log/app.log", NewFile::ghost());
    let libapp = builder("libapp-2.1-3.noarch")
        .file("/usr/share/libapp", NewFile::directory())
        .file("/usr/share/libapp/data", NewFile::regular("data"));
    let helper = builder("app-helper-1-1.noarch").file("/usr/bin/app-helper", NewFile::regular("").mode(0o755));
    [app, libapp, helper].into_iter().map(|builder| builder.build().unwrap()).collect()
}

pub(crate) fn keep(store: &Store, packages: &[Vec<u8>]) -> Vec<Package> {
    let keep = |bytes: &Vec<u8>| {
        let nevra = rpm::Package::read(&mut bytes.as_slice()).unwrap().nevra();
        Package { file_name: nevra.file_name(), digest: store.put_bytes(bytes).unwrap() }
    };
    packages.iter().map(keep).collect()
}

/// Publishes the packages above from the store in `folder` to `folder/out`.
pub(crate) fn publish(folder: &Path) -> Snapshot {
    let store = Store::open(folder.join("store")).unwrap();
    compose(&keep(&store, &packages()), &key(), AT, &store, &folder.join("out")).unwrap()
}

/// All files below a folder: path and digest, sorted.
pub(crate) fn files(folder: &Path) -> Vec<(String, Digest)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs_err::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, Digest::of(&fs_err::read(&path).unwrap())));
            }
        }
    }
    found.sort();
    found
}

/// Runs a program that is an oracle; none when it is not installed, which is said.
#[expect(clippy::disallowed_methods, clippy::disallowed_macros, reason = "oracles run only in tests")]
pub(crate) fn oracle(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {program} not installed");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
