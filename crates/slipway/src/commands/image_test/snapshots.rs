use std::path::{Path, PathBuf};

use build::Built;
use distro::{Distro, SpecSource};
use pkg::Nevra;
use rpm::{FileEntry, FileKind};
use store::Store;

use super::Arguments;
use crate::commands::build::build_planned;
use crate::context::Context;
use crate::explain::Failure;
use crate::{pipeline, rendering};

/// What the second build of the package is compiled with, so that its program has other bytes and not just another name.
const OTHER_FLAGS: (&str, &str) = ("build_cflags", "-O1 -g0 -pipe -m64");

/// A package as its file says.
pub(super) struct Version {
    pub(super) nevra: Nevra,
    pub(super) files: Vec<FileEntry>,
}

/// The snapshots that the machine sees one after the other, under one address.
pub(super) struct Snapshots {
    /// The folder that is served: nothing but the link `current`.
    pub(super) folder: PathBuf,
    /// As it is published now.
    published: PathBuf,
    /// The same and a newer build of the package. The older one stays, or nobody could take the upgrade back.
    newer: PathBuf,
    /// A newer build of the package that somebody else signed.
    stranger: PathBuf,
    pub(super) old: Version,
    pub(super) new: Version,
}

/// Which of the snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Published,
    Newer,
    Stranger,
}

impl Snapshots {
    /// Builds the newer package and makes all snapshots, each where it is missing. What is published is not touched.
    pub(super) fn prepare(
        arguments: &Arguments,
        distro: &Distro,
        machine: &Path,
        context: &Context,
        store: &Store,
    ) -> Result<Snapshots, Failure> {
        let name = &arguments.package;
        let published = pipeline::published(context)?.join(publish::CURRENT);
        let key = pipeline::signing_key(arguments.key.as_deref(), distro, context)?;
        let public = fs_err::read(published.join(publish::KEY_FILE))?;
        if sign::Signer::public_key_armored(&key).is_ok_and(|own| own.into_bytes() != public) {
            let message = format!("`{}` was published with another key", published.display());
            return Err(Failure::work(message).hint("name the secret key with `--key`, or publish again"));
        }
        let (old, component) = find(name, &published, context)?;
        let newer = newer_build(&component, &machine.join("newer-spec"), distro, context)?;
        let new =
            newer.packages.iter().find(|package| package.nevra.name == *name && package.nevra.arch == old.nevra.arch);
        let new = new.ok_or_else(|| Failure::work(format!("`{component}`, built again, has no package `{name}`")))?;
        let new = read(&store.object_path(&new.digest))?.0;
        if new.nevra.evr <= old.nevra.evr {
            return Err(Failure::work(format!(
                "the newer build of `{name}` is not newer: {} and {}",
                old.nevra, new.nevra
            ))
            .hint("end `Release:` of its spec in `%{?dist}`"));
        }
        let mut all = build_planned(distro, &[], None, false, context)?.built;
        all.push(newer.clone());
        let compose = |built: &[Built], key: &sign::Key, place: &str| -> Result<PathBuf, Failure> {
            let folder = machine.join(place);
            let snapshot = pipeline::publish_to(&folder, built, distro, key, store)?;
            keep_only(&folder.join(publish::SNAPSHOTS), &snapshot.folder)?;
            Ok(std::path::absolute(snapshot.folder)?)
        };
        let folder = machine.join("served");
        fs_err::create_dir_all(&folder)?;
        let snapshots = Snapshots {
            folder: std::path::absolute(folder)?,
            published: fs_err::canonicalize(published)?,
            newer: compose(&all, &key, "newer")?,
            stranger: compose(&[newer], &strangers_key(machine, distro)?, "stranger")?,
            old,
            new,
        };
        snapshots.show(Which::Published)?;
        Ok(snapshots)
    }

    /// Makes the address lead to a snapshot, in one step.
    pub(super) fn show(&self, which: Which) -> Result<(), Failure> {
        let target = match which {
            Which::Published => &self.published,
            Which::Newer => &self.newer,
            Which::Stranger => &self.stranger,
        };
        let link = self.folder.join(".current.new");
        if link.is_symlink() {
            fs_err::remove_file(&link)?;
        }
        fs_err::os::unix::fs::symlink(target, &link)?;
        Ok(fs_err::rename(&link, self.folder.join(publish::CURRENT))?)
    }
}

/// The newest package of this name in a published repository, and the component that it is of.
fn find(name: &str, published: &Path, context: &Context) -> Result<(Version, String), Failure> {
    let repository = pipeline::open_repository(context)?;
    let named = repository.packages().iter().filter(|package| package.nevra.name == name);
    let binary = named.filter(|package| package.nevra.arch != pkg::Arch::src());
    let Some(found) = binary.max_by(|left, right| left.nevra.evr.cmp(&right.nevra.evr)) else {
        return Err(Failure::usage(format!("no package `{name}` is published"))
            .hint("`--package` names another; `slipway repo publish` publishes what was built"));
    };
    let (version, source) = read(&published.join(&found.location))?;
    let component = source.strip_suffix(".rpm").and_then(|source| Nevra::parse(source).ok()).map(|source| source.name);
    let component =
        component.ok_or_else(|| Failure::work(format!("`{name}` does not say which source it is built from")))?;
    Ok((version, component))
}

/// A package's file: what it holds, and the name of its source package.
fn read(path: &Path) -> Result<(Version, String), Failure> {
    let wrong = |error: String| Failure::work(format!("`{}` cannot be read: {error}", path.display()));
    let mut reader = std::io::BufReader::new(fs_err::File::open(path)?);
    let package = rpm::Package::read(&mut reader).map_err(|error| wrong(error.to_string()))?;
    let files = package.files().map_err(|error| wrong(error.to_string()))?;
    let source = package.header.source_rpm().unwrap_or_default().to_owned();
    Ok((Version { nevra: package.nevra(), files }, source))
}

/// The component built again as a newer release; `scratch` is a folder for a rendered spec that is changed.
fn newer_build(component: &str, scratch: &Path, distro: &Distro, context: &Context) -> Result<Built, Failure> {
    let mut changed = distro.clone();
    let Some(again) = changed.components.get_mut(component) else {
        return Err(Failure::work(format!("the definition has no component `{component}`, of which the package is")));
    };
    let defines = &mut again.build.defines;
    let dist = format!("{}.1", defines.get("dist").map_or("", String::as_str));
    let set = [("dist", dist.as_str()), OTHER_FLAGS];
    defines.extend(set.map(|(name, body)| (name.to_owned(), body.to_owned())));
    // A rendered spec reads its options from the file beside it.
    let rendered = match &mut again.spec {
        SpecSource::Upstream(upstream) => Some(&mut upstream.spec),
        SpecSource::Local { .. } => None,
    };
    if let Some(spec) = rendered {
        let folder = scratch.join(component);
        let options = format!("{component}.macros");
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
        fs_err::create_dir_all(&folder)?;
        let from = spec.parent().unwrap_or(Path::new("."));
        for (name, mut content) in rendering::read_folder(from)? {
            if name == options {
                set.iter().for_each(|(name, body)| content.extend(format!("%{name} {body}\n").bytes()));
            }
            fs_err::write(folder.join(&name), content)?;
        }
        *spec = folder.join(spec.file_name().unwrap_or_default());
    }
    let built = build_planned(&changed, &[component.to_owned()], None, false, context)?.built;
    let built = built.into_iter().find(|built| built.component == component);
    built.ok_or_else(|| Failure::work(format!("`{component}` was not built")))
}

/// A key that no machine knows, made once for each image.
fn strangers_key(machine: &Path, distro: &Distro) -> Result<sign::Key, Failure> {
    let path = machine.join("stranger.asc");
    if !path.exists() {
        sign::Key::generate("A stranger", sign::KeyAlgorithm::Rsa3072, distro.project.epoch)?.save(&path)?;
    }
    Ok(sign::Key::load(&path)?)
}

/// Removes all snapshots but one: their files are other names of the store's, which would not get free.
fn keep_only(snapshots: &Path, kept: &Path) -> Result<(), Failure> {
    for entry in fs_err::read_dir(snapshots)? {
        let path = entry?.path();
        if path.file_name() != kept.file_name() {
            fs_err::remove_dir_all(path)?;
        }
    }
    Ok(())
}

impl Version {
    /// The package's first program: an executable file in `/usr/bin`.
    pub(super) fn program(&self) -> Option<&str> {
        let is_program = |file: &&FileEntry| {
            file.kind == FileKind::Regular && file.permissions() & 0o111 != 0 && file.path.starts_with("/usr/bin/")
        };
        self.files.iter().find(is_program).map(|file| file.path.as_str())
    }

    /// Paths that are the package's own: no directory, which others may share, and no ghost.
    pub(super) fn own(&self) -> impl Iterator<Item = &FileEntry> {
        self.files.iter().filter(|file| file.kind != FileKind::Directory && !file.is_ghost())
    }
}
