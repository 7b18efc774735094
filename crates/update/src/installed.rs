//! What is installed in a root, out of the database of packages that rpm keeps there.

use std::path::{Path, PathBuf};

use pkg::{Digest, Relation};
use repodata::{Change, Checksum, File, FileKind, Package, Requirement, Sizes};
use rpm::db::InstalledPackage;
use rpm::{DependencyKind, FilesError, Header, Tag};

/// Where a root may have its database: Skiff, Fedora and Azure Linux; then older systems and Debian's rpm.
const PLACES: [&str; 2] = ["usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite"];

/// Why nobody knows what is installed.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// The database.
    #[error("`{}`: {cause}", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        cause: rpm::db::DatabaseError,
    },
    /// A record of the database.
    #[error("`{}`: the package {nevra}: {cause}", file.display())]
    Files {
        /// The file.
        file: PathBuf,
        /// The package.
        nevra: String,
        /// What is wrong.
        cause: FilesError,
    },
    /// A file; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The database of a root, and what it says.
#[derive(Clone, Debug, Default)]
pub struct DatabaseFile {
    /// Where it is; none where the root has none.
    pub path: Option<PathBuf>,
    /// As rpm keeps them, keys (`gpg-pubkey`) included.
    pub records: Vec<InstalledPackage>,
}

/// An installed package.
#[derive(Clone, Debug)]
pub struct Installed {
    /// In the words of a repository.
    pub package: Package,
    /// Seconds since 1970.
    pub install_time: u64,
    /// Its number in the database.
    pub number: u32,
}

impl DatabaseFile {
    /// Reads the database of the root `root`.
    pub fn read(root: &Path) -> Result<DatabaseFile, InstalledError> {
        let Some(path) = PLACES.iter().map(|place| root.join(place)).find(|path| path.is_file()) else {
            return Ok(DatabaseFile::default());
        };
        let log = PathBuf::from(format!("{}-wal", path.display()));
        let wrong = |cause| InstalledError::Database { file: path.clone(), cause };
        // rpm is writing, or was killed when it did.
        let bytes = match fs_err::metadata(&log).is_ok_and(|meta| meta.len() > 0) {
            true => rpm::db::snapshot(&path).map_err(wrong)?,
            false => fs_err::read(&path)?,
        };
        let records = rpm::db::read(&bytes).map_err(wrong)?;
        Ok(DatabaseFile { path: Some(path), records })
    }

    /// The packages.
    pub fn packages(&self) -> Result<Vec<Installed>, InstalledError> {
        let packages = self.records.iter().filter(|record| record.header.name() != "gpg-pubkey");
        packages
            .map(|record| {
                let package = facts(&record.header).map_err(|cause| InstalledError::Files {
                    file: self.path.clone().unwrap_or_default(),
                    nevra: record.header.nevra().to_string(),
                    cause,
                })?;
                Ok(Installed { package, install_time: u64::from(record.installation().time), number: record.number })
            })
            .collect()
    }

    /// The release of the distribution that is installed: the version of `system-release(releasever)`, else that of
    /// `system-release`. Source: libdnf5, `DISTROVERPKGS`.
    pub fn release(&self) -> Option<String> {
        ["system-release(releasever)", "system-release", "distribution-release", "redhat-release"].iter().find_map(
            |name| {
                self.records.iter().find_map(|record| {
                    let provides = record.header.dependencies(DependencyKind::Provides);
                    let found = provides.into_iter().find(|one| one.relation.name == *name)?;
                    let version = found.relation.bound.map(|(_, evr)| evr.version);
                    version.or_else(|| Some(record.header.evr().version))
                })
            },
        )
    }
}

/// What a header says, in the words of a repository.
pub(crate) fn facts(header: &Header) -> Result<Package, FilesError> {
    let text = |tag| header.str(tag).unwrap_or_default().to_owned();
    let relations = |kind| -> Vec<Relation> {
        header.dependencies(kind).into_iter().map(|dependency| dependency.relation).collect()
    };
    // There is no file of it any more: the header's digest tells packages apart as well.
    let digest = header.str(Tag::SHA256HEADER).and_then(|hex| Digest::parse(hex).ok());
    let digest = digest.unwrap_or_else(|| Digest::of(header.nevra().to_string().as_bytes()));
    let mut package = Package::new(header.nevra(), Checksum::from(digest));
    package.summary = text(Tag::SUMMARY);
    package.description = text(Tag::DESCRIPTION);
    package.packager = text(Tag::PACKAGER);
    package.url = text(Tag::URL);
    package.build_time = header.build_time();
    package.sizes = Sizes { package: 0, installed: header.installed_size(), archive: 0 };
    package.license = text(Tag::LICENSE);
    package.vendor = text(Tag::VENDOR);
    package.group = text(Tag::GROUP);
    package.build_host = text(Tag::BUILDHOST);
    package.source_rpm = text(Tag::SOURCERPM);
    package.provides = relations(DependencyKind::Provides);
    package.requires = header
        .dependencies(DependencyKind::Requires)
        .into_iter()
        .filter(|one| !one.relation.name.starts_with("rpmlib("))
        .map(|one| Requirement { pre: one.sense.is_pre(), relation: one.relation })
        .collect();
    package.conflicts = relations(DependencyKind::Conflicts);
    package.obsoletes = relations(DependencyKind::Obsoletes);
    package.recommends = relations(DependencyKind::Recommends);
    package.suggests = relations(DependencyKind::Suggests);
    package.supplements = relations(DependencyKind::Supplements);
    package.enhances = relations(DependencyKind::Enhances);
    package.files = header
        .files()?
        .into_iter()
        .map(|file| {
            let kind = match file.kind {
                rpm::FileKind::Directory => FileKind::Directory,
                _ if file.is_ghost() => FileKind::Ghost,
                _ => FileKind::File,
            };
            File { path: file.path, kind }
        })
        .collect();
    let changes = header.changelog().into_iter();
    package.changelog =
        changes.map(|entry| Change { author: entry.name, time: entry.time, text: entry.text }).collect();
    package.changelog.reverse();
    Ok(package)
}
