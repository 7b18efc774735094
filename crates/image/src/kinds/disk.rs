//! A disk with a GUID partition table: an EFI system partition with a unified kernel image, and an ext4 root.

use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ::disk::gpt::{Layout, PartitionType as Purpose, Request};
use ::disk::{Section, Uuid, ext4, fat, gpt, qcow2, uki};
use distro::{Partition, PartitionType};
use host::Host;
use install::{Installed, PackageFile, fill};
use pkg::Digest;
use store::Store;

use crate::finish::{Finish, read};
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
    let image = &recipe.image.name;
    let definition = &recipe.image.definition;
    let problem = |problem: &str| ImageError::Definition { image: image.clone(), problem: problem.to_owned() };
    let partition = |kind| definition.partitions.iter().find(|partition| partition.kind == kind);
    let esp = partition(PartitionType::Esp).ok_or_else(|| problem("a disk needs a partition of type `esp` to boot"))?;
    let root = partition(PartitionType::Root).ok_or_else(|| problem("a disk needs a partition of type `root`"))?;
    let initrd_definition =
        definition.initrd.as_ref().ok_or_else(|| problem("a disk needs an `[image.initrd]` to find its root"))?;
    let names = Names::of(&id);

    let mut system = fill_root(&recipe.packages, &definition.exclude_paths, recipe, host, store, progress, "root")?;
    progress("applying the settings of the system");
    let mut finish = Finish { image, tree: &mut system.tree, contents: &mut system.contents, at: recipe.at };
    finish.mounts(&[
        (format!("UUID={}", names.filesystem), "/", "ext4", "defaults", 1),
        (format!("PARTUUID={}", names.esp), "/efi", "vfat", "umask=0077,noauto,x-systemd.automount", 2),
    ])?;
    finish.system(&definition.system, host, store)?;
    let kernel = kernel::find(image, &system.tree)?;
    let missing = |what, path: &str| ImageError::Missing { image: image.clone(), what, path: format!("`/{path}`") };
    let os_release =
        read(&system.tree, &system.contents, OS_RELEASE)?.ok_or_else(|| missing("os-release", OS_RELEASE))?;
    let os_release = String::from_utf8_lossy(&os_release).into_owned();

    let mut early =
        fill_root(&recipe.initrd_packages, &initrd_definition.exclude_paths, recipe, host, store, progress, "initrd")?;
    let mut finish = Finish { image, tree: &mut early.tree, contents: &mut early.contents, at: recipe.at };
    let parts = initrd::Parts {
        kernel: &kernel,
        modules: &initrd_definition.modules,
        os_release: &os_release,
        root: &system.tree,
        root_contents: &system.contents,
    };
    initrd::finish(&mut finish, &parts)?;
    let early_packages = early.packages.clone();
    early.contents.merge(system.contents);
    let contents = early.contents;
    progress("compressing the initrd");
    let archive = initrd::write(&early.tree, &contents)?;

    progress("joining kernel, initrd and command line");
    let stub = match read(&system.tree, &contents, STUB)? {
        Some(stub) => stub,
        None => read(&early.tree, &contents, STUB)?.ok_or_else(|| missing("boot stub", STUB))?,
    };
    let linux = read(&system.tree, &contents, kernel.image.as_str())?
        .ok_or_else(|| missing("kernel", kernel.image.as_str()))?;
    let mut command_line = vec![format!("root=UUID={}", names.filesystem)];
    command_line.extend(definition.kernel_command_line.iter().cloned());
    let command_line = command_line.join(" ");
    let disk_error = |cause: Box<dyn std::error::Error + Send + Sync>| ImageError::Disk { image: image.clone(), cause };
    let program = uki::Uki {
        os_release: &os_release,
        command_line: &command_line,
        uname: &kernel.version,
        linux: &linux,
        initrd: &archive,
        ..uki::Uki::default()
    }
    .build(&stub)
    .map_err(|cause| disk_error(cause.into()))?;

    progress("writing the disk");
    let raw = to.join(format!("{image}.raw"));
    let parts = Parts { esp, root, program: &program, names: &names };
    let disk_bytes = write_disk(&raw, &parts, &system.tree, &contents, recipe).map_err(disk_error)?;
    let mut files = Vec::new();
    if definition.formats.iter().any(|format| format == "qcow2") {
        progress("writing qcow2");
        let place = to.join(format!("{image}.qcow2"));
        let options =
            qcow2::Options { size: disk_bytes, compression: qcow2::Compression::Zstd(3), threads: host.cores() };
        let mut source = fs_err::File::open(&raw)?;
        let mut out = fs_err::File::create(&place)?;
        qcow2::write(&mut source, &options, &mut out).map_err(|cause| disk_error(cause.into()))?;
    }
    if !definition.formats.iter().any(|format| format == "raw") {
        fs_err::remove_file(&raw)?;
    }
    progress("digesting what was written");
    for format in &definition.formats {
        let name = format!("{image}.{format}");
        let digest = tree::directory::digest_only(&to.join(&name))?;
        fs_err::set_permissions(to.join(&name), std::os::unix::fs::PermissionsExt::from_mode(0o444))?;
        files.push((name, digest));
    }
    let failed = |run: &install::ScriptletRun| {
        let failure = run.failure.as_ref()?;
        Some(format!("{} of {}: {failure}: {}", run.scriptlet, run.package, run.output.join(" / ")))
    };
    let manifest = Manifest {
        name: image.clone(),
        id,
        kernel: kernel.version,
        command_line,
        packages: manifest_packages(&system.packages),
        initrd_packages: manifest_packages(&early_packages),
        paths: system.tree.len(),
        content_bytes: system.tree.content_size(),
        disk_bytes,
        files,
        failed_scriptlets: system.scriptlets.iter().chain(&early.scriptlets).filter_map(failed).collect(),
    };
    let text = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::from)?;
    fs_err::write(to.join("manifest.json"), text)?;
    Ok(())
}

fn fill_root<'a>(
    packages: &[PackageFile],
    exclude_paths: &[String],
    recipe: &Recipe<'_>,
    host: &Host,
    store: &'a Store,
    progress: &dyn Fn(&str),
    what: &str,
) -> Result<Installed<'a>, ImageError> {
    let options = install::Options {
        at: recipe.at,
        is_excluded: &|path| exclude_paths.iter().any(|glob| distro::glob_matches(glob, path)),
        progress: &|done, all, name| progress(&format!("filling the {what}: {}/{all} {name}", done + 1)),
    };
    Ok(fill(packages, &options, host, store)?)
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
    tree: &tree::Tree,
    contents: &install::Contents<'_>,
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
