//! The repositories' tables of packages, each cached beside its documents, and what is installed, as one universe.

use std::io::Read;

use host::FileBytes;
use repodata::Package;
use solve::{Identity, Kind, Paths, Source, Table, TableBuilder, Universe};

use super::{Job, ResolveError};
use crate::config::Key;
use crate::reasons::{Reason, Reasons};
use crate::{Installed, Machine, Synced};

/// Joins the repositories' tables, what is installed, and files that were named.
pub(super) fn universe<'a>(
    job: &Job,
    installed: &[Installed],
    caches: &'a [Option<FileBytes>],
    repositories: &[Synced],
    reasons: &Reasons,
    machine: &Machine<'_>,
) -> Result<Universe<'a>, ResolveError> {
    let mut tables = Vec::new();
    for (index, (synced, cache)) in repositories.iter().zip(caches).enumerate() {
        let repository = &synced.repository;
        let number = |key| u32::try_from(repository.number(key).max(0)).unwrap_or(u32::MAX);
        let source = Source { name: index.to_string(), priority: number(Key::Priority), cost: number(Key::Cost) };
        tables.push((source, table(cache.as_ref(), synced, machine)?));
    }
    let mut packages: Vec<solve::Package> = Vec::with_capacity(installed.len() + job.files.len());
    for one in installed {
        let reason = reasons.of(&one.package.nevra).map_or(Reason::External, |known| known.reason);
        let reason = match reason {
            Reason::User => solve::Reason::User,
            Reason::Dependency => solve::Reason::Dependency,
            Reason::WeakDependency => solve::Reason::Weak,
            Reason::Group => solve::Reason::Group,
            Reason::External => solve::Reason::External,
        };
        packages.push(solve::Package { installed: true, reason, ..solvable(&one.package, &one.number.to_string()) });
    }
    for (path, package) in &job.files {
        packages.push(solvable(package, &path.display().to_string()));
    }
    Ok(Universe::of(tables, packages, Paths::Primary)?)
}

fn solvable(package: &Package, key: &str) -> solve::Package {
    solve::Package {
        key: key.to_owned(),
        checksum: format!("{}:{}", package.checksum.algorithm.as_str(), package.checksum.hex),
        vendor: package.vendor.clone(),
        size: package.sizes.package,
        installed_size: package.sizes.installed,
        provides: package.provides.clone(),
        requires: package.requires.iter().map(|requirement| requirement.relation.clone()).collect(),
        conflicts: package.conflicts.clone(),
        obsoletes: package.obsoletes.clone(),
        recommends: package.recommends.clone(),
        suggests: package.suggests.clone(),
        supplements: package.supplements.clone(),
        enhances: package.enhances.clone(),
        files: package.files.iter().map(|file| file.path.clone()).collect(),
        ..solve::Package::new(package.nevra.clone())
    }
}

/// The name of a repository's table beside its documents.
const TABLE: &str = "solvables.table";

/// The cache of a repository's table, where there is one: a file that is only ever replaced, and so may be mapped.
pub(super) fn cached(synced: &Synced) -> Option<FileBytes> {
    FileBytes::open(&synced.state_folder().join(TABLE)).ok()
}

/// A repository's packages for the solver: in the cache where the same state was read before.
fn table<'a>(cached: Option<&'a FileBytes>, synced: &Synced, machine: &Machine<'_>) -> Result<Table<'a>, ResolveError> {
    // One that is cut off, damaged, or of another version is as good as none.
    if let Some(Ok(table)) = cached.map(|bytes| Table::from_bytes(bytes, &synced.state)) {
        return Ok(table);
    }
    let table = read_table(synced, machine)?;
    // A cache that cannot be written, as for a user who may only read, costs time and nothing else.
    let file = synced.state_folder().join(TABLE);
    let new = file.with_extension(format!("new-{}", std::process::id()));
    if fs_err::write(&new, table.to_bytes(&synced.state)).is_err() || fs_err::rename(&new, &file).is_err() {
        let _ = fs_err::remove_file(&new);
    }
    Ok(table)
}

fn read_table(synced: &Synced, machine: &Machine<'_>) -> Result<Table<'static>, ResolveError> {
    let mut builder = TableBuilder::new();
    synced.read("primary", machine, |reader| add_packages(reader, &mut builder))?;
    Ok(builder.finish()?)
}

fn add_packages(reader: &mut dyn Read, builder: &mut TableBuilder) -> Result<(), repodata::ReadError> {
    let mut solvables = repodata::Solvables::new(reader);
    while let Some(package) = solvables.next()? {
        let (algorithm, hex) = package.checksum();
        let (epoch, version, release) = package.version();
        let checksum = format!("{}:{hex}", algorithm.as_str());
        builder.package(&Identity {
            name: package.name(),
            version: solve::Version { epoch, version, release },
            arch: package.arch(),
            vendor: package.vendor(),
            key: package.location(),
            checksum: &checksum,
            size: package.package_size(),
            installed_size: package.installed_size(),
        });
        for relation in package.relations() {
            let kind = match relation.kind {
                repodata::RelationKind::Provides => Kind::Provides,
                repodata::RelationKind::Requires => Kind::Requires,
                repodata::RelationKind::Conflicts => Kind::Conflicts,
                repodata::RelationKind::Obsoletes => Kind::Obsoletes,
                repodata::RelationKind::Recommends => Kind::Recommends,
                repodata::RelationKind::Suggests => Kind::Suggests,
                repodata::RelationKind::Supplements => Kind::Supplements,
                repodata::RelationKind::Enhances => Kind::Enhances,
            };
            let bound = relation
                .bound
                .map(|(condition, epoch, version, release)| (condition, solve::Version { epoch, version, release }));
            builder.relation(kind, relation.name, bound);
        }
        for path in package.files() {
            builder.path(path);
        }
    }
    Ok(())
}
