//! The keys that a machine accepts, per repository, each taken in with consent.
//!
//! ```text
//! PERSISTDIR/keys/REPOSITORY/FINGERPRINT.asc
//! ```
//!
//! A key that was accepted for one repository says nothing about another. Keys in the database of installed packages
//! (`gpg-pubkey`) are accepted for packages of all repositories, as rpm does.

use std::path::{Path, PathBuf};

use sign::{KeyRing, PublicKey, VerifyError};

use crate::Machine;
use crate::config::{Key, Repository, redacted};
use crate::sync::transfer::{self, TransferError};

/// A file of keys is not larger than this.
const BYTES_MAX: u64 = 1 << 20;

/// A key that a repository names and that is not accepted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOffer {
    /// The repository's id.
    pub repository: String,
    /// Where the key comes from.
    pub url: String,
    /// Upper-case hexadecimal digits.
    pub fingerprint: String,
    /// As in `Name <address>`.
    pub user_ids: Vec<String>,
}

/// Why a signature is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// There is none.
    #[error("it is not signed, and `gpgcheck` of `{repository}` wants it to be")]
    Unsigned {
        /// The repository's id.
        repository: String,
    },
    /// The signature itself.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// It is by a key that the repository does not name.
    #[error("the signature is by key {issuers}, and `{repository}` has no `gpgkey` that is this key")]
    NotNamed {
        /// The repository's id.
        repository: String,
        /// Fingerprints or key ids.
        issuers: String,
    },
    /// Nobody agreed to take in the key.
    #[error("the key {fingerprint} of `{repository}` was not accepted")]
    Declined {
        /// The repository's id.
        repository: String,
        /// Of the key.
        fingerprint: String,
    },
    /// The key cannot be fetched.
    #[error("the key of `{repository}` cannot be fetched: {cause}")]
    Fetch {
        /// The repository's id.
        repository: String,
        /// Why not.
        cause: TransferError,
    },
    /// What was fetched is no key.
    #[error("{url}: {cause}")]
    NotAKey {
        /// Where it came from.
        url: String,
        /// What is wrong with it.
        cause: VerifyError,
    },
    /// A file; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The keys of one repository.
pub struct Keys {
    folder: PathBuf,
    ring: KeyRing,
}

impl Keys {
    /// The accepted keys of `repository`.
    pub fn load(repository: &Repository, machine: &Machine<'_>) -> Result<Keys, KeysError> {
        let folder = machine.config.folder(Key::PersistDir).join("keys").join(file_name(&repository.id));
        let mut ring = KeyRing::new();
        let entries = match fs_err::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Keys { folder, ring }),
            entries => entries?,
        };
        let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "asc")) {
            let bytes = fs_err::read(file)?;
            let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let url = || file.display().to_string();
            let keys = parse(&bytes).map_err(|cause| KeysError::NotAKey { url: url(), cause })?;
            // The file may hold others, to which nobody agreed.
            keys.into_iter().filter(|key| key.fingerprint() == name).for_each(|key| ring.insert(key));
        }
        Ok(Keys { folder, ring })
    }

    /// Adds armoured keys that are accepted for other reasons; what is none is passed over.
    pub fn trust(&mut self, armored: &[String]) {
        for text in armored {
            let _ = self.ring.add(text.as_bytes());
        }
    }

    /// Checks a signature; a key that the repository names is taken in where somebody agrees.
    pub fn verify(
        &mut self,
        signature: &[u8],
        bytes: &[u8],
        repository: &Repository,
        machine: &Machine<'_>,
    ) -> Result<(), KeysError> {
        let issuers = match self.ring.verify(signature, bytes) {
            Ok(_) => return Ok(()),
            Err(VerifyError::UnknownKey { issuers, .. }) => issuers,
            Err(error) => return Err(error.into()),
        };
        for url in repository.list(Key::GpgKey) {
            let text = self.fetch(&url, repository, machine)?;
            let shown = redacted(&url);
            let keys = parse(&text).map_err(|cause| KeysError::NotAKey { url: shown.clone(), cause })?;
            for key in keys {
                let mut alone = KeyRing::new();
                alone.insert(key.clone());
                // Only the key that is needed is asked about.
                if matches!(alone.verify(signature, bytes), Err(VerifyError::UnknownKey { .. })) {
                    continue;
                }
                self.take_in(key, &text, &shown, repository, machine)?;
                self.ring.verify(signature, bytes)?;
                return Ok(());
            }
        }
        Err(KeysError::NotNamed { repository: repository.id.clone(), issuers })
    }

    fn take_in(
        &mut self,
        key: PublicKey,
        text: &[u8],
        url: &str,
        repository: &Repository,
        machine: &Machine<'_>,
    ) -> Result<(), KeysError> {
        let offer = KeyOffer {
            repository: repository.id.clone(),
            url: url.to_owned(),
            fingerprint: key.fingerprint(),
            user_ids: key.user_ids(),
        };
        if !(machine.consent)(&offer) {
            let (repository, fingerprint) = (repository.id.clone(), offer.fingerprint);
            return Err(KeysError::Declined { repository, fingerprint });
        }
        fs_err::create_dir_all(&self.folder)?;
        let file = self.folder.join(format!("{}.asc", offer.fingerprint));
        let new = file.with_extension("new");
        fs_err::write(&new, text)?;
        fs_err::rename(&new, &file)?;
        self.ring.insert(key);
        Ok(())
    }

    fn fetch(&self, url: &str, repository: &Repository, machine: &Machine<'_>) -> Result<Vec<u8>, KeysError> {
        let wrong = |cause| KeysError::Fetch { repository: repository.id.clone(), cause };
        let folder = machine.config.folder(Key::CacheDir);
        fs_err::create_dir_all(&folder)?;
        let to = folder.join(format!("key-{}.part", std::process::id()));
        let _ = fs_err::remove_file(&to);
        let fetched =
            transfer::fetch(url, &to, BYTES_MAX, &transfer::manner_of(repository), machine.host).map_err(wrong);
        let bytes = fetched.and_then(|()| Ok(fs_err::read(&to)?));
        let _ = fs_err::remove_file(&to);
        bytes
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<PublicKey>, VerifyError> {
    let mut ring = KeyRing::new();
    ring.add(bytes)?;
    Ok(ring.keys().to_vec())
}

/// An id as a file's name.
pub(crate) fn file_name(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// The armoured keys in an rpm database: `gpg-pubkey` packages hold them as their description.
pub fn of_database(installed: &[rpm::db::InstalledPackage]) -> Vec<String> {
    let keys = installed.iter().filter(|package| package.header.name() == "gpg-pubkey");
    keys.map(|package| package.header.description().to_owned()).filter(|text| text.contains("BEGIN PGP")).collect()
}

/// The folder of accepted keys of all repositories.
pub fn folder(persist: &Path) -> PathBuf {
    persist.join("keys")
}
