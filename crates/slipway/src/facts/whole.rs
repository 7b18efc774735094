//! The answers for all components of a definition at once, as long as nothing that they were made from has changed.
//!
//! What has changed is seen without reading: as in git's index, a file whose size, times and inode are those that were noted
//! has the bytes that it had. Answers are not kept while a file is younger than a clock's tick, for then a second change
//! could leave all of these as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use distro::Distro;
use pkg::{Digest, Hasher};
use store::Store;

use super::{Answer, Book, Ground};

/// The kind under which the store records answers.
const RECORD: &str = "spec-book";
/// Parts that are read side by side.
const PARTS: usize = 8;
/// Folders deeper than this below a spec are not looked into; then nothing is kept.
const DEEPEST: usize = 16;
/// Seconds that a file has to be old.
const SETTLED: i64 = 2;

/// What all answers were made from.
pub(super) struct State {
    digest: Digest,
    /// The newest time of a file, in seconds since 1970.
    newest: i64,
}

impl State {
    /// Looks at all files that an evaluation may read; `None` where they cannot be told apart by their facts.
    pub(super) fn of(distro: &Distro, ground: &Ground, threads: usize) -> Option<State> {
        let mut folders = BTreeSet::new();
        let mut hasher = Hasher::new();
        hasher.field("ground", ground.id.as_bytes());
        for component in distro.components.values() {
            let spec = component.effective_spec();
            hasher.field("component", &component.name);
            for path in [component.rendered.as_deref(), spec.as_deref()] {
                hasher.field("path", path.map_or(&b"none"[..], |path| path.as_os_str().as_bytes()));
            }
            if let Some(spec) = &spec {
                for (name, body) in ground.definitions_for(component, spec) {
                    hasher.field("definition", format!("{name} {body}"));
                }
            }
            folders.extend(component.rendered.clone());
            folders.extend(spec.as_deref().and_then(Path::parent).map(Path::to_owned));
        }
        let folders: Vec<PathBuf> = folders.into_iter().collect();
        let parts: Vec<Option<(Digest, i64)>> = std::thread::scope(|scope| {
            let size = folders.len().div_ceil(threads.max(1)).max(1);
            let workers: Vec<_> = folders.chunks(size).map(|part| scope.spawn(|| look_at(part))).collect();
            workers.into_iter().map(|worker| worker.join().ok().flatten()).collect()
        });
        let mut newest = i64::MIN;
        for part in parts {
            let (digest, newer) = part?;
            hasher.field("folders", digest.as_bytes());
            newest = newest.max(newer);
        }
        Some(State { digest: hasher.finish(), newest })
    }

    fn is_settled(&self) -> bool {
        i64::try_from(host::clock::unix_now()).is_ok_and(|now| self.newest.saturating_add(SETTLED) < now)
    }
}

/// Facts of all files in these folders.
fn look_at(folders: &[PathBuf]) -> Option<(Digest, i64)> {
    let mut hasher = Hasher::new();
    let mut newest = i64::MIN;
    for folder in folders {
        let mut open = vec![(folder.clone(), 0)];
        while let Some((folder, depth)) = open.pop() {
            // A folder that is missing has no files.
            let Ok(entries) = fs_err::read_dir(&folder) else { continue };
            let mut entries = entries.collect::<Result<Vec<_>, _>>().ok()?;
            entries.sort_by_key(fs_err::DirEntry::file_name);
            for entry in entries {
                let path = entry.path();
                let facts = entry.metadata().ok()?;
                hasher.field("file", path.as_os_str().as_bytes());
                let mut note = |facts: &Metadata| {
                    let times = [facts.mtime(), facts.mtime_nsec(), facts.ctime(), facts.ctime_nsec()];
                    hasher.field("facts", format!("{} {} {} {times:?}", facts.mode(), facts.size(), facts.ino()));
                    newest = newest.max(facts.mtime()).max(facts.ctime());
                };
                note(&facts);
                if facts.is_symlink() {
                    match fs_err::metadata(&path) {
                        // What is behind a link to a folder would have to be looked at, too.
                        Ok(target) if target.is_dir() => return None,
                        Ok(target) => note(&target),
                        Err(_) => {}
                    }
                }
                if facts.is_dir() {
                    if depth == DEEPEST {
                        return None;
                    }
                    open.push((path, depth + 1));
                }
            }
        }
    }
    Some((hasher.finish(), newest))
}

fn key(distro: &Distro) -> Digest {
    let root = std::path::absolute(&distro.file).unwrap_or_default();
    Digest::of(root.as_os_str().as_bytes())
}

/// The answers of `state`, if they are those that were kept last.
pub(super) fn load(store: &Store, distro: &Distro, state: &State) -> Option<Book> {
    let bytes = store.record(RECORD, &key(distro))?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if lines.next()? != state.digest.hex().as_bytes() {
        return None;
    }
    let without_spec = serde_json::from_slice(lines.next()?).ok()?;
    let parts: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    // A record that cannot be read, as after a change of its format, counts as none.
    let read: Vec<Option<BTreeMap<String, Answer>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = parts.iter().map(|part| scope.spawn(|| serde_json::from_slice(part).ok())).collect();
        workers.into_iter().map(|worker| worker.join().ok().flatten()).collect()
    });
    let mut answers = BTreeMap::new();
    for part in read {
        answers.append(&mut part?);
    }
    Some(Book { answers, without_spec, evaluated: 0 })
}

/// Keeps the answers, where what they were made from is old enough to be told apart from what comes.
pub(super) fn save(store: &Store, distro: &Distro, state: &State, book: &Book) -> Option<()> {
    if !state.is_settled() {
        return None;
    }
    let mut bytes = format!("{}\n", state.digest.hex()).into_bytes();
    bytes.extend(serde_json::to_vec(&book.without_spec).ok()?);
    let answers: Vec<(&String, &Answer)> = book.answers.iter().collect();
    for part in answers.chunks(answers.len().div_ceil(PARTS).max(1)) {
        bytes.push(b'\n');
        let part: BTreeMap<&String, &Answer> = part.iter().copied().collect();
        bytes.extend(serde_json::to_vec(&part).ok()?);
    }
    store.set_record(RECORD, &key(distro), &bytes).ok()
}
