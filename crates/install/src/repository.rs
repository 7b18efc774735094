use std::path::{Path, PathBuf};

use pkg::{Arch, Digest, Relation};
use repodata::{Algorithm, Checksum, Repomd};
use sign::KeyRing;
use solve::{Request, Universe, Unsolvable};

use crate::PackageFile;

/// A repository on this machine's disk whose index was found to be signed, and its documents to be the index's.
pub struct Repository {
    folder: PathBuf,
    packages: Vec<repodata::Package>,
    id: Digest,
}

/// Why a repository is not used, or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// A file of the repository cannot be read.
    #[error("`{}` cannot be read as a repository: {cause}", folder.display())]
    Unreadable {
        /// The repository.
        folder: PathBuf,
        /// Why not.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The index is not signed by an accepted key.
    #[error("the index of `{}` is not signed by an accepted key: {cause}", folder.display())]
    Signature {
        /// The repository.
        folder: PathBuf,
        /// What is wrong with the signature.
        cause: sign::VerifyError,
    },
    /// A file is not the one that the index, or a document of it, names.
    #[error("`{}` is not the file that the repository's index names: {expected} is expected", file.display())]
    Differs {
        /// The file.
        file: PathBuf,
        /// The digest that the index says.
        expected: String,
    },
    /// No packages satisfy the request.
    #[error("the packages cannot be installed together\n{0}")]
    Unsolvable(Unsolvable),
}

/// A repository's documents are not larger than this when decompressed.
const LARGEST_DOCUMENT: u64 = 4 << 30;

impl Repository {
    /// Opens the repository in `folder`; its index must be signed by one of `keys`.
    pub fn open(folder: &Path, keys: &KeyRing) -> Result<Repository, RepositoryError> {
        let folder = fs_err::canonicalize(folder).map_err(|error| unreadable(folder, error))?;
        let wrong = |error: std::io::Error| unreadable(&folder, error);
        let index = fs_err::read(folder.join("repodata/repomd.xml")).map_err(wrong)?;
        let signature = fs_err::read(folder.join("repodata/repomd.xml.asc")).map_err(wrong)?;
        keys.verify(&signature, &index)
            .map_err(|cause| RepositoryError::Signature { folder: folder.clone(), cause })?;
        let repomd = Repomd::read(index.as_slice()).map_err(|error| unreadable(&folder, error))?;
        let document = |kind: &str| -> Result<Vec<u8>, RepositoryError> {
            let data =
                repomd.document(kind).ok_or_else(|| unreadable(&folder, format!("its index names no `{kind}`")))?;
            let file = folder.join(&data.location);
            let bytes = fs_err::read(&file).map_err(wrong)?;
            check(&file, &data.checksum, &Digest::of(&bytes))?;
            let limit = data.open_size.unwrap_or(LARGEST_DOCUMENT).min(LARGEST_DOCUMENT);
            let mut open = repodata::decompress(bytes.as_slice(), limit).map_err(|error| unreadable(&folder, error))?;
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut open, &mut text).map_err(wrong)?;
            Ok(text)
        };
        let (primary, filelists, other) = (document("primary")?, document("filelists")?, document("other")?);
        let packages = repodata::read_packages(primary.as_slice(), filelists.as_slice(), other.as_slice())
            .map_err(|error| unreadable(&folder, error))?;
        Ok(Repository { id: Digest::of(&index), folder, packages })
    }

    /// The digest of the index: another one means other packages.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// All packages.
    pub fn packages(&self) -> &[repodata::Package] {
        &self.packages
    }

    /// The packages that satisfy `install` on a machine of `arch` with nothing on it, without those of `exclude`.
    ///
    /// Weak dependencies are not followed: an image holds what it asks for.
    pub fn resolve(
        &self,
        install: Vec<Relation>,
        exclude: Vec<Relation>,
        arch: &Arch,
    ) -> Result<Vec<PackageFile>, RepositoryError> {
        let binary = self.packages.iter().enumerate().filter(|(_, package)| package.nevra.arch != Arch::src());
        let universe = Universe::new(binary.map(|(index, package)| solvable(index, package)).collect());
        let mut request = Request::new(arch.clone()).install(install);
        request.weak = false;
        request.exclude = exclude;
        let solution = solve::resolve(&universe, &request).map_err(RepositoryError::Unsolvable)?;
        let mut files = Vec::new();
        for id in solution.packages() {
            let index: usize = universe.package(id).key.parse().map_err(|error| unreadable(&self.folder, error))?;
            let package = &self.packages[index];
            let wrong = || unreadable(&self.folder, format!("the digest of `{}` is not SHA-256", package.nevra));
            if package.checksum.algorithm != Algorithm::Sha256 {
                return Err(wrong());
            }
            let digest = Digest::parse(&package.checksum.hex).map_err(|_| wrong())?;
            files.push(PackageFile { path: self.folder.join(&package.location), digest });
        }
        Ok(files)
    }
}

fn solvable(index: usize, package: &repodata::Package) -> solve::Package {
    solve::Package {
        key: index.to_string(),
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

fn check(file: &Path, expected: &Checksum, found: &Digest) -> Result<(), RepositoryError> {
    if expected.algorithm == Algorithm::Sha256 && expected.hex == found.hex() {
        return Ok(());
    }
    Err(RepositoryError::Differs {
        file: file.to_owned(),
        expected: format!("{:?} {}", expected.algorithm, expected.hex),
    })
}

fn unreadable(folder: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> RepositoryError {
    RepositoryError::Unreadable { folder: folder.to_owned(), cause: cause.into() }
}
