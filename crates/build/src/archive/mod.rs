//! Overlays inside of source archives: unpacked in memory, changed, packed again so that equal inputs give equal bytes.
//!
//! ```text
//! archive --compression--> tar --entries--> Tree --spec::overlay--> Tree --entries--> tar --compression--> archive
//! ```
//!
//! All overlays of an archive are applied in one go, or none. A path in it is meant from the one folder that most archives have at
//! their top, where it is the only one. What is packed has its entries sorted, the time 0 and the owner 0, and is compressed as
//! it was before, whatever its name says. Nothing is written to the disk, so that no path can lead out of a folder; entries that
//! would, hard links, devices and the like are refused all the same, as packing them again would drop or follow them.
//!
//! Source: azldev, `internal/app/azldev/core/sources/archiveoverlays.go` and `internal/utils/archive`, for what is meant.

mod compression;
mod entries;

use pkg::Digest;
use sha2::Digest as _;
use spec::overlay::{Folder, Operation, Overlay, OverlayError, apply};

pub use compression::Compression;
use entries::{Content, Tree};

/// Bytes that an archive may unpack to: it is held in memory, several times.
pub const LARGEST: u64 = 1 << 30;

/// Why an archive could not be changed; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be read as what it is.
    #[error("`{archive}` cannot be read as {what}: {cause}")]
    Unreadable {
        /// The archive.
        archive: String,
        /// As in "a tar archive".
        what: &'static str,
        /// Why not.
        cause: std::io::Error,
    },
    /// An entry that could not be packed again, or that leads elsewhere.
    #[error("the entry `{entry}` of `{archive}` {problem}")]
    Entry {
        /// The archive.
        archive: String,
        /// The entry's path.
        entry: String,
        /// What is wrong.
        problem: String,
    },
    /// It is too large to be changed.
    #[error("`{archive}` unpacks to more than {limit} bytes")]
    TooLarge {
        /// The archive.
        archive: String,
        /// How much may be.
        limit: u64,
    },
    /// An overlay does not fit.
    #[error("in `{archive}`: {}", error.failure)]
    Overlay {
        /// The archive.
        archive: String,
        /// Which, and why.
        error: Box<OverlayError>,
    },
    /// The changed archive is not the one that was expected.
    #[error("the archive `{archive}` is another one after its overlays than was expected")]
    Differs {
        /// The archive.
        archive: String,
        /// From the definition, with its algorithm, as in `SHA512 0123..`.
        expected: String,
        /// Of what came out.
        received: String,
    },
}

/// The digest that a definition expects of a changed archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// SHA-256 in lower-case hexadecimal.
    Sha256(String),
    /// SHA-512 in lower-case hexadecimal.
    Sha512(String),
}

/// Changes an archive by all `overlays`, in their order. `name` is for messages only.
///
/// # Errors
/// When the archive is not one that can be packed again, or an overlay does not fit.
pub fn change(name: &str, bytes: &[u8], overlays: &[Overlay]) -> Result<Vec<u8>, ArchiveError> {
    change_within(name, bytes, overlays, LARGEST)
}

fn change_within(name: &str, bytes: &[u8], overlays: &[Overlay], limit: u64) -> Result<Vec<u8>, ArchiveError> {
    let compression = Compression::of(bytes);
    let tar = compression.unpack(name, bytes, limit)?;
    let mut tree = entries::read(name, &tar)?;
    drop(tar);
    let root = tree.root();
    for (index, overlay) in overlays.iter().enumerate() {
        change_tree(&mut tree, &root, overlay).map_err(|mut error| {
            error.overlay = index;
            ArchiveError::Overlay { archive: name.to_owned(), error: Box::new(error) }
        })?;
    }
    let unreadable = |cause| ArchiveError::Unreadable { archive: name.to_owned(), what: "what can be packed", cause };
    compression.pack(&entries::write(&tree).map_err(unreadable)?).map_err(unreadable)
}

/// Compares a changed archive with what is expected of it.
///
/// # Errors
/// [`ArchiveError::Differs`] with both digests.
pub fn check(name: &str, bytes: &[u8], expected: &Expected) -> Result<(), ArchiveError> {
    let (algorithm, hex, received) = match expected {
        Expected::Sha256(hex) => ("SHA256", hex, Digest::of(bytes).hex()),
        Expected::Sha512(hex) => ("SHA512", hex, hex::encode(sha2::Sha512::digest(bytes))),
    };
    if received.eq_ignore_ascii_case(hex) {
        return Ok(());
    }
    Err(ArchiveError::Differs {
        archive: name.to_owned(),
        expected: format!("{algorithm} {hex}"),
        received: format!("{algorithm} {received}"),
    })
}

fn change_tree(tree: &mut Tree, root: &str, overlay: &Overlay) -> Result<(), OverlayError> {
    // Links can be removed like files; what they lead to is no text of theirs.
    let takes_links = matches!(overlay.operation, Operation::RemoveFile { .. });
    let mut folder = Folder::default();
    for (path, node) in &mut tree.nodes {
        let Some(inner) = path.strip_prefix(root) else { continue };
        match &mut node.content {
            Content::File(bytes) => {
                folder.files.insert(inner.to_owned(), std::mem::take(bytes));
            }
            Content::Link(_) if takes_links => {
                folder.files.insert(inner.to_owned(), Vec::new());
            }
            Content::Link(_) | Content::Folder => {}
        }
    }
    let mut applied = apply(&folder, std::slice::from_ref(overlay))?.folder;
    tree.nodes.retain(|path, node| {
        let Some(inner) = path.strip_prefix(root) else { return true };
        match &mut node.content {
            Content::Folder => true,
            Content::Link(_) => !takes_links || applied.files.contains_key(inner),
            Content::File(bytes) => match applied.files.remove(inner) {
                Some(changed) => {
                    *bytes = changed;
                    true
                }
                None => false,
            },
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests;
