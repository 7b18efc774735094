use solve::Unsolvable;

use crate::SyncError;

/// Why a job comes to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Words that mean no package.
    #[error("{}", unknown_words(.0))]
    Unknown(Vec<String>),
    /// Words that mean packages which are not installed.
    #[error("{}", not_installed(.0))]
    NotInstalled(Vec<String>),
    /// More would happen than was asked for.
    #[error("{}", extra_packages(.0))]
    Extra(Vec<String>),
    /// No set of packages does it.
    #[error("{0}")]
    Unsolvable(Unsolvable),
    /// Too many packages.
    #[error("the repositories together are too large: {0}")]
    Table(#[from] solve::TableError),
    /// A repository.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

fn unknown_words(words: &[String]) -> String {
    words.iter().map(|word| format!("no match for argument: {word}")).collect::<Vec<_>>().join("\n")
}

fn extra_packages(packages: &[String]) -> String {
    let line = |package: &String| format!("`{package}` would change too, and is not in the stored transaction");
    packages.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn not_installed(words: &[String]) -> String {
    let line = |word: &String| format!("packages for argument `{word}` are available, but not installed");
    words.iter().map(line).collect::<Vec<_>>().join("\n")
}
