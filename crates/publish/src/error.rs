use std::io;
use std::path::PathBuf;

use pkg::{Digest, Nevra};

/// Why nothing was published. What was visible before still is.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Two files claim to be one package.
    #[error("two different files are `{nevra}`: {left} and {right}")]
    SameName {
        /// The package.
        nevra: Nevra,
        /// One file.
        left: Digest,
        /// The other.
        right: Digest,
    },
    /// A file that is no package.
    #[error("`{file_name}` is no package: {cause}")]
    Package {
        /// Its name.
        file_name: String,
        /// What is wrong with it.
        cause: rpm::PackageError,
    },
    /// A package that its own digests contradict: it is not signed.
    #[error("`{file_name}` is not signed: {cause}")]
    Damaged {
        /// Its name.
        file_name: String,
        /// What differs.
        cause: rpm::DigestError,
    },
    /// A package whose table of files contradicts itself.
    #[error("`{file_name}` has no usable list of files: {cause}")]
    Files {
        /// Its name.
        file_name: String,
        /// What is wrong with it.
        cause: rpm::FilesError,
    },
    /// A package's name or version would lead out of the snapshot.
    #[error("`{nevra}` cannot be the name of a file")]
    Name {
        /// The package.
        nevra: String,
    },
    /// The signature does not fit into a package.
    #[error("`{file_name}` cannot take the signature: {cause}")]
    Resign {
        /// Its name.
        file_name: String,
        /// Why.
        cause: rpm::ResignError,
    },
    /// The key does not sign.
    #[error(transparent)]
    Sign(#[from] sign::SignError),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// No space is left where the snapshot is written.
    #[error("no space is left for the snapshot in `{}`", .0.display())]
    Full(PathBuf),
    /// The operating system refused something; the message names the path.
    #[error(transparent)]
    Io(io::Error),
}

impl PublishError {
    /// The error for an I/O failure below `path`.
    pub(crate) fn from_io(error: io::Error, path: &std::path::Path) -> PublishError {
        match host::is_full(&error) {
            true => PublishError::Full(path.to_owned()),
            false => PublishError::Io(error),
        }
    }
}
