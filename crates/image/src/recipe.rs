use distro::{Image, Partition};
use install::PackageFile;
use pkg::{Digest, Hasher, SourceDateEpoch};

/// Part of every image's id: another number makes every image anew. Raise it when the bytes written change.
const FORMAT: &str = "1";

/// All that an image is made from.
#[derive(Clone, Debug)]
pub struct Recipe<'a> {
    /// Its definition.
    pub image: &'a Image,
    /// The packages of its root.
    pub packages: Vec<PackageFile>,
    /// The packages of its initrd.
    pub initrd_packages: Vec<PackageFile>,
    /// The armoured public key of the repository that the packages are from.
    pub repository_key: Vec<u8>,
    /// What stands for "now".
    pub at: SourceDateEpoch,
}

impl Recipe<'_> {
    /// The id of the image: equal for equal inputs.
    pub fn id(&self) -> Digest {
        let mut hasher = Hasher::new();
        hasher.field("format", FORMAT).field("name", &self.image.name).field("at", self.at.0.to_le_bytes());
        let definition = &self.image.definition;
        // Which packages were asked for does not count beside those that were chosen.
        for (name, list) in [("exclude", &definition.exclude_paths), ("command line", &definition.kernel_command_line)]
        {
            for item in list {
                hasher.field(name, item);
            }
        }
        if let Some(initrd) = &definition.initrd {
            for (name, list) in [("initrd exclude", &initrd.exclude_paths), ("module", &initrd.modules)] {
                for item in list {
                    hasher.field(name, item);
                }
            }
        }
        for Partition { kind, label, size, free } in &definition.partitions {
            hasher.field("partition", format!("{kind:?} {label} {size:?} {free}"));
        }
        for format in &definition.formats {
            hasher.field("written", format);
        }
        hasher.field("system", format!("{:?}", definition.system));
        if definition.system.repository_key.is_some() {
            hasher.field("repository key", &self.repository_key);
        }
        for (name, packages) in [("package", &self.packages), ("initrd package", &self.initrd_packages)] {
            let mut digests: Vec<Digest> = packages.iter().map(|package| package.digest).collect();
            digests.sort();
            for digest in digests {
                hasher.field(name, digest.as_bytes());
            }
        }
        hasher.finish()
    }
}

/// What an image holds and how it is laid out; written beside it as `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// The image.
    pub name: String,
    /// Its id.
    pub id: Digest,
    /// The kernel's version.
    pub kernel: String,
    /// The kernel's command line.
    pub command_line: String,
    /// The packages of its root, by name.
    pub packages: Vec<ManifestPackage>,
    /// The packages of its initrd, by name.
    pub initrd_packages: Vec<ManifestPackage>,
    /// Paths in its root.
    pub paths: usize,
    /// Bytes of the files in its root.
    pub content_bytes: u64,
    /// Bytes of the disk.
    pub disk_bytes: u64,
    /// The files written, with the digests of their bytes.
    pub files: Vec<(String, Digest)>,
    /// Scriptlets that failed without stopping anything, with what they printed.
    pub failed_scriptlets: Vec<String>,
}

/// A package of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ManifestPackage {
    /// Name, version, release and architecture.
    pub nevra: String,
}
