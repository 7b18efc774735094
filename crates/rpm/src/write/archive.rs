use std::collections::BTreeMap;
use std::io::Write;

use super::{Content, NewFile, PackageBuilder, WriteError};
use crate::{Compression, FileFlags};

/// A payload, and what the header must know of its files.
pub(super) struct Archive {
    pub(super) compressed: Vec<u8>,
    pub(super) plain: Vec<u8>,
    /// By row: the row of the file that has the bytes (its own row but for hard links), and the inode's number.
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) target: usize,
    pub(super) inode: u32,
    pub(super) links: u32,
}

pub(super) fn write(builder: &PackageBuilder) -> Result<Archive, WriteError> {
    let rows = rows(&builder.files)?;
    let mut plain = Vec::new();
    // As in rpm, the last name of a set of hard links carries the bytes.
    let last: BTreeMap<usize, usize> = rows.iter().enumerate().map(|(index, row)| (row.target, index)).collect();
    for index in order(&rows) {
        let (path, file) = &builder.files[index];
        let row = &rows[index];
        let target = &builder.files[row.target].1;
        if file.flags.has(FileFlags::GHOST) {
            continue;
        }
        let bytes: &[u8] = match &target.content {
            Content::Regular(bytes) if last[&row.target] == index => bytes,
            Content::Symlink(target) => target.as_bytes(),
            _ => &[],
        };
        if builder.wide() {
            plain.extend(format!("07070X{index:08x}").as_bytes());
        } else {
            let mtime = target.mtime.unwrap_or(builder.at.0) as u32;
            let (major, minor) =
                if let Content::CharDevice(major, minor) = target.content { (major, minor) } else { (0, 0) };
            let name = if path.starts_with('/') { format!(".{path}\0") } else { format!("{path}\0") };
            let fields = [
                row.inode,
                target.full_mode(),
                0,
                0,
                row.links,
                mtime,
                bytes.len() as u32,
                0,
                1,
                u32::from(major),
                u32::from(minor),
                name.len() as u32,
                0,
            ];
            member(&mut plain, fields, &name);
        }
        pad(&mut plain);
        plain.extend(bytes);
        pad(&mut plain);
    }
    member(&mut plain, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 11, 0], "TRAILER!!!\0");
    pad(&mut plain);
    let compressed = compress(builder.compression, &plain)?;
    Ok(Archive { compressed, plain, rows })
}

/// The rows in the order of the archive, which is rpmbuild's: files of one name by path, then files of several, all names
/// of one file together.
///
/// rpm links the names of a file to the one that it made last (`lib/fsm.c`): sets that interleave would become one file.
fn order(rows: &[Row]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        first.entry(row.target).or_insert(index);
    }
    order.sort_by_key(|index| {
        let row = &rows[*index];
        (row.links > 1, if row.links > 1 { first[&row.target] } else { *index }, *index)
    });
    order
}

fn rows(files: &[(String, NewFile)]) -> Result<Vec<Row>, WriteError> {
    let mut rows = Vec::with_capacity(files.len());
    let mut links = vec![0; files.len()];
    for (index, (path, file)) in files.iter().enumerate() {
        let target = match &file.content {
            Content::HardLink(target) => files
                .iter()
                .position(|(other, file)| other == target && matches!(file.content, Content::Regular(_)))
                .ok_or_else(|| WriteError::HardLink { path: path.clone(), target: target.clone() })?,
            _ => index,
        };
        links[target] += 1;
        rows.push(Row { target, inode: target as u32 + 1, links: 0 });
    }
    for row in &mut rows {
        row.links = links[row.target];
    }
    Ok(rows)
}

fn member(plain: &mut Vec<u8>, fields: [u32; 13], name: &str) {
    plain.extend(b"070701");
    for field in fields {
        plain.extend(format!("{field:08x}").as_bytes());
    }
    plain.extend(name.as_bytes());
}

fn pad(plain: &mut Vec<u8>) {
    plain.resize(plain.len().next_multiple_of(4), 0);
}

/// Levels that rpm uses by default, but for zstd, where 19 costs seconds that nobody gets back.
fn compress(compression: Compression, plain: &[u8]) -> std::io::Result<Vec<u8>> {
    match compression {
        Compression::None => Ok(plain.to_vec()),
        Compression::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(9));
            encoder.write_all(plain)?;
            encoder.finish()
        }
        Compression::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(9));
            encoder.write_all(plain)?;
            encoder.finish()
        }
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 2);
            encoder.write_all(plain)?;
            encoder.finish()
        }
        Compression::Lzma => {
            let options = liblzma::stream::LzmaOptions::new_preset(2)?;
            let stream = liblzma::stream::Stream::new_lzma_encoder(&options)?;
            let mut encoder = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
            encoder.write_all(plain)?;
            encoder.finish()
        }
        Compression::Zstd => zstd::stream::encode_all(plain, 3),
    }
}
