use std::path::{Path, PathBuf};

use repodata::Package;

/// What the solver has to know of a package file.
pub fn package_of_file(path: &Path) -> Result<Package, FileError> {
    let wrong = |cause: String| FileError { path: path.to_owned(), cause };
    let mut reader = std::io::BufReader::new(fs_err::File::open(path).map_err(|error| wrong(error.to_string()))?);
    let read = rpm::Package::read(&mut reader).map_err(|error| wrong(error.to_string()))?;
    let mut package = crate::installed::facts(&read.header).map_err(|error| wrong(error.to_string()))?;
    package.nevra = read.nevra();
    package.sizes.package = fs_err::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    Ok(package)
}

/// A file that is no package.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be read as a package: {cause}", path.display())]
pub struct FileError {
    path: PathBuf,
    cause: String,
}
