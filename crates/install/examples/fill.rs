//! Fills a root with packages of a repository: what `bench/install` times.
//!
//! usage: fill list REPOSITORY KEY NAME...               the package files that each NAME comes to, a line each
//!        fill tree REPOSITORY KEY STORE NAME...         a root as a value, as images are made from it
//!        fill directory REPOSITORY KEY STORE TO NAME... the same, written into the empty directory TO
//!        fill files-tree LIST STORE                     a root of the package files of LIST, as sha256sum(1) writes it
//!        fill files-directory LIST STORE TO             the same, written into the empty directory TO
#![expect(clippy::disallowed_macros, reason = "a program for people at a terminal")]

use std::path::Path;

use host::Host;
use host::clock::Stopwatch;
use install::{Options, PackageFile, Repository, Sharing, fill};
use pkg::{Arch, Relation, SourceDateEpoch};
use store::Store;

fn choose(repository: &str, key: &str, names: &[String]) -> Result<Vec<PackageFile>, Box<dyn std::error::Error>> {
    let mut keys = sign::KeyRing::new();
    keys.add(&fs_err::read(key)?)?;
    let wanted: Result<Vec<Relation>, _> = names.iter().map(|name| Relation::parse(name)).collect();
    Ok(Repository::open(Path::new(repository), &keys)?.resolve(wanted?, Vec::new(), &Arch::new("x86_64"))?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some("files-tree" | "files-directory") = arguments.first().map(String::as_str) {
        let to = arguments.get(3).filter(|_| arguments[0] == "files-directory");
        let (Some(list), Some(store)) = (arguments.get(1), arguments.get(2)) else { return Err("LIST STORE".into()) };
        return fill_files(Path::new(list), Path::new(store), to.map(Path::new));
    }
    let (store, to, names) = match arguments.first().map(String::as_str) {
        Some("list") if arguments.len() > 3 => {
            for file in choose(&arguments[1], &arguments[2], &arguments[3..])? {
                println!("{}", file.path.display());
            }
            return Ok(());
        }
        Some("tree") if arguments.len() > 4 => (&arguments[3], None, &arguments[4..]),
        Some("directory") if arguments.len() > 5 => (&arguments[3], Some(&arguments[4]), &arguments[5..]),
        _ => return Err("usage: fill list|tree|directory REPOSITORY KEY [STORE [TO]] NAME...".into()),
    };
    let clock = Stopwatch::start();
    let files = choose(&arguments[1], &arguments[2], names)?;
    let (host, store) = (Host::detect()?, Store::open(store)?);
    run(&files, &host, &store, to.map(Path::new), &clock)
}

/// Fills a root with the package files of a list, as sha256sum(1) writes it.
fn fill_files(list: &Path, store: &Path, to: Option<&Path>) -> Result<(), Box<dyn std::error::Error>> {
    let clock = Stopwatch::start();
    let (host, store) = (Host::detect()?, Store::open(store)?);
    let mut files = Vec::new();
    for line in fs_err::read_to_string(list)?.lines() {
        let (digest, path) = line.split_once("  ").ok_or("a line without a digest")?;
        files.push(PackageFile { path: path.into(), digest: pkg::Digest::parse(digest)? });
    }
    run(&files, &host, &store, to, &clock)
}

fn run(
    files: &[PackageFile],
    host: &Host,
    store: &Store,
    to: Option<&Path>,
    clock: &Stopwatch,
) -> Result<(), Box<dyn std::error::Error>> {
    let options = Options { at: SourceDateEpoch(1_700_000_000), is_excluded: &|_| false, progress: &|_, _, _| {} };
    let installed = fill(files, &options, host, store)?;
    if let Some(to) = to {
        install::write_directory(&installed.tree, &installed.contents, to, Sharing::Links, host.cores())?;
    }
    let failed = installed.scriptlets.iter().filter(|run| run.failure.is_some()).count();
    println!(
        "{:.3} s: {} packages, {} paths, {} scriptlets, {failed} of them failed",
        clock.elapsed().as_secs_f64(),
        installed.packages.len(),
        installed.tree.len(),
        installed.scriptlets.len()
    );
    Ok(())
}
