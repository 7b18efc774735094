use pkg::{Digest, Nevra, Relation};

/// Everything that primary, filelists and other say of one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name, epoch, version, release, architecture.
    pub nevra: Nevra,
    /// The digest of the package's file: its id ("pkgid") in all documents.
    pub checksum: Checksum,
    /// One line.
    pub summary: String,
    /// Some paragraphs; lines as in the package.
    pub description: String,
    /// Who packed it; often empty.
    pub packager: String,
    /// The project's home page; often empty.
    pub url: String,
    /// Modification time of the package's file, in seconds since 1970. Reproducible repositories set it to their epoch.
    pub file_time: u64,
    /// When the package was built, in seconds since 1970.
    pub build_time: u64,
    /// How large it is.
    pub sizes: Sizes,
    /// The file's path below the repository's base, as in `Packages/b/bash-5.2-1.x86_64.rpm`.
    pub location: String,
    /// Another base than the repository's own (`xml:base`).
    pub location_base: Option<String>,
    /// An SPDX expression.
    pub license: String,
    /// Whose package it is.
    pub vendor: String,
    /// rpm's old classification; `Unspecified` when the spec names none.
    pub group: String,
    /// The name of the machine that built it, or what stands for it.
    pub build_host: String,
    /// The file name of the source package; empty for source packages.
    pub source_rpm: String,
    /// Where the main header lies in the file, so that it can be fetched alone.
    pub header_range: HeaderRange,
    /// What it offers.
    pub provides: Vec<Relation>,
    /// What must be there.
    pub requires: Vec<Requirement>,
    /// What must not be there.
    pub conflicts: Vec<Relation>,
    /// Packages by name that it replaces.
    pub obsoletes: Vec<Relation>,
    /// What should be there, if possible.
    pub recommends: Vec<Relation>,
    /// What goes well with it.
    pub suggests: Vec<Relation>,
    /// It should be there when this is.
    pub supplements: Vec<Relation>,
    /// It goes well with this.
    pub enhances: Vec<Relation>,
    /// All files, in the package's order. A package read from primary alone has those of [`is_primary_path`] only.
    pub files: Vec<File>,
    /// The newest entries, oldest first.
    pub changelog: Vec<Change>,
}

impl Package {
    /// A package of which only name and checksum are known; every other field is empty.
    pub fn new(nevra: Nevra, checksum: Checksum) -> Package {
        Package {
            nevra,
            checksum,
            summary: String::new(),
            description: String::new(),
            packager: String::new(),
            url: String::new(),
            file_time: 0,
            build_time: 0,
            sizes: Sizes::default(),
            location: String::new(),
            location_base: None,
            license: String::new(),
            vendor: String::new(),
            group: String::new(),
            build_host: String::new(),
            source_rpm: String::new(),
            header_range: HeaderRange::default(),
            provides: Vec::new(),
            requires: Vec::new(),
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
            files: Vec::new(),
            changelog: Vec::new(),
        }
    }
}

/// What filelists and other say about whom an entry is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageId {
    /// The digest of the package's file, as in primary.
    pub checksum: String,
    /// Repeated from primary.
    pub nevra: Nevra,
}

/// A digest of a file, by one of the algorithms that rpm-md knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// Lower-case hexadecimal digits, as many as the algorithm has.
    pub hex: String,
}

impl Checksum {
    /// Checks that `hex` is made of as many hexadecimal digits as `algorithm` gives.
    pub fn new(algorithm: Algorithm, hex: impl Into<String>) -> Option<Checksum> {
        let hex = hex.into().to_ascii_lowercase();
        algorithm.is_digest(&hex).then_some(Checksum { algorithm, hex })
    }

    /// The digest as the id of a value, where it is SHA-256.
    pub fn sha256(&self) -> Option<Digest> {
        (self.algorithm == Algorithm::Sha256).then(|| Digest::parse(&self.hex).ok()).flatten()
    }
}

impl From<Digest> for Checksum {
    fn from(digest: Digest) -> Checksum {
        Checksum { algorithm: Algorithm::Sha256, hex: digest.hex() }
    }
}

/// The digest algorithms of rpm-md. Repositories written here use SHA-256 only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// 32 digits; broken, read only to say so.
    Md5,
    /// SHA-1, 40 digits; broken, read only to say so. Also written `sha`.
    Sha1,
    /// 56 digits.
    Sha224,
    /// 64 digits.
    Sha256,
    /// 96 digits.
    Sha384,
    /// 128 digits.
    Sha512,
}

impl Algorithm {
    /// The name in the documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Md5 => "md5",
            Algorithm::Sha1 => "sha1",
            Algorithm::Sha224 => "sha224",
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The algorithm by its name in the documents.
    pub fn parse(text: &str) -> Option<Algorithm> {
        Some(match text {
            "md5" => Algorithm::Md5,
            "sha" | "sha1" => Algorithm::Sha1,
            "sha224" => Algorithm::Sha224,
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => return None,
        })
    }

    /// Whether `digits` are hexadecimal and as many as the algorithm gives.
    pub(crate) fn is_digest(self, digits: &str) -> bool {
        digits.len() == self.hex_length() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    }

    fn hex_length(self) -> usize {
        match self {
            Algorithm::Md5 => 32,
            Algorithm::Sha1 => 40,
            Algorithm::Sha224 => 56,
            Algorithm::Sha256 => 64,
            Algorithm::Sha384 => 96,
            Algorithm::Sha512 => 128,
        }
    }
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Of the package's file.
    pub package: u64,
    /// Of the files that it installs.
    pub installed: u64,
    /// Of its payload, decompressed.
    pub archive: u64,
}

/// The main header's place in the file: bytes `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderRange {
    /// The header's first byte: behind lead and signature.
    pub start: u64,
    /// The byte after its last one: the payload's first.
    pub end: u64,
}

/// A requirement, and whether it must be there before the package's scripts run (`Requires(pre)` and its like).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// What must be there.
    pub relation: Relation,
    /// Whether already before a script of the package runs.
    pub pre: bool,
}

/// One path of a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Absolute; in source packages a bare file name.
    pub path: String,
    /// What is there.
    pub kind: FileKind,
}

/// What rpm-md tells of a path's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A file, a symbolic link, a device: all that is not below.
    File,
    /// A directory.
    Directory,
    /// `%ghost`: owned but not part of the payload.
    Ghost,
}

/// One entry of a changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Name, address, and by habit the version.
    pub author: String,
    /// Noon UTC of the entry's day, in seconds since 1970.
    pub time: u64,
    /// The entry's lines.
    pub text: String,
}

/// Whether primary lists `path`, so that requirements of it need no filelists.
///
/// Everything below `/etc/`, everything with `bin/` in its path, and `/usr/lib/sendmail`.
/// Source: createrepo_c, `cr_is_primary`.
pub fn is_primary_path(path: &str) -> bool {
    path.starts_with("/etc/") || path == "/usr/lib/sendmail" || path.contains("bin/")
}
