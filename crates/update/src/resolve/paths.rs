//! Who has the paths that packages require and primary does not list.
//!
//! filelists tells, the largest document of a repository. What was looked up once is kept beside the documents, and with it all
//! that the packages of this run's repositories could ask for, so that filelists is read once a state and not once a run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use pkg::Digest;
use serde::{Deserialize, Serialize};
use solve::{PackageId, Universe};

use super::ResolveError;
use crate::{Machine, Synced};

/// Beside the documents that it was read from.
const FILE: &str = "owners";
/// A larger file is not ours.
const FILE_MAX: u64 = 64 << 20;

/// The answers for one state of a repository.
#[derive(Default, Serialize, Deserialize)]
struct Known {
    /// By path: the checksums of the packages that have it, as the table has them; none where nobody does.
    owners: BTreeMap<String, Vec<String>>,
}

/// Who has which of `paths`, by the filelists of all repositories and by what is installed.
///
/// The repositories' packages are those of the universe's sources, which are named after their place in `repositories`.
pub(super) fn owners(
    universe: &Universe<'_>,
    paths: &[String],
    repositories: &[Synced],
    machine: &Machine<'_>,
) -> Result<Vec<(PackageId, String)>, ResolveError> {
    let wanted: HashSet<&str> = paths.iter().map(String::as_str).collect();
    let mut owners = Vec::new();
    for id in universe.ids().filter(|id| universe.source(*id).is_none()) {
        let files = universe.package(id).files.into_iter();
        owners.extend(files.filter(|path| wanted.contains(path.as_str())).map(|path| (id, path)));
    }
    // By repository: the paths of each package that has one.
    let mut found: Vec<HashMap<String, Vec<&String>>> = Vec::new();
    for synced in repositories {
        let known = known(synced, paths, universe, machine)?;
        let mut by_checksum: HashMap<String, Vec<&String>> = HashMap::new();
        for path in paths {
            for checksum in known.owners.get(path).into_iter().flatten() {
                by_checksum.entry(checksum.clone()).or_default().push(path);
            }
        }
        found.push(by_checksum);
    }
    if found.iter().all(HashMap::is_empty) {
        return Ok(owners);
    }
    for id in universe.ids() {
        let Some(index) = universe.source(id).and_then(|source| source.name.parse::<usize>().ok()) else { continue };
        let own = found.get(index).and_then(|by_checksum| by_checksum.get(checksum(universe, id)));
        owners.extend(own.into_iter().flatten().map(|path| (id, (*path).clone())));
    }
    Ok(owners)
}

/// The digest of a package's file, which is its id in filelists.
fn checksum<'u>(universe: &'u Universe<'_>, id: PackageId) -> &'u str {
    universe.checksum(id).split_once(':').map_or("", |(_, hex)| hex)
}

/// What is known of a repository's paths, with all of `paths`.
fn known(
    synced: &Synced,
    paths: &[String],
    universe: &Universe<'_>,
    machine: &Machine<'_>,
) -> Result<Known, ResolveError> {
    let file = synced.state_folder().join(FILE);
    let known = read(&file);
    if paths.iter().all(|path| known.owners.contains_key(path)) {
        return Ok(known);
    }
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let asked = known.owners.into_keys().chain(paths.iter().cloned()).chain(universe.unknown_paths());
    owners.extend(asked.map(|path| (path, Vec::new())));
    let all: HashSet<&str> = owners.keys().map(String::as_str).collect();
    let found = synced.read("filelists", machine, |reader| repodata::filelists::owners(reader, &all))?;
    drop(all);
    for (checksum, path) in found.unwrap_or_default() {
        owners.entry(path).or_default().push(checksum);
    }
    owners.values_mut().for_each(|checksums| {
        checksums.sort();
        checksums.dedup();
    });
    let known = Known { owners };
    write(&file, &known);
    Ok(known)
}

/// One that is not there, cut off or damaged is as good as none.
fn read(file: &Path) -> Known {
    match fs_err::metadata(file) {
        Ok(metadata) if metadata.len() <= FILE_MAX => {}
        _ => return Known::default(),
    }
    let bytes = fs_err::read(file).unwrap_or_default();
    let (digest, json) = bytes.split_at_checked(64).unwrap_or_default();
    match Digest::of(json).hex().as_bytes() == digest {
        true => serde_json::from_slice(json).unwrap_or_default(),
        false => Known::default(),
    }
}

/// A cache that cannot be written costs time and nothing else. The digest of the text stands in front of it.
fn write(file: &Path, known: &Known) {
    let new = file.with_extension(format!("new-{}", std::process::id()));
    let json = serde_json::to_string(known).unwrap_or_default();
    let text = Digest::of(json.as_bytes()).hex() + &json;
    if fs_err::write(&new, text).is_err() || fs_err::rename(&new, file).is_err() {
        let _ = fs_err::remove_file(&new);
    }
}
