//! A disk with a GUID partition table: an EFI system partition with a unified kernel image, and an ext4 root.

use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ::disk::gpt::{Layout, PartitionType as Purpose, Request};
use ::disk::{Section, Uuid, ext4, fat, gpt, qcow2, uki};
use distro::{Initrd, Partition, PartitionType};
use host::Host;
use install::{Contents, Installed, PackageFile, fill};
use pkg::Digest;
use store::Store;
use tree::Tree;

use crate::finish::{Finish, read};
use crate::kernel::Kernel;
use crate::recipe::{Manifest, ManifestPackage, Recipe};
use crate::{ImageError, initrd, kernel};

/// The part of systemd around which kernel, initrd and command line are laid (systemd-stub(7)).
const STUB: &str = "usr/lib/systemd/boot/efi/linuxx64.efi.stub";
/// Says which system this is (os-release(5)).
const OS_RELEASE: &str = "usr/lib/os-release";
/// What firmware starts from a disk that it does not know (UEFI 2.10, section 3.5.1.1).
const BOOT_PROGRAM: &str = "EFI/BOOT/BOOTX64.EFI";

/// An image that was made, now or earlier.
#[derive(Clone, Debug)]
pub struct Built {
    /// What is in it.
    pub manifest: Manifest,
    /// The folder in the store that holds its files and `manifest.json`.
    pub folder: PathBuf,
    /// Whether it was there already.
    pub was_cached: bool,
}

impl Built {
    /// The file of the image in `format`, if it was written in it.
    pub fn file(&self, format: &str) -> Option<PathBuf> {
        let name = format!("{}.{format}", self.manifest.name);
        self.manifest.files.iter().any(|(file, _)| *file == name).then(|| self.folder.join(name))
    }
}

/// Makes the image of `recipe`, or finds it in the store. `progress` is told what is being done.
pub fn assemble(recipe: &Recipe<'_>, host: &Host, store: &Store, progress: &dyn Fn(&str)) -> Result<Built, ImageError> {
    let id = recipe.id();
    let mut was_cached = true;
    let folder = store.make_directory("image", &id, |to| {
        was_cached = false;
        make(recipe, id, host, store, progress, to)
    })?;
    let manifest = fs_err::read(folder.join("manifest.json"))?;
    let manifest = serde_json::from_slice(&manifest).map_err(std::io::Error::from)?;
    Ok(Built { manifest, folder, was_cached })
}

/// The UUIDs of an image: equal images bear equal ones.
struct Names {
    disk: Uuid,
    esp: Uuid,
    root: Uuid,
    filesystem: Uuid,
    hash_seed: Uuid,
}

impl Names {
    fn of(id: &Digest) -> Names {
        let derive = |role| Uuid::derive(id.as_bytes(), role);
        Names {
            disk: derive("disk"),
            esp: derive("esp"),
            root: derive("root"),
            filesystem: derive("root filesystem"),
            hash_seed: derive("directory hash"),
        }
    }
}

fn make(
    recipe: &Recipe<'_>,
    id: Digest,
    host: &Host,
    store: &Store,
    progress: &dyn Fn(&str),
    to: &Path,
) -> Result<(), ImageError> {
    let work = Work::new(recipe, id, host, store, progress)?;
    let (system, kernel) = work.root()?;
    let os_release = work.text_of(&system, OS_RELEASE)?;
    let early = work.initrd(&system, &kernel, &os_release)?;

    let mut made = Made {
        root_packages: manifest_packages(&system.packages),
        initrd_packages: manifest_packages(&early.packages),
        failed_scriptlets: failures(system.scriptlets.iter().chain(&early.scriptlets)),
        command_line: work.command_line(),
        kernel,
        os_release,
        root: system.tree,
        initrd: early.tree,
        contents: early.contents,
        program: Vec::new(),
    };
    made.contents.merge(system.contents);
    made.program = work.program(&made)?;

    let (disk_bytes, files) = work.files(&made, to)?;
    let manifest = Manifest {
        name: recipe.image.name.clone(),
        id,
        kernel: made.kernel.version,
        command_line: made.command_line,
        packages: made.root_packages,
        initrd_packages: made.initrd_packages,
        paths: made.root.len(),
        content_bytes: made.root.content_size(),
        disk_bytes,
        files,
        failed_scriptlets: made.failed_scriptlets,
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::from)?;
    fs_err::write(to.join("manifest.json"), text)?;
    Ok(())
}

/// What a disk is made of, before it is written.
struct Made<'a> {
    root: Tree,
    initrd: Tree,
    /// The bytes of both trees.
    contents: Contents<'a>,
    kernel: Kernel,
    os_release: String,
    command_line: String,
    /// The unified kernel image.
    program: Vec<u8>,
    root_packages: Vec<ManifestPackage>,
    initrd_packages: Vec<ManifestPackage>,
    failed_scriptlets: Vec<String>,
}

/// The parts of the definition that a disk needs, and the hands that make it.
struct Work<'a> {
    recipe: &'a Recipe<'a>,
    esp: &'a Partition,
    root: &'a Partition,
    initrd: &'a Initrd,
    names: Names,
    host: &'a Host,
    store: &'a Store,
    progress: &'a dyn Fn(&str),
}

impl<'a> Work<'a> {
    fn new(
        recipe: &'a Recipe<'a>,
        id: Digest,
        host: &'a Host,
        store: &'a Store,
        progress: &'a dyn Fn(&str),
    ) -> Result<Work<'a>, ImageError> {
        let definition = &recipe.image.definition;
        let missing = |what: &str| ImageError::Definition {
            image: recipe.image.name.clone(),
            problem: format!("a disk needs {what}"),
        };
        let partition = |kind| definition.partitions.iter().find(|partition| partition.kind == kind);
        Ok(Work {
            recipe,
            esp: partition(PartitionType::Esp).ok_or_else(|| missing("a partition of type `esp` to boot"))?,
            root: partition(PartitionType::Root).ok_or_else(|| missing("a partition of type `root`"))?,
            initrd: definition.initrd.as_ref().ok_or_else(|| missing("an `[image.initrd]` to find its root"))?,
            names: Names::of(&id),
            host,
            store,
            progress,
        })
    }

    /// The root file system with its settings, and the kernel in it.
    fn root(&self) -> Result<(Installed<'a>, Kernel), ImageError> {
        let definition = &self.recipe.image.definition;
        let mut system = self.fill(&self.recipe.packages, &definition.exclude_paths, "root")?;
        (self.progress)("applying the settings of the system");
        let mut finish = self.finish(&mut system);
        finish.mounts(&[
            (format!("UUID={}", self.names.filesystem), "/", "ext4", "defaults", 1),
            (format!("PARTUUID={}", self.names.esp), "/efi", "vfat", "umask=0077,noauto,x-systemd.automount", 2),
        ])?;
        finish.system(&definition.system, self.host, self.store)?;
        if let Some(path) = &definition.system.repository_key {
            finish.write(path.trim_start_matches('/'), &self.recipe.repository_key, 0o644)?;
        }
        let kernel = kernel::find(&self.recipe.image.name, &system.tree)?;
        Ok((system, kernel))
    }

    fn initrd(&self, system: &Installed<'_>, kernel: &Kernel, os_release: &str) -> Result<Installed<'a>, ImageError> {
        let mut early = self.fill(&self.recipe.initrd_packages, &self.initrd.exclude_paths, "initrd")?;
        let parts = initrd::Parts {
            kernel,
            modules: &self.initrd.modules,
            os_release,
            root: &system.tree,
            root_contents: &system.contents,
        };
        initrd::finish(&mut self.finish(&mut early), &parts)?;
        Ok(early)
    }

    fn fill(
        &self,
        packages: &[PackageFile],
        exclude_paths: &[String],
        what: &str,
    ) -> Result<Installed<'a>, ImageError> {
        let options = install::Options {
            at: self.recipe.at,
            is_excluded: &|path| exclude_paths.iter().any(|glob| distro::glob_matches(glob, path)),
            progress: &|done, all, name| (self.progress)(&format!("filling the {what}: {}/{all} {name}", done + 1)),
        };
        Ok(fill(packages, &options, self.host, self.store)?)
    }

    fn finish<'t>(&'t self, installed: &'t mut Installed<'a>) -> Finish<'t, 'a> {
        Finish {
            image: &self.recipe.image.name,
            tree: &mut installed.tree,
            contents: &mut installed.contents,
            at: self.recipe.at,
        }
    }

    fn command_line(&self) -> String {
        let mut words = vec![format!("root=UUID={}", self.names.filesystem)];
        words.extend(self.recipe.image.definition.kernel_command_line.iter().cloned());
        words.join(" ")
    }

    /// The unified kernel image: the stub with kernel, initrd and command line laid around it.
    fn program(&self, made: &Made<'_>) -> Result<Vec<u8>, ImageError> {
        (self.progress)("compressing the initrd");
        let archive = initrd::write(&made.initrd, &made.contents)?;
        (self.progress)("joining kernel, initrd and command line");
        let stub = match read(&made.root, &made.contents, STUB)? {
            Some(stub) => stub,
            None => read(&made.initrd, &made.contents, STUB)?.ok_or_else(|| self.missing("boot stub", STUB))?,
        };
        let image = made.kernel.image.as_str();
        let linux = read(&made.root, &made.contents, image)?.ok_or_else(|| self.missing("kernel", image))?;
        let program = uki::Uki {
            os_release: &made.os_release,
            command_line: &made.command_line,
            uname: &made.kernel.version,
            linux: &linux,
            initrd: &archive,
            ..uki::Uki::default()
        };
        program.build(&stub).map_err(|cause| self.disk_error(cause.into()))
    }

    /// Writes the disk in each format below `to`: its size in bytes, and the files with their digests.
    fn files(&self, made: &Made<'_>, to: &Path) -> Result<(u64, Vec<(String, Digest)>), ImageError> {
        let image = &self.recipe.image.name;
        let formats = &self.recipe.image.definition.formats;
        (self.progress)("writing the disk");
        let raw = to.join(format!("{image}.raw"));
        let parts = Parts { esp: self.esp, root: self.root, program: &made.program, names: &self.names };
        let disk_bytes = write_disk(&raw, &parts, &made.root, &made.contents, self.recipe)
            .map_err(|cause| self.disk_error(cause))?;
        if formats.iter().any(|format| format == "qcow2") {
            (self.progress)("writing qcow2");
            let place = to.join(format!("{image}.qcow2"));
            let compression = qcow2::Compression::Zstd(3);
            let options = qcow2::Options { size: disk_bytes, compression, threads: self.host.cores() };
            let mut source = fs_err::File::open(&raw)?;
            let mut out = fs_err::File::create(&place)?;
            qcow2::write(&mut source, &options, &mut out).map_err(|cause| self.disk_error(cause.into()))?;
        }
        if !formats.iter().any(|format| format == "raw") {
            fs_err::remove_file(&raw)?;
        }
        (self.progress)("digesting what was written");
        let mut files = Vec::new();
        for format in formats {
            let name = format!("{image}.{format}");
            let digest = tree::directory::digest_only(&to.join(&name))?;
            fs_err::set_permissions(to.join(&name), std::os::unix::fs::PermissionsExt::from_mode(0o444))?;
            files.push((name, digest));
        }
        Ok((disk_bytes, files))
    }

    fn text_of(&self, system: &Installed<'_>, path: &str) -> Result<String, ImageError> {
        let bytes = read(&system.tree, &system.contents, path)?.ok_or_else(|| self.missing("os-release", path))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn missing(&self, what: &'static str, path: &str) -> ImageError {
        ImageError::Missing { image: self.recipe.image.name.clone(), what, path: format!("`/{path}`") }
    }

    fn disk_error(&self, cause: Box<dyn std::error::Error + Send + Sync>) -> ImageError {
        ImageError::Disk { image: self.recipe.image.name.clone(), cause }
    }
}

fn failures<'r>(runs: impl Iterator<Item = &'r install::ScriptletRun>) -> Vec<String> {
    let failed = |run: &install::ScriptletRun| {
        let failure = run.failure.as_ref()?;
        Some(format!("{} of {}: {failure}: {}", run.scriptlet, run.package, run.output.join(" / ")))
    };
    runs.filter_map(failed).collect()
}

fn manifest_packages(packages: &[pkg::Nevra]) -> Vec<ManifestPackage> {
    let mut packages: Vec<ManifestPackage> =
        packages.iter().map(|nevra| ManifestPackage { nevra: nevra.to_string() }).collect();
    packages.sort();
    packages
}

struct Parts<'a> {
    esp: &'a Partition,
    root: &'a Partition,
    program: &'a [u8],
    names: &'a Names,
}

/// Writes the disk and returns its size in bytes.
fn write_disk(
    path: &Path,
    parts: &Parts<'_>,
    tree: &Tree,
    contents: &Contents<'_>,
    recipe: &Recipe<'_>,
) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let names = parts.names;
    let root_options = ext4::Options {
        size: match parts.root.size {
            Some(size) => ext4::Size::Exactly(size),
            None => ext4::Size::Minimal { free: parts.root.free },
        },
        uuid: names.filesystem,
        hash_seed: names.hash_seed,
        label: parts.root.label.clone(),
        at: recipe.at,
        journal: ext4::Journal::Usual,
        reserved_percent: 1,
    };
    let root_size = ext4::measure(tree, &root_options)?;
    let request = |kind, id, partition: &Partition, size, attributes| Request {
        kind,
        id,
        name: partition.label.clone(),
        attributes,
        size,
    };
    // Bit 59: systemd grows the file system to its partition at boot (Discoverable Partitions Specification).
    const GROW: u64 = 1 << 59;
    let requests = vec![
        request(Purpose::ESP, names.esp, parts.esp, parts.esp.size.unwrap_or(0), 0),
        request(Purpose::ROOT_X86_64, names.root, parts.root, root_size, GROW),
    ];
    let layout = Layout::arrange(names.disk, None, requests)?;
    let mut out = fs_err::OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    out.set_len(layout.size)?;
    gpt::write(&layout, &mut out)?;
    let mut esp = fat::Directory::new();
    esp.add_file(BOOT_PROGRAM, parts.program)?;
    let options = fat::Options {
        size: layout.partitions[0].range.end - layout.partitions[0].range.start,
        kind: None,
        label: Some("ESP".to_owned()),
        serial: u32::from_be_bytes([
            names.esp.as_bytes()[0],
            names.esp.as_bytes()[1],
            names.esp.as_bytes()[2],
            names.esp.as_bytes()[3],
        ]),
        at: recipe.at,
    };
    fat::write(&esp, &options, &mut Section::new(&mut out, layout.partitions[0].range.clone())?)?;
    ext4::write(tree, contents, &root_options, &mut Section::new(&mut out, layout.partitions[1].range.clone())?)?;
    out.seek(SeekFrom::Start(0))?;
    Ok(layout.size)
}
