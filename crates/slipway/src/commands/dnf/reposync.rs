use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use update::config::{Key, redacted};
use update::query::filter;
use update::{Download, Origin, Place, Sack};

use super::session::{Session, failed};
use crate::explain::Failure;

/// Copy repositories into a folder
#[derive(Args)]
#[command(after_help = "Example: slipway dnf --repo base reposync --destdir /srv/mirror --download-metadata --delete")]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(super) struct Arguments {
    /// The folder; this one if not said. Each repository is in a folder of its id there.
    #[arg(short = 'p', long, value_name = "DIR", alias = "download-path", default_value = ".")]
    destdir: PathBuf,
    /// Without a folder for the one repository that there is.
    #[arg(long)]
    norepopath: bool,
    /// Only packages of these architectures.
    #[arg(short = 'a', long, value_name = "ARCH,..", value_delimiter = ',')]
    arch: Vec<String>,
    /// Only source packages.
    #[arg(long, visible_alias = "source")]
    srpm: bool,
    /// Of each name and architecture only the newest version.
    #[arg(short = 'n', long)]
    newest_only: bool,
    /// The index and its documents, too: the copy is a repository.
    #[arg(long)]
    download_metadata: bool,
    /// Delete packages in the folder that the repository has not.
    #[arg(long)]
    delete: bool,
    /// Show where the packages are, and copy nothing.
    #[arg(short = 'u', long, visible_alias = "url")]
    urls: bool,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<ExitCode, Failure> {
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    if arguments.download_metadata {
        let all = session.repositories(&[])?;
        kinds.extend(all.iter().flat_map(|synced| &synced.repomd.data).map(|data| data.kind.clone()));
    }
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let repositories = session.repositories(&kinds)?;
    if arguments.norepopath && repositories.len() > 1 {
        return Err(Failure::usage("`--norepopath` is for one repository").hint("name it with `--repo`"));
    }
    let reasons = &session.reasons;
    let sack = session.with(|machine| Sack::load(Vec::new(), repositories, &[], reasons, machine)).map_err(failed)?;
    let mut written = Vec::new();
    for (index, synced) in sack.repositories().iter().enumerate() {
        let id = &synced.repository.id;
        let folder = if arguments.norepopath { arguments.destdir.clone() } else { arguments.destdir.join(id) };
        let chosen = chosen(&sack, index, arguments);
        let locations: Vec<(Place, PathBuf)> = chosen
            .iter()
            .map(|place| Ok((*place, inside(&folder, &sack.package(*place).location, id)?)))
            .collect::<Result<_, Failure>>()?;
        if arguments.urls {
            let base = synced.repository.list(Key::BaseUrl).into_iter().next().unwrap_or_default();
            let base = redacted(base.trim_end_matches('/'));
            for (place, _) in &locations {
                session.ui.data(&format!("{base}/{}", sack.package(*place).location));
            }
            continue;
        }
        let downloads: Vec<Download<'_>> = locations
            .iter()
            .filter(|(place, to)| !is_there(&sack, *place, to))
            .map(|(place, _)| Download { from: synced, package: sack.package(*place) })
            .collect();
        let fetched = session.with(|machine| update::download(&downloads, machine, &|_, _| {})).map_err(failed)?;
        for (download, (from, _)) in downloads.iter().zip(fetched) {
            let to = inside(&folder, &download.package.location, id)?;
            place(&from, &to)?;
            written.push(to);
        }
        if arguments.download_metadata {
            for data in &synced.repomd.data {
                let to = inside(&folder, &data.location, id)?;
                place(&synced.document_file(data), &to)?;
                written.push(to);
            }
            // The index last: what it names is there then.
            let to = folder.join("repodata/repomd.xml");
            place(&synced.state_folder().join("repomd.xml"), &to)?;
            written.push(to);
        }
        if arguments.delete {
            let kept: BTreeSet<&PathBuf> = locations.iter().map(|(_, path)| path).collect();
            for file in packages_in(&folder)? {
                if !kept.contains(&file) {
                    fs_err::remove_file(&file)?;
                    session.ui.note(&format!("deleted: {}", file.display()));
                }
            }
        }
        session.ui.note(&format!("{id}: {} packages, {} of them new", locations.len(), downloads.len()));
    }
    if session.ui.json {
        session.ui.json(&written);
    }
    Ok(ExitCode::SUCCESS)
}

fn chosen(sack: &Sack, repository: usize, arguments: &Arguments) -> BTreeSet<Place> {
    let mut chosen: BTreeSet<Place> =
        sack.all().filter(|place| sack.get(*place).origin == Origin::Available { repository }).collect();
    if arguments.srpm || !arguments.arch.is_empty() {
        chosen.retain(|place| {
            let arch = sack.package(*place).nevra.arch.as_str();
            (arguments.srpm && sack.is_source(*place)) || arguments.arch.iter().any(|wanted| wanted == arch)
        });
    }
    if arguments.newest_only { filter::latest(sack, &chosen, 1) } else { chosen }
}

/// Whether a file is the package: by size and digest.
fn is_there(sack: &Sack, place: Place, file: &Path) -> bool {
    let package = sack.package(place);
    let is_size = fs_err::metadata(file).is_ok_and(|meta| meta.len() == package.sizes.package);
    is_size && package.checksum.sha256().is_some_and(|wanted| update::digest_of(file).is_ok_and(|own| own == wanted))
}

/// A place below a folder: names that lead out of it are refused.
fn inside(folder: &Path, location: &str, id: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(location);
    match !location.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_))) {
        true => Ok(folder.join(path)),
        false => Err(Failure::work(format!("the repository `{id}` names a file outside of itself: `{location}`"))),
    }
}

/// Copies a file so that it is there as a whole or not at all.
fn place(from: &Path, to: &Path) -> Result<(), Failure> {
    if let Some(parent) = to.parent() {
        fs_err::create_dir_all(parent)?;
    }
    let name = to.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let part = to.with_file_name(format!(".{name}.part"));
    fs_err::copy(from, &part)?;
    fs_err::rename(&part, to)?;
    Ok(())
}

/// All `*.rpm` files below a folder.
fn packages_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|extension| extension == "rpm") {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_in_their_folder() {
        let folder = Path::new("/srv/base");
        assert_eq!(inside(folder, "a/b.rpm", "base").unwrap(), Path::new("/srv/base/a/b.rpm"));
        for location in ["../b.rpm", "/etc/passwd", "a/../../b", ""] {
            assert!(inside(folder, location, "base").is_err(), "{location}");
        }
    }
}
