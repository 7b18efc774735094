use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Located, Position, SourceText};
use crate::reader::{File, Table};
use crate::reference;

/// An image: what it is called and what is in it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// The image in a sentence.
    pub description: String,
    /// What it holds.
    pub definition: ImageDefinition,
    /// Where it is defined.
    pub at: Position,
}

/// What an image holds.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ImageDefinition {
    /// Packages, groups resolved, each once, in the order written.
    pub packages: Vec<String>,
    /// Groups as written, for the loader to resolve.
    #[serde(skip)]
    pub(crate) groups: Vec<Located<String>>,
    /// Packages that no dependency may bring in.
    pub exclude_packages: Vec<String>,
    /// Globs of paths that are left out.
    pub exclude_paths: Vec<String>,
    /// What the kernel is told, after `root=`.
    pub kernel_command_line: Vec<String>,
    /// The initrd, if there is one.
    pub initrd: Option<Initrd>,
    /// The partitions in the order of the disk.
    pub partitions: Vec<Partition>,
    /// `raw`, `qcow2`.
    pub formats: Vec<String>,
    /// Settings of the installed system.
    pub system: System,
}

/// The initrd: a second, smaller root.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Initrd {
    /// Packages that it holds, with all they require.
    pub packages: Vec<String>,
    /// Packages that no dependency may bring in.
    pub exclude_packages: Vec<String>,
    /// Globs of paths that are left out.
    pub exclude_paths: Vec<String>,
    /// Kernel modules to take along, with those that they need.
    pub modules: Vec<String>,
}

/// What a partition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartitionType {
    /// The EFI system partition.
    Esp,
    /// The root file system.
    Root,
}

/// A partition.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Partition {
    /// What it is for.
    pub kind: PartitionType,
    /// Its name in the partition table.
    pub label: String,
    /// Its size in bytes; `None` means as large as its content and `free`.
    pub size: Option<u64>,
    /// Bytes that stay free where there is no `size`.
    pub free: u64,
}

/// Settings of the installed system.
#[derive(Clone, Debug, serde::Serialize)]
pub struct System {
    /// The machine's name until it learns another.
    pub hostname: Option<String>,
    /// As in `Europe/Berlin`.
    pub timezone: Option<String>,
    /// As in `C.UTF-8`.
    pub locale: Option<String>,
    /// What the machine boots to.
    pub default_target: String,
    /// Units to enable beside what the presets say.
    pub enable: Vec<String>,
    /// Units to disable whatever the presets say.
    pub disable: Vec<String>,
    /// Where the public key of the repository is put that the image is made from.
    pub repository_key: Option<String>,
}

/// An image that another tool describes and makes; Slipway knows of it and no more.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ForeignImage {
    /// Its name.
    pub name: String,
    /// The image in a sentence.
    pub description: String,
    /// The language of its description, as in `kiwi`; empty where none is said.
    pub language: String,
    /// Its description.
    pub path: Option<PathBuf>,
    /// The part of the description that is meant.
    pub profile: Option<String>,
    /// Where it is defined.
    pub at: Position,
}

/// What the definition says of an image, whoever makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImageFacts {
    /// What it can do: `machine-bootable`, `container`, `systemd`, `runtime-package-management`; not said means unknown.
    pub capabilities: BTreeMap<&'static str, bool>,
    /// The test suites that it is put to.
    pub test_suites: Vec<Located<String>>,
    /// The channels to which it is published.
    pub channels: Vec<String>,
}

/// An image as it was read.
pub(crate) enum Found {
    Ours(Box<Image>),
    Foreign(ForeignImage),
}

pub(crate) fn read(
    name: &str,
    mut table: Table<'_>,
    folder: &Path,
    problems: &mut Vec<Diagnostic>,
) -> (ImageFacts, Option<Found>) {
    let facts = read_facts(&mut table);
    (facts, read_image(name, table, folder, problems))
}

fn read_facts(table: &mut Table<'_>) -> ImageFacts {
    let mut facts = ImageFacts::default();
    if let Some(mut capabilities) = table.table("capabilities", reference::CAPABILITIES) {
        for key in ["machine-bootable", "container", "systemd", "runtime-package-management"] {
            if let Some(is_so) = capabilities.boolean(key) {
                facts.capabilities.insert(key, is_so);
            }
        }
    }
    if let Some(mut tests) = table.table("tests", reference::IMAGE_TESTS) {
        let suites = tests.tables("test-suites", reference::TEST_SUITE_REFERENCE);
        facts.test_suites = suites.into_iter().filter_map(|mut suite| suite.required("name")).collect();
    }
    if let Some(mut publish) = table.table("publish", reference::IMAGE_PUBLISH) {
        facts.channels = publish.texts("channels");
    }
    facts
}

fn read_image(name: &str, mut table: Table<'_>, folder: &Path, problems: &mut Vec<Diagnostic>) -> Option<Found> {
    let at = table.at();
    let description = table.text("description").unwrap_or_default();
    let name = name.to_owned();
    let foreign = |language: String, path: Option<PathBuf>, profile: Option<String>| {
        let (name, description, at) = (name.clone(), description.clone(), at.clone());
        Some(Found::Foreign(ForeignImage { name, description, language, path, profile, at }))
    };
    let Some(mut definition) = table.table("definition", reference::IMAGE_DEFINITION) else {
        return foreign(String::new(), None, None);
    };
    let kind = definition.text("type").unwrap_or_default();
    let profile = definition.text("profile");
    if kind != "slipway" {
        return foreign(kind, definition.text("path").map(|path| folder.join(path)), profile);
    }
    let path = folder.join(definition.required("path")?.value);
    match fs_err::read_to_string(&path) {
        Ok(text) => {
            let definition = read_file(path, text, problems)?;
            Some(Found::Ours(Box::new(Image { name, description, definition, at })))
        }
        Err(error) => {
            let problem = Diagnostic::new(format!("the image file cannot be read: {error}"));
            definition.report(definition.span.clone(), problem);
            None
        }
    }
}

fn read_file(path: PathBuf, text: String, problems: &mut Vec<Diagnostic>) -> Option<ImageDefinition> {
    let file = File::new(SourceText { path, text: text.into() });
    let definition = {
        let parsed = file.parse();
        let mut top = Table::top(&file, &parsed, reference::TOP);
        top.require("image");
        top.table("image", reference::IMAGE_FILE).map(read_definition)
    };
    problems.extend(file.into_problems());
    definition
}

fn read_definition(mut table: Table<'_>) -> ImageDefinition {
    let mut formats = Vec::new();
    for format in table.strings("formats") {
        if ["raw", "qcow2"].contains(&format.value.as_str()) {
            formats.push(format.value);
        } else {
            let problem = Diagnostic::new(format!("images of format `{}` cannot be written", format.value));
            table.report_at(&format.at, problem.hint("the formats are `raw` and `qcow2`"));
        }
    }
    if formats.is_empty() {
        formats.push("raw".to_owned());
    }
    let partitions: Vec<Partition> =
        table.tables("partitions", reference::PARTITION).into_iter().filter_map(read_partition).collect();
    table.require("partitions");
    for kind in [PartitionType::Esp, PartitionType::Root] {
        if partitions.iter().filter(|partition| partition.kind == kind).count() > 1 {
            table.report(table.span.clone(), Diagnostic::new("a disk has one `esp` and one `root` partition at most"));
        }
    }
    ImageDefinition {
        packages: table.texts("packages"),
        groups: table.strings("groups"),
        exclude_packages: table.texts("exclude-packages"),
        exclude_paths: table.texts("exclude-paths"),
        kernel_command_line: table.texts("kernel-command-line"),
        initrd: table.table("initrd", reference::INITRD).map(|mut initrd| Initrd {
            packages: initrd.texts("packages"),
            exclude_packages: initrd.texts("exclude-packages"),
            exclude_paths: initrd.texts("exclude-paths"),
            modules: initrd.texts("modules"),
        }),
        partitions,
        formats,
        system: read_system(table.table("system", reference::SYSTEM)),
    }
}

fn read_system(table: Option<Table<'_>>) -> System {
    let default_target = "multi-user.target".to_owned();
    let Some(mut table) = table else {
        return System {
            hostname: None,
            timezone: None,
            locale: None,
            default_target,
            enable: vec![],
            disable: vec![],
            repository_key: None,
        };
    };
    let repository_key = table.string("repository-key");
    if let Some(path) = &repository_key
        && !path.value.starts_with('/')
    {
        let problem = Diagnostic::new(format!("`{}` is no place in the system", path.value));
        table.report_at(&path.at, problem.hint("write the whole path, from `/` on"));
    }
    System {
        hostname: table.text("hostname"),
        timezone: table.text("timezone"),
        locale: table.text("locale"),
        default_target: table.text("default-target").unwrap_or(default_target),
        enable: table.texts("enable"),
        disable: table.texts("disable"),
        repository_key: repository_key.map(|path| path.value),
    }
}

fn read_partition(mut table: Table<'_>) -> Option<Partition> {
    table.required("type")?;
    let kind = table.word("type", &[("esp", PartitionType::Esp), ("root", PartitionType::Root)])?;
    let label = table.text("label");
    let size = read_size(&mut table, "size");
    let free = read_size(&mut table, "free");
    let only = match kind {
        PartitionType::Esp => [("fat", ())],
        PartitionType::Root => [("ext4", ())],
    };
    table.word("filesystem", &only);
    if kind == PartitionType::Esp {
        table.require("size");
    }
    let label = label.unwrap_or_else(|| match kind {
        PartitionType::Esp => "esp".to_owned(),
        PartitionType::Root => "root".to_owned(),
    });
    Some(Partition { kind, label, size, free: free.unwrap_or(0) })
}

/// Reads `64M` and the like: a whole number of bytes, KiB, MiB, GiB or TiB.
fn read_size(table: &mut Table<'_>, key: &'static str) -> Option<u64> {
    let text = table.string(key)?;
    let digits = text.value.trim_end_matches(['K', 'M', 'G', 'T']);
    let factor = match &text.value[digits.len()..] {
        "" => Some(1),
        "K" => Some(1 << 10),
        "M" => Some(1 << 20),
        "G" => Some(1 << 30),
        "T" => Some(1u64 << 40),
        _ => None,
    };
    let size = factor.and_then(|factor| digits.parse::<u64>().ok()?.checked_mul(factor));
    if size.is_none() {
        let problem = Diagnostic::new(format!("`{}` is not a size", text.value));
        table.report_at(&text.at, problem.hint("write a whole number and K, M, G or T, as in `64M`"));
    }
    size
}
