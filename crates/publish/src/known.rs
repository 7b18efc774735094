//! What is known of a folder's packages, as bytes.
//!
//! ```text
//! the folder   "SLVFOLD1"  packages u64, groups u64
//!              per package  location, nevra (each: length u64, bytes), 6 numbers of the stamp, digest 32
//!              per group    key 32, how many of the packages, in their order, are in it u64
//! each group   "SLVGROUP"  three compressed parts, then the three texts of each of its packages
//! ```

use std::collections::HashMap;

use pkg::Digest;

const FOLDER: &[u8; 8] = b"SLVFOLD1";
const GROUP: &[u8; 8] = b"SLVGROUP";

/// What tells, without reading it, whether a file is another than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) modified: (i64, i64),
    pub(crate) changed: (i64, i64),
    pub(crate) inode: u64,
}

/// What is told of one package.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) location: &'a str,
    pub(crate) stamp: Stamp,
    pub(crate) digest: Digest,
    pub(crate) nevra: &'a str,
    /// Its parts of primary, filelists and other.
    pub(crate) texts: [&'a str; 3],
}

/// What the folder's record says: all but texts.
#[derive(Default)]
pub(crate) struct Listed<'a> {
    packages: Vec<Told<'a>>,
    pub(crate) groups: Vec<(Digest, usize)>,
}

/// That, with the groups that could be read.
#[derive(Default)]
pub(crate) struct Known<'a> {
    packages: HashMap<&'a str, Told<'a>>,
    pub(crate) groups: HashMap<Digest, [&'a [u8]; 3]>,
}

fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend(number.to_le_bytes());
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend(bytes);
}

/// The folder's record.
pub(crate) fn folder_bytes(packages: &[Told<'_>], groups: &[(Digest, usize)]) -> Vec<u8> {
    let mut out = FOLDER.to_vec();
    put_number(&mut out, packages.len() as u64);
    put_number(&mut out, groups.len() as u64);
    for package in packages {
        put(&mut out, package.location.as_bytes());
        put(&mut out, package.nevra.as_bytes());
        let Stamp { size, modified, changed, inode } = package.stamp;
        for part in [size, modified.0 as u64, modified.1 as u64, changed.0 as u64, changed.1 as u64, inode] {
            put_number(&mut out, part);
        }
        out.extend(package.digest.as_bytes());
    }
    for (key, count) in groups {
        out.extend(key.as_bytes());
        put_number(&mut out, *count as u64);
    }
    out
}

/// One group's record.
pub(crate) fn group_bytes(packed: [&[u8]; 3], packages: &[Told<'_>]) -> Vec<u8> {
    let mut out = GROUP.to_vec();
    packed.iter().for_each(|part| put(&mut out, part));
    packages.iter().flat_map(|package| package.texts).for_each(|text| put(&mut out, text.as_bytes()));
    out
}

impl<'a> Listed<'a> {
    /// Reads what [`folder_bytes`] wrote; `None` when `bytes` are something else.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Listed<'a>> {
        let mut reader = Reader(bytes.strip_prefix(FOLDER)?);
        let (packages, groups) = (reader.number()?, reader.number()?);
        let mut listed = Listed::default();
        for _ in 0..packages {
            let (location, nevra) = (reader.text()?, reader.text()?);
            let mut number = || reader.number();
            let size = number()?;
            let modified = (number()? as i64, number()? as i64);
            let changed = (number()? as i64, number()? as i64);
            let stamp = Stamp { size, modified, changed, inode: number()? };
            let digest = reader.digest()?;
            listed.packages.push(Told { location, stamp, digest, nevra, texts: [""; 3] });
        }
        for _ in 0..groups {
            listed.groups.push((reader.digest()?, usize::try_from(reader.number()?).ok()?));
        }
        reader.0.is_empty().then_some(listed)
    }
}

impl<'a> Known<'a> {
    /// Joins the folder's record and its groups', in their order; packages of groups that are damaged or gone are unknown.
    pub(crate) fn new(listed: &Listed<'a>, groups: &'a [Vec<u8>]) -> Known<'a> {
        let mut known = Known::default();
        let mut packages = listed.packages.iter();
        for ((key, count), bytes) in listed.groups.iter().zip(groups) {
            let members: Vec<&Told<'a>> = packages.by_ref().take(*count).collect();
            let Some((packed, texts)) = read_group(bytes, members.len()) else { continue };
            known.groups.insert(*key, packed);
            for (member, texts) in members.into_iter().zip(texts) {
                known.packages.insert(member.location, Told { texts, ..*member });
            }
        }
        known
    }

    pub(crate) fn len(&self) -> usize {
        self.packages.len()
    }

    /// The package at a place, if its file is the same as then.
    pub(crate) fn package(&self, location: &str, stamp: &Stamp) -> Option<Told<'a>> {
        self.packages.get(location).filter(|package| package.stamp == *stamp).copied()
    }
}

/// The compressed parts of a group, and the texts of each of its packages.
type Parts<'a> = ([&'a [u8]; 3], Vec<[&'a str; 3]>);

fn read_group(bytes: &[u8], count: usize) -> Option<Parts<'_>> {
    let mut reader = Reader(bytes.strip_prefix(GROUP)?);
    let packed = [reader.bytes()?, reader.bytes()?, reader.bytes()?];
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push([reader.text()?, reader.text()?, reader.text()?]);
    }
    reader.0.is_empty().then_some((packed, texts))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn digest(&mut self) -> Option<Digest> {
        let (digest, rest) = self.0.split_first_chunk::<32>()?;
        self.0 = rest;
        Some(Digest::from_bytes(*digest))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}
