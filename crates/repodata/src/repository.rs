use std::collections::HashMap;
use std::io::BufRead;

use crate::{Package, ReadError, filelists, other, primary};

/// Reads the three documents of one repository, decompressed, and joins them by the packages' ids.
///
/// The order is primary's. A package that filelists or other leave out keeps the files that primary lists, or no changelog.
///
/// # Errors
/// Those of the readers, and [`ReadError::Stranger`] when filelists or other tell of a package that primary does not list.
pub fn read_packages(
    primary: impl BufRead,
    filelists: impl BufRead,
    other: impl BufRead,
) -> Result<Vec<Package>, ReadError> {
    let mut packages = primary::Reader::new(primary).collect::<Result<Vec<_>, _>>()?;
    let mut places: HashMap<String, usize> = HashMap::with_capacity(packages.len());
    for (place, package) in packages.iter().enumerate() {
        places.insert(package.checksum.hex.clone(), place);
    }
    let find = |document, checksum: String| match places.get(&checksum) {
        Some(place) => Ok(*place),
        None => Err(ReadError::Stranger { document, checksum }),
    };
    for list in filelists::Reader::new(filelists) {
        let (id, files) = list?;
        packages[find("filelists", id.checksum)?].files = files;
    }
    for changelog in other::Reader::new(other) {
        let (id, changes) = changelog?;
        packages[find("other", id.checksum)?].changelog = changes;
    }
    Ok(packages)
}
