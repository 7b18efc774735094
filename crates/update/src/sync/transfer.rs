//! How files of a repository are fetched: by `host`'s transfers, as the repository's settings say.

pub use host::transfer::TransferError;
pub(crate) use host::transfer::{Manner, fetch, pause};

use crate::config::{Key, Repository};

/// The manner that a repository's settings ask for.
pub(crate) fn manner_of(repository: &Repository) -> Manner {
    let text = |key| repository.text(key);
    Manner {
        timeout_s: repository.seconds(Key::Timeout).clamp(1, 3600),
        min_rate: repository.bytes(Key::MinRate),
        retries: repository.number(Key::Retries).clamp(1, 100) as u64,
        verify: repository.flag(Key::SslVerify),
        agent: text(Key::UserAgent),
        proxy: text(Key::Proxy),
        proxy_login: (text(Key::ProxyUser), text(Key::ProxyPassword)),
        login: (text(Key::User), text(Key::Password)),
        certificates: vec![
            ("cacert", text(Key::SslCaCert)),
            ("cert", text(Key::SslClientCert)),
            ("key", text(Key::SslClientKey)),
        ],
    }
}
