//! Writes the metadata of a folder of packages: `index FOLDER STORE`. Used by `bench/repository`.

#![expect(clippy::disallowed_macros, reason = "a program of its own, not the command line of slipway")]

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [folder, store] = arguments.as_slice() else { return Err("usage: index FOLDER STORE".into()) };
    let indexed = publish::index(folder, pkg::SourceDateEpoch(1_700_000_000), &store::Store::open(store)?)?;
    println!("{} packages, {} read", indexed.packages, indexed.read);
    Ok(())
}
