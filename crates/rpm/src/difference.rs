//! In what two packages differ.

use std::collections::BTreeMap;

use crate::{FileEntry, FilesError, Package, Value};

/// One thing in which two packages differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a tag's name, or `file` and its path.
    pub place: String,
    /// What only the first has, or has otherwise.
    pub first: Vec<String>,
    /// What only the second has, or has otherwise.
    pub second: Vec<String>,
}

/// Tags that say of each file what its row says too, those that follow from others, and those that differ in any two builds.
const LEFT_OUT: [&str; 33] = [
    "basenames",
    "dirnames",
    "dirindexes",
    "fileclass",
    "classdict",
    "filecolors",
    "filedependsn",
    "filedependsx",
    "dependsdict",
    "filedevices",
    "filedigests",
    "fileflags",
    "filegroupname",
    "fileinodes",
    "filelangs",
    "filelinktos",
    "filemodes",
    "filemtimes",
    "filerdevs",
    "filesizes",
    "longfilesizes",
    "fileusername",
    "fileverifyflags",
    "filecaps",
    "payloadsha256",
    "payloadsha256alt",
    "sha1header",
    "sha256header",
    "sigmd5",
    "sigsize",
    "archivesize",
    "openpgp",
    "payloadsha512",
];

/// Lists each in which `first` and `second` differ: tags by name, then files by path. Digests and signatures of the whole,
/// which always differ, are left out.
pub fn differences(first: &Package, second: &Package) -> Result<Vec<Difference>, FilesError> {
    let mut names = first.tag_names();
    names.extend(second.tag_names());
    names.sort();
    names.dedup();
    let lists =
        ["require", "provide", "conflict", "obsolete", "recommend", "suggest", "supplement", "enhance", "order"];
    let mut all = Vec::new();
    for name in names {
        // Relations are compared as a whole, under their names' tag.
        let list = lists
            .iter()
            .find(|list| [format!("{list}name"), format!("{list}version"), format!("{list}flags")].contains(&name));
        let (shown, asked) = match list {
            Some(list) if name.ends_with("name") => (name.clone(), format!("{list}nevrs")),
            Some(_) => continue,
            None => (name.clone(), name.clone()),
        };
        if LEFT_OUT.contains(&name.as_str()) || ["rsaheader", "dsaheader", "siggpg", "sigpgp"].contains(&name.as_str())
        {
            continue;
        }
        let (one, other) = (lines(first.query(&asked)), lines(second.query(&asked)));
        if one != other {
            let only = |from: &[String], without: &[String]| -> Vec<String> {
                from.iter().filter(|line| !without.contains(line)).cloned().collect()
            };
            let (mut left, mut right) = (only(&one, &other), only(&other, &one));
            if left.is_empty() && right.is_empty() {
                // The same in another order, or another number of times.
                (left, right) = (one, other);
            }
            all.push(Difference { place: shown, first: left, second: right });
        }
    }
    let table = |package: &Package| -> Result<BTreeMap<String, FileEntry>, FilesError> {
        Ok(package.files()?.into_iter().map(|file| (file.path.clone(), file)).collect())
    };
    let (one, other) = (table(first)?, table(second)?);
    let mut paths: Vec<&String> = one.keys().chain(other.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let (left, right) = (one.get(path).map(describe), other.get(path).map(describe));
        if left != right {
            let text = |line: Option<String>| line.into_iter().collect();
            all.push(Difference { place: format!("file {path}"), first: text(left), second: text(right) });
        }
    }
    Ok(all)
}

fn describe(file: &FileEntry) -> String {
    let mut text = format!("{:06o} {}:{} {} bytes", file.mode, file.user, file.group, file.size);
    for (name, value) in [
        (" sha", file.digest.as_ref().map(|digest| digest.hex.chars().take(16).collect()).unwrap_or_default()),
        (" ->", file.link_target.clone()),
        (" capabilities", file.capabilities.clone()),
        (" languages", file.languages.clone()),
        (" flags", if file.flags.0 == 0 { String::new() } else { format!("{:#x}", file.flags.0) }),
        (" device", if file.rdev == 0 { String::new() } else { file.rdev.to_string() }),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{name} {value}"));
        }
    }
    text
}

fn lines(value: Option<Value>) -> Vec<String> {
    match value {
        None => Vec::new(),
        Some(Value::String(text)) => text.lines().map(str::to_owned).collect(),
        Some(value) => value.texts(),
    }
}
