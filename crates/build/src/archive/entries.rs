//! The entries of a tar archive as a value.

use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::EntryType;

use super::ArchiveError;

/// Entries that an archive may have.
const MOST: usize = 1_000_000;
/// Bytes of one path, and of what a link leads to.
const LONGEST: usize = 4096;
/// The mode of folders that an archive only implies.
const FOLDER_MODE: u32 = 0o755;

/// What an archive holds, by paths without a slash at their ends, each part of a path being a part of the key's order.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: BTreeMap<String, Node>,
}

#[derive(Debug)]
pub(super) struct Node {
    mode: u32,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Folder,
    File(Vec<u8>),
    /// What it leads to.
    Link(String),
}

impl Tree {
    /// The folder, with a slash behind it, that everything is in; nothing where there are several things at the top.
    pub(super) fn root(&self) -> String {
        let mut top = self.nodes.iter().filter(|(path, _)| !path.contains('/'));
        match (top.next(), top.next()) {
            (Some((path, Node { content: Content::Folder, .. })), None) => format!("{path}/"),
            _ => String::new(),
        }
    }
}

/// Reads a tar archive; of the modes only the permissions count.
pub(super) fn read(archive: &str, tar: &[u8]) -> Result<Tree, ArchiveError> {
    let unreadable = |cause| ArchiveError::Unreadable { archive: archive.to_owned(), what: "a tar archive", cause };
    let mut tree = Tree::default();
    let mut reader = tar::Archive::new(tar);
    for (count, entry) in reader.entries().map_err(unreadable)?.enumerate() {
        let mut entry = entry.map_err(unreadable)?;
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let wrong = |problem: String| ArchiveError::Entry {
            archive: archive.to_owned(),
            entry: shown.chars().take(200).collect(),
            problem,
        };
        if count >= MOST {
            return Err(wrong(format!("is one of more than {MOST}")));
        }
        let kind = entry.header().entry_type();
        if matches!(kind, EntryType::XGlobalHeader | EntryType::XHeader) {
            continue;
        }
        let path = clean(&entry.path_bytes()).map_err(&wrong)?;
        let mode = entry.header().mode().map_err(unreadable)? & 0o777;
        let content = match kind {
            EntryType::Directory => Content::Folder,
            EntryType::Regular | EntryType::Continuous => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(unreadable)?;
                Content::File(bytes)
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                Content::Link(link(&path, &target).map_err(&wrong)?)
            }
            EntryType::Link => return Err(wrong("is a hard link, which cannot be packed again".to_owned())),
            EntryType::Char | EntryType::Block => {
                return Err(wrong("is a device, which cannot be packed again".to_owned()));
            }
            other => {
                return Err(wrong(format!(
                    "is of the kind {:?}, which cannot be packed again",
                    char::from(other.as_byte())
                )));
            }
        };
        // `./` itself.
        if path.is_empty() {
            continue;
        }
        add_parents(&mut tree, &path).map_err(&wrong)?;
        match (tree.nodes.get(&path).map(|node| &node.content), &content) {
            (Some(Content::Folder), Content::Folder) | (None, _) => {}
            // As unpacking does it: the later file takes the place of the earlier.
            (Some(Content::File(_)), Content::File(_)) => {}
            _ => return Err(wrong("takes the place of an earlier entry of another kind".to_owned())),
        }
        tree.nodes.insert(path, Node { mode, content });
    }
    Ok(tree)
}

/// The folders that a path goes through: each a folder, and none a link or file.
fn add_parents(tree: &mut Tree, path: &str) -> Result<(), String> {
    for (at, _) in path.match_indices('/') {
        let parent = &path[..at];
        match tree.nodes.get(parent).map(|node| &node.content) {
            Some(Content::Folder) => {}
            Some(_) => return Err(format!("goes through `{parent}`, which is no folder")),
            None => {
                tree.nodes.insert(parent.to_owned(), Node { mode: FOLDER_MODE, content: Content::Folder });
            }
        }
    }
    Ok(())
}

/// A path below the archive's root, without `.` and doubled slashes.
fn clean(path: &[u8]) -> Result<String, String> {
    let path = std::str::from_utf8(path).map_err(|_| "has a name that is not UTF-8".to_owned())?;
    if path.starts_with('/') {
        return Err("has an absolute path".to_owned());
    }
    if path.len() > LONGEST || path.contains('\0') {
        return Err(format!("has a name that is longer than {LONGEST} bytes, or has a NUL in it"));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err("leads out of the archive".to_owned());
    }
    Ok(parts.join("/"))
}

/// What a link leads to, which must be in the archive.
fn link(path: &str, target: &[u8]) -> Result<String, String> {
    let target = std::str::from_utf8(target).map_err(|_| "leads to a name that is not UTF-8".to_owned())?;
    if target.is_empty() || target.len() > LONGEST || target.contains('\0') {
        return Err("leads to nothing that could be named".to_owned());
    }
    let out = || format!("is a link that leads out of the archive, to `{target}`");
    if target.starts_with('/') {
        return Err(out());
    }
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => depth = depth.checked_sub(1).ok_or_else(out)?,
            _ => depth += 1,
        }
    }
    Ok(target.to_owned())
}

/// Writes a tar archive in GNU's format: sorted by the parts of the paths, with the time 0 and the owner 0.
pub(super) fn write(tree: &Tree) -> io::Result<Vec<u8>> {
    let mut sorted: Vec<(&String, &Node)> = tree.nodes.iter().collect();
    sorted.sort_by(|(left, _), (right, _)| left.split('/').cmp(right.split('/')));
    let mut builder = tar::Builder::new(Vec::new());
    for (path, node) in sorted {
        let mut header = tar::Header::new_gnu();
        header.set_mode(node.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(0);
        match &node.content {
            Content::Folder => {
                header.set_entry_type(EntryType::Directory);
                builder.append_data(&mut header, format!("{path}/"), io::empty())?;
            }
            Content::File(bytes) => {
                header.set_entry_type(EntryType::Regular);
                header.set_size(bytes.len() as u64);
                builder.append_data(&mut header, path, bytes.as_slice())?;
            }
            Content::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                builder.append_link(&mut header, path, target)?;
            }
        }
    }
    builder.into_inner()
}
