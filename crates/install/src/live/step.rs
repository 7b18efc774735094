//! The steps from what is there to what is to be there, each of which can be undone from any point of it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use tree::{Change, Kind, Meta, Node, Tree, TreePath};

use super::disk::{Bytes, Disk, Time, is_directory, is_there};
use super::holds::{Holds, Which};
use crate::Contents;

/// One step. `number` names what it keeps in the folder of its mount.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    /// A directory comes where nothing was.
    MakeDirectory { path: String, meta: Meta },
    /// Something else than a directory comes, in the place of something else than a directory or of nothing.
    Place { path: String, number: u64, what: What, replaces: bool },
    /// A directory gets another name, which is free.
    MoveDirectory { from: String, to: String },
    /// Something else than a directory goes.
    Remove { path: String, number: u64 },
    /// A directory goes if it is empty.
    RemoveDirectory { path: String, before: Meta },
    /// Owner, mode and attributes of what stays.
    Meta { path: String, before: Meta, after: Meta },
    /// The time of a directory that came, when all is in it.
    Time { path: String, mtime: i64 },
}

/// What comes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum What {
    /// A file with these bytes.
    File { from: PathBuf, meta: Meta },
    /// Another name of what comes under an earlier number of the same mount.
    SameAs { number: u64, meta: Meta },
    /// What is at another path, kept under this one.
    Kept { from: String },
    /// A link, pipe or device.
    Other(Node),
}

/// The steps that bring a root from `old` to `new`. `moved` are names under which something is kept, in their order.
pub(super) fn steps(
    old: &Tree,
    new: &Tree,
    moved: &[(TreePath, TreePath)],
    contents: &Contents<'_>,
    next: &mut u64,
) -> io::Result<Vec<Step>> {
    let mut old = old.clone();
    let mut numbered = || {
        *next += 1;
        *next
    };
    let mut kept = Vec::new();
    for (from, to) in moved {
        keep(from, to, &mut old, &mut kept, &mut numbered)?;
    }
    let (mut removed, mut room, mut directories, mut places, mut metas, mut times) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut links: BTreeMap<u32, u64> = BTreeMap::new();
    for change in old.diff(new) {
        let (path, before, after) = match change {
            Change::Added(path, after) => (path, None, Some(after)),
            Change::Removed(path, before) => (path, Some(before), None),
            Change::Changed { path, from, to } => (path, Some(from), Some(to)),
        };
        let name = || path.as_str().to_owned();
        let mut leave = |before: &Node| match before.kind {
            Kind::Directory => Step::RemoveDirectory { path: name(), before: before.meta.clone() },
            _ => Step::Remove { path: name(), number: numbered() },
        };
        let Some(after) = after else {
            removed.extend(before.map(leave));
            continue;
        };
        if let Some(before) = before {
            if is_same(before, after) {
                if has_other_meta(before, after) {
                    metas.push(Step::Meta { path: name(), before: before.meta.clone(), after: after.meta.clone() });
                }
                continue;
            }
            if before.is_directory() != after.is_directory() {
                room.push(leave(before));
            }
        }
        if after.is_directory() {
            directories.push(Step::MakeDirectory { path: name(), meta: after.meta.clone() });
            times.push(Step::Time { path: name(), mtime: after.meta.mtime });
            continue;
        }
        let number = numbered();
        let what = match &after.kind {
            Kind::File { digest, hard_link, .. } => match hard_link.and_then(|group| links.get(&group).copied()) {
                Some(first) => What::SameAs { number: first, meta: after.meta.clone() },
                None => {
                    links.extend(hard_link.map(|group| (group, number)));
                    What::File { from: contents.place(digest), meta: after.meta.clone() }
                }
            },
            _ => What::Other(after.clone()),
        };
        let replaces = before.is_some_and(|before| !before.is_directory());
        places.push(Step::Place { path: name(), number, what, replaces });
    }
    // What is in a directory goes before it.
    removed.reverse();
    room.reverse();
    times.reverse();
    let all = [kept, room, directories, places, removed, metas, times];
    Ok(all.into_iter().flatten().collect())
}

/// Notes that what is at `from` is kept under `to`, and what that is for `old`.
fn keep(
    from: &TreePath,
    to: &TreePath,
    old: &mut Tree,
    kept: &mut Vec<Step>,
    numbered: &mut dyn FnMut() -> u64,
) -> io::Result<()> {
    let Some(node) = old.get(from).cloned() else { return Ok(()) };
    let there = old.get(to).cloned();
    let wrong = |error: tree::InsertError| io::Error::other(error.to_string());
    let (source, target) = (from.as_str().to_owned(), to.as_str().to_owned());
    if there.as_ref().is_some_and(Node::is_directory) {
        let text = format!("`/{source}` cannot be kept as `/{target}`: that is a directory");
        return Err(io::Error::other(text));
    }
    old.remove(to);
    if node.is_directory() {
        if there.is_some() {
            kept.push(Step::Remove { path: target.clone(), number: numbered() });
        }
        kept.push(Step::MoveDirectory { from: source.clone(), to: target.clone() });
        let moved: Vec<(TreePath, Node)> = old.below(from).map(|(path, node)| (path.clone(), node.clone())).collect();
        old.remove(from);
        for (path, node) in moved {
            let rest = path.as_str().strip_prefix(source.as_str()).unwrap_or_default();
            old.insert(TreePath::new(&format!("{target}{rest}")).map_err(io::Error::other)?, node).map_err(wrong)?;
        }
        return Ok(());
    }
    let what = What::Kept { from: source };
    kept.push(Step::Place { path: target, number: numbered(), what, replaces: there.is_some() });
    old.insert(to.clone(), node).map_err(wrong)?;
    Ok(())
}

fn is_same(before: &Node, after: &Node) -> bool {
    match (&before.kind, &after.kind) {
        (Kind::File { digest: one, .. }, Kind::File { digest: other, hard_link: None, .. }) => one == other,
        (one, other) => one == other,
    }
}

/// The time of a directory that stays is nobody's concern: whatever comes into it changes it.
fn has_other_meta(before: &Node, after: &Node) -> bool {
    let (one, other) = (&before.meta, &after.meta);
    let is_timed = !before.is_directory() && one.mtime != other.mtime;
    is_timed || (one.mode, one.uid, one.gid, &one.xattrs) != (other.mode, other.uid, other.gid, &other.xattrs)
}

impl Step {
    /// What it needs before anything is touched: what comes, complete, and a second name for what goes.
    pub(super) fn prepare(&self, holds: &mut Holds<'_>) -> io::Result<()> {
        let Step::Place { path, number, what, replaces } = self else { return Ok(()) };
        let disk = holds.disk;
        let new = holds.name(path, Which::New, *number)?;
        match what {
            What::File { from, meta } => {
                disk.copy(from, &new)?;
                disk.set_meta(&new, meta, Time::Set)?;
            }
            What::SameAs { number: first, meta } => {
                let first = holds.name(path, Which::New, *first)?;
                if !disk.link(&first, &new)? {
                    disk.copy(&first, &new)?;
                    disk.set_meta(&new, meta, Time::Set)?;
                }
            }
            What::Kept { from } => {
                let from = disk.root.join(from);
                let meta = disk.look(&from, Bytes::Unread)?;
                if !disk.link(&from, &new)? {
                    disk.copy(&from, &new)?;
                    meta.iter().try_for_each(|node| disk.set_meta(&new, &node.meta, Time::Set))?;
                }
            }
            What::Other(node) => {
                disk.make_other(&new, node)?;
                disk.set_meta(&new, &node.meta, Time::Set)?;
            }
        }
        if *replaces {
            let old = holds.name(path, Which::Old, *number)?;
            // On a file system without hard links it is renamed when its turn comes.
            disk.link(&disk.root.join(path), &old)?;
        }
        Ok(())
    }

    /// Does it. Afterwards the path has what it is to have; before and in between it has what it had.
    pub(super) fn perform(&self, holds: &mut Holds<'_>) -> io::Result<()> {
        let disk = holds.disk;
        match self {
            Step::MakeDirectory { path, meta } => {
                let place = disk.root.join(path);
                disk.make_directory(&place, 0o700)?;
                disk.set_meta(&place, meta, Time::Keep)
            }
            Step::Place { path, number, replaces, .. } => {
                let (place, new) = (disk.root.join(path), holds.name(path, Which::New, *number)?);
                if *replaces {
                    let old = holds.name(path, Which::Old, *number)?;
                    if !is_there(&old) && is_there(&place) {
                        disk.rename(&place, &old)?;
                    }
                }
                disk.rename(&new, &place)
            }
            Step::MoveDirectory { from, to } => disk.rename(&disk.root.join(from), &disk.root.join(to)),
            Step::Remove { path, number } => {
                let (place, old) = (disk.root.join(path), holds.name(path, Which::Old, *number)?);
                // A scriptlet may have been faster.
                if is_there(&place) { disk.rename(&place, &old) } else { Ok(()) }
            }
            Step::RemoveDirectory { path, .. } => disk.remove_directory(&disk.root.join(path)).map(drop),
            Step::Meta { path, after, .. } => {
                let place = disk.root.join(path);
                let time = if is_directory(&place) { Time::Keep } else { Time::Set };
                disk.set_meta(&place, after, time)
            }
            Step::Time { path, mtime } => {
                disk.elsewhere()?;
                tree::directory::set_time(&disk.root.join(path), *mtime)
            }
        }
    }

    /// Brings back what was there, however much of the step was done. May be done again.
    pub(super) fn undo(&self, holds: &mut Holds<'_>) -> io::Result<()> {
        let disk = holds.disk;
        match self {
            Step::MakeDirectory { path, .. } => disk.remove_directory(&disk.root.join(path)).map(drop),
            Step::Place { path, number, replaces, .. } => {
                let (place, new) = (disk.root.join(path), holds.name(path, Which::New, *number)?);
                if *replaces {
                    let old = holds.name(path, Which::Old, *number)?;
                    return bring_back(&old, &place, disk);
                }
                // What waits in the folder did not get to its place.
                if is_there(&new) || is_directory(&place) || !is_there(&place) {
                    return Ok(());
                }
                disk.remove_file(&place)
            }
            Step::MoveDirectory { from, to } => {
                let (from, to) = (disk.root.join(from), disk.root.join(to));
                if is_directory(&to) && !is_there(&from) { disk.rename(&to, &from) } else { Ok(()) }
            }
            Step::Remove { path, number } => {
                let (place, old) = (disk.root.join(path), holds.name(path, Which::Old, *number)?);
                bring_back(&old, &place, disk)
            }
            Step::RemoveDirectory { path, before } => {
                let place = disk.root.join(path);
                if is_there(&place) && !is_directory(&place) {
                    return Ok(());
                }
                if !is_directory(&place) {
                    make_parents(&place, disk)?;
                    disk.make_directory(&place, 0o700)?;
                }
                disk.set_meta(&place, before, Time::Set)
            }
            Step::Meta { path, before, .. } => {
                let place = disk.root.join(path);
                if !is_there(&place) {
                    return Ok(());
                }
                let time = if is_directory(&place) { Time::Keep } else { Time::Set };
                disk.set_meta(&place, before, time)
            }
            Step::Time { .. } => Ok(()),
        }
    }
}

/// What was kept comes to its place again; nothing was kept, nothing comes.
fn bring_back(old: &Path, place: &Path, disk: Disk<'_>) -> io::Result<()> {
    if !is_there(old) {
        return Ok(());
    }
    make_parents(place, disk)?;
    disk.rename(old, place)
}

/// A scriptlet may have taken directories away meanwhile.
fn make_parents(place: &Path, disk: Disk<'_>) -> io::Result<()> {
    match place.parent() {
        Some(parent) if !parent.is_dir() => {
            make_parents(parent, disk)?;
            disk.make_directory(parent, 0o755)
        }
        _ => Ok(()),
    }
}
