use std::io::Read;

use repodata::{ReadError, RelationKind, Solvables};
use solve::{Identity, Kind, Table, TableBuilder, TableError, Version};

/// Why a primary document does not become a table.
#[derive(Debug, thiserror::Error)]
pub enum SolvablesError {
    /// It is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is too large.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Reads a decompressed primary document to what solving needs of it: the key of each package is its location, the checksum
/// its pkgid with the algorithm in front, as in `sha256:..`.
///
/// Keep [`Table::to_bytes`] by the digest of the repository's index, and the next start reads no XML. Paths that only
/// filelists has are told by [`repodata::filelists::owners`] when [`solve::missing_paths`] asks for them.
///
/// # Errors
/// [`SolvablesError`].
pub fn solvables(primary: impl Read) -> Result<Table<'static>, SolvablesError> {
    let mut builder = TableBuilder::new();
    let mut solvables = Solvables::new(primary);
    let mut checksum = String::new();
    while let Some(solvable) = solvables.next()? {
        let (epoch, version, release) = solvable.version();
        let (algorithm, digits) = solvable.checksum();
        checksum.clear();
        checksum.push_str(algorithm.as_str());
        checksum.push(':');
        checksum.push_str(digits);
        builder.package(&Identity {
            name: solvable.name(),
            version: Version { epoch, version, release },
            arch: solvable.arch(),
            vendor: solvable.vendor(),
            key: solvable.location(),
            checksum: &checksum,
            size: solvable.package_size(),
            installed_size: solvable.installed_size(),
        });
        for relation in solvable.relations() {
            let bound = relation
                .bound
                .map(|(condition, epoch, version, release)| (condition, Version { epoch, version, release }));
            builder.relation(kind(relation.kind), relation.name, bound);
        }
        solvable.files().for_each(|path| builder.path(path));
    }
    Ok(builder.finish()?)
}

fn kind(kind: RelationKind) -> Kind {
    match kind {
        RelationKind::Provides => Kind::Provides,
        RelationKind::Requires => Kind::Requires,
        RelationKind::Conflicts => Kind::Conflicts,
        RelationKind::Obsoletes => Kind::Obsoletes,
        RelationKind::Recommends => Kind::Recommends,
        RelationKind::Suggests => Kind::Suggests,
        RelationKind::Supplements => Kind::Supplements,
        RelationKind::Enhances => Kind::Enhances,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_table() {
        let mut package =
            repodata::Package::new("a-1:2-3.noarch".parse().expect("a name"), pkg::Digest::of(b"package").into());
        package.location = "a.rpm".to_owned();
        package.requires = vec![repodata::Requirement { relation: "b >= 2".parse().expect("a relation"), pre: true }];
        let documents = repodata::Documents::new(
            &[repodata::Entry::new(&package)],
            repodata::Compression::None,
            pkg::SourceDateEpoch(1),
        );
        let documents = documents.expect("documents");
        let table = solvables(documents.files[0].1.as_slice()).expect("a table");
        let source = solve::Source { name: "r".to_owned(), priority: 99, cost: 1000 };
        let universe =
            solve::Universe::of(vec![(source, table)], Vec::new(), solve::Paths::Primary).expect("a universe");
        let id = universe.named("a")[0];
        let read = universe.package(id);
        assert_eq!((read.nevra, read.key.as_str()), (package.nevra, "a.rpm"));
        assert_eq!(read.checksum, pkg::Digest::of(b"package").to_string());
        assert_eq!(read.requires[0].to_string(), "b >= 2");
        assert!(solvables(&documents.files[0].1[..200]).is_err());
    }
}
