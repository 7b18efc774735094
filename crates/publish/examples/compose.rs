//! Publishes all packages below a folder: `compose PACKAGES STORE KEY OUT`. Makes the key where it is missing.
//! For looking at what signing and publishing cost.

#![expect(clippy::disallowed_macros, reason = "a program of its own, not the command line of slipway")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use pkg::SourceDateEpoch;
use publish::{Package, compose};
use sign::{Key, KeyAlgorithm};
use store::Store;

const AT: SourceDateEpoch = SourceDateEpoch(1_700_000_000);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [packages, store, key, out] = arguments.as_slice() else {
        return Err("usage: compose PACKAGES STORE KEY OUT".into());
    };
    if !key.exists() {
        Key::generate("Bench <bench@example.org>", KeyAlgorithm::Rsa4096, AT)?.save(key)?;
    }
    let key = Key::load(key)?;
    let store = Store::open(store)?;
    let mut found = Vec::new();
    find(packages, &mut found)?;
    found.sort();
    let mut given = Vec::with_capacity(found.len());
    for path in &found {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        given.push(Package { file_name, digest: store.put_file(path)? });
    }
    let start = Instant::now();
    let snapshot = compose(&given, &key, AT, &store, out)?;
    println!("{} packages in {:.3} s: {}", snapshot.packages.len(), start.elapsed().as_secs_f64(), snapshot.id);
    Ok(())
}

/// Collects the package files below a folder.
fn find(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rpm") {
            found.push(path);
        }
    }
    Ok(())
}
