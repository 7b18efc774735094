//! Every key of the definition with its meaning: what the reader accepts, and what the reference page says.

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// The shape of its value.
    pub shape: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// One table and its keys.
#[derive(Clone, Copy, Debug)]
pub struct TableReference {
    /// As it is written, as in `[components.NAME]`.
    pub name: &'static str,
    /// What the table describes.
    pub doc: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

const fn key(name: &'static str, shape: &'static str, doc: &'static str) -> Key {
    Key { name, shape, doc }
}

/// All tables, in the order of the reference page.
pub const TABLES: &[TableReference] = &[
    TableReference { name: "top level", doc: "Any definition file; most have only some of these.", keys: TOP },
    TableReference { name: "[project]", doc: "What is true of the whole definition.", keys: PROJECT },
    TableReference {
        name: "project.default-distro",
        doc: "Which distribution is built unless told otherwise.",
        keys: DISTRO_REFERENCE,
    },
    TableReference { name: "[distros.NAME]", doc: "A distribution.", keys: DISTRO },
    TableReference { name: "[distros.NAME.versions.VERSION]", doc: "A version of a distribution.", keys: VERSION },
    TableReference {
        name: "[components.NAME]",
        doc: "A component: a source package and how it is built.",
        keys: COMPONENT,
    },
    TableReference { name: "components.NAME.spec", doc: "Where the spec comes from.", keys: SPEC },
    TableReference {
        name: "[[components.NAME.source-files]]",
        doc: "A file that the spec names as a source and that is not kept beside it.",
        keys: SOURCE_FILE,
    },
    TableReference { name: "source-files.origin", doc: "Where a source file comes from.", keys: FILE_ORIGIN },
    TableReference {
        name: "[[components.NAME.overlays]]",
        doc: "A change to the component's spec or to the files beside it.",
        keys: OVERLAY,
    },
    TableReference {
        name: "overlays.metadata",
        doc: "What sort of change an overlay is, and how it relates to upstream.",
        keys: METADATA,
    },
    TableReference { name: "components.NAME.build", doc: "How the component is built.", keys: BUILD },
    TableReference { name: "build.check", doc: "Whether `%check` runs.", keys: CHECK },
    TableReference { name: "[component-groups.NAME]", doc: "Components that share settings.", keys: COMPONENT_GROUP },
    TableReference {
        name: "default-component-config",
        doc: "Settings that components inherit.",
        keys: COMPONENT_CONFIG,
    },
    TableReference {
        name: "[package-groups.NAME]",
        doc: "Binary packages under one name, for images.",
        keys: PACKAGE_GROUP,
    },
    TableReference { name: "[images.NAME]", doc: "An image.", keys: IMAGE },
    TableReference { name: "images.NAME.definition", doc: "Where the image is described.", keys: IMAGE_DEFINITION },
    TableReference { name: "[image], in an image file", doc: "What an image holds.", keys: IMAGE_FILE },
    TableReference { name: "[image.initrd]", doc: "The initrd: a second, smaller root.", keys: INITRD },
    TableReference { name: "[[image.partitions]]", doc: "A partition, in the order of the disk.", keys: PARTITION },
    TableReference { name: "[image.system]", doc: "Settings of the installed system.", keys: SYSTEM },
    TableReference { name: "[stage0]", doc: "The foreign build root that bootstraps the distribution.", keys: STAGE0 },
    TableReference {
        name: "[[stage0.commands]]",
        doc: "A command run as root inside a finished build root.",
        keys: STAGE0_COMMAND,
    },
    TableReference {
        name: "lock file, top level",
        doc: "What was pinned for one component; written by `slipway lock`.",
        keys: LOCK,
    },
    TableReference { name: "[[source]], in a lock file", doc: "A pinned source file.", keys: LOCKED_SOURCE },
];

pub(crate) const TOP: &[Key] = &[
    key("includes", "list of paths", "Further files, relative to this one; a star stands for characters of one name."),
    key("project", "table", "See `[project]`."),
    key("distros", "tables by name", "See `[distros.NAME]`."),
    key("components", "tables by name", "See `[components.NAME]`."),
    key("component-groups", "tables by name", "See `[component-groups.NAME]`."),
    key("default-component-config", "table", "What every component inherits."),
    key("package-groups", "tables by name", "See `[package-groups.NAME]`."),
    key("images", "tables by name", "See `[images.NAME]`."),
    key("image", "table", "Only in an image file: see `[image]`."),
    key("stage0", "table", "See `[stage0]`."),
];
pub(crate) const PROJECT: &[Key] = &[
    key("description", "string", "What this definition is of, in a sentence."),
    key("default-distro", "table", "See `project.default-distro`."),
    key("lock-dir", "path", "Where lock files are; `locks` if not said."),
    key("macros", "list of paths", "Macro files that every build reads, in this order, relative to this file."),
    key("source-date-epoch", "whole number", "Seconds since 1970 that stand for `now` in everything written."),
];
pub(crate) const DISTRO_REFERENCE: &[Key] = &[
    key("name", "string", "The distribution's key in `distros`."),
    key("version", "string", "The version's key in its `versions`."),
];
pub(crate) const DISTRO: &[Key] = &[
    key("description", "string", "The distribution in a sentence."),
    key("default-version", "string", "The version meant where none is named."),
    key("versions", "tables by version", "See `[distros.NAME.versions.VERSION]`."),
];
pub(crate) const VERSION: &[Key] = &[
    key("description", "string", "The version in a sentence."),
    key("release-ver", "string", "What `$releasever` stands for in repository files."),
    key("default-component-config", "table", "What every component of this version inherits."),
];
pub(crate) const COMPONENT: &[Key] = &[
    key("spec", "table", "See `components.NAME.spec`."),
    key(
        "origin",
        "`source` or `stage0`",
        "`source` (if not said): built from upstream's source; `stage0`: a Debian binary package in our packaging.",
    ),
    key("source-files", "list of tables", "See `[[components.NAME.source-files]]`."),
    key("overlays", "list of tables", "See `[[components.NAME.overlays]]`."),
    key("build", "table", "See `components.NAME.build`."),
];
pub(crate) const SPEC: &[Key] = &[
    key("type", "`local`", "Where the spec is from. Only `local` can be built so far."),
    key("path", "path", "The spec file, relative to this file. Files beside it are its local sources."),
];
pub(crate) const SOURCE_FILE: &[Key] = &[
    key("filename", "string", "Its name, as the spec's `Source` says it."),
    key("hash", "hexadecimal digits", "Its digest; where it is missing, the lock file has it."),
    key("hash-type", "`SHA256` or `SHA512`", "Which digest `hash` is."),
    key("origin", "table", "See `source-files.origin`."),
];
pub(crate) const OVERLAY: &[Key] = &[
    key("type", "type of overlay", "What is changed: see the page on overlays."),
    key("description", "string", "Why, in a sentence; the types that start with `spec-` and are typed need it."),
    key("section", "string", "The section of the spec, as in `%build`; the whole spec if not said."),
    key("package", "string", "The subpackage, as the section writes it; the main package if not said."),
    key("tag", "string", "The tag, as in `BuildRequires`."),
    key("value", "string", "What the tag, macro, dependency or argument is or shall be."),
    key("name", "string", "The macro, build conditional, dependency or check that is meant."),
    key("bound", "string", "The new bound on the version, as in `>= 1.2`; empty for none."),
    key("enabled", "true or false", "Whether the build conditional is on if nobody says otherwise."),
    key("command", "string", "What configures, as in `%configure` or `./configure`; what the spec uses if not said."),
    key("regex", "regular expression", "What is looked for, in RE2's syntax; in specs line by line."),
    key("replacement", "string", "What is written instead, literally; of a file its new name."),
    key("lines", "list of strings", "The lines that are added."),
    key("file", "path or glob", "The file beside the spec, or in the archive."),
    key("archive", "string", "The source archive that is unpacked, changed and packed again."),
    key("source", "path", "The file that is brought along, relative to this file."),
    key("fixes", "list of names", "What a patch repairs, as in `CVE-2026-1234`."),
    key("metadata", "table", "See `overlays.metadata`."),
    key("category", "word", "The `category` of the metadata, where nothing else of it is said."),
    key("upstream", "address", "Where upstream talks about the change or has it."),
    key("expires", "day", "The last day on which the overlay is wanted; later, `check` reports it."),
    key("optional", "true or false", "Whether the overlay may change nothing."),
];
pub(crate) const METADATA: &[Key] = &[
    key(
        "category",
        "word",
        "The sort of change, as in `upstream-backport`, `azl-pruning`; without `azl-` it means the same.",
    ),
    key("upstream-status", "word", "`upstreamed`, `upstreamable`, `needs-upstream-hook`, `inapplicable` or `unknown`."),
    key("commits", "list of tables", "Upstream's commits: `{ url = \"https://...\" }`."),
    key("bugs", "list of tables", "Entries of issue trackers: `{ url = \"https://...\" }`."),
];
pub(crate) const URL: &[Key] = &[key("url", "address", "Starts with `https://` or `http://`.")];
pub(crate) const FILE_ORIGIN: &[Key] = &[
    key("type", "`debian`", "Who has the file: the Debian mirror that this machine uses."),
    key("source", "string", "The Debian source package of which it is a part."),
    key("binary", "string", "The Debian binary package that it is."),
    key("suite", "string", "The Debian suite that has it, where that is not stage0's."),
];
pub(crate) const BUILD: &[Key] = &[
    key("with", "list of names", "Build conditionals to turn on: `%bcond NAME`."),
    key("without", "list of names", "Build conditionals to turn off."),
    key("defines", "table of strings", "Macros to define."),
    key("undefines", "list of names", "Macros of `defines` that a component does not inherit."),
    key("check", "table", "See `build.check`."),
];
pub(crate) const CHECK: &[Key] = &[
    key("skip", "true or false", "Do not run `%check`."),
    key("skip_reason", "string", "Why; required where `skip` is true."),
];
pub(crate) const COMPONENT_GROUP: &[Key] = &[
    key("description", "string", "The group in a sentence."),
    key("components", "list of names", "Its members."),
    key("default-component-config", "table", "What its members inherit."),
];
pub(crate) const COMPONENT_CONFIG: &[Key] = &[key("build", "table", "See `components.NAME.build`.")];
pub(crate) const PACKAGE_GROUP: &[Key] = &[
    key("description", "string", "The group in a sentence."),
    key("packages", "list of relations", "Its packages, as in `bash` or `systemd >= 257`."),
    key("groups", "list of names", "Groups whose packages belong to it too."),
];
pub(crate) const IMAGE: &[Key] = &[
    key("description", "string", "The image in a sentence."),
    key("definition", "table", "See `images.NAME.definition`."),
];
pub(crate) const IMAGE_DEFINITION: &[Key] = &[
    key("type", "`slipway`", "The language of the image file."),
    key("path", "path", "The image file, relative to this file."),
];
pub(crate) const IMAGE_FILE: &[Key] = &[
    key("packages", "list of relations", "Packages that the image holds, with all they require."),
    key("groups", "list of names", "Package groups that it holds."),
    key("exclude-packages", "list of names", "Packages that no dependency may bring in."),
    key("exclude-paths", "list of globs", "Paths that are left out, as in `/usr/share/doc/*`."),
    key("kernel-command-line", "list of strings", "What the kernel is told, after `root=`."),
    key("initrd", "table", "See `[image.initrd]`."),
    key("partitions", "list of tables", "See `[[image.partitions]]`."),
    key("formats", "list of `raw` and `qcow2`", "Which files are written; `raw` if not said."),
    key("system", "table", "See `[image.system]`."),
];
pub(crate) const INITRD: &[Key] = &[
    key("packages", "list of relations", "Packages that the initrd holds, with all they require."),
    key("exclude-packages", "list of names", "Packages that no dependency may bring in."),
    key("exclude-paths", "list of globs", "Paths that are left out."),
    key("modules", "list of names", "Kernel modules to take along, with those that they need."),
];
pub(crate) const PARTITION: &[Key] = &[
    key("type", "`esp` or `root`", "What the partition is for."),
    key("label", "string", "Its name in the partition table."),
    key("size", "size", "Its size, as in `64M`; a root is as large as its content and `free` if not said."),
    key("free", "size", "How much of a root stays free."),
    key("filesystem", "`fat` or `ext4`", "Its file system; if not said, what its type needs."),
];
pub(crate) const SYSTEM: &[Key] = &[
    key("hostname", "string", "The machine's name until it learns another."),
    key("timezone", "string", "As in `Europe/Berlin`; UTC if not said."),
    key("locale", "string", "As in `C.UTF-8`, which it is if not said."),
    key("default-target", "unit name", "What the machine boots to; `multi-user.target` if not said."),
    key("enable", "list of units", "Units to enable, beside what the presets say."),
    key("disable", "list of units", "Units to disable, whatever the presets say."),
];
pub(crate) const STAGE0: &[Key] = &[
    key("suite", "string", "The Debian suite, as in `trixie`."),
    key("packages", "list of names", "Debian packages in every build root."),
    key("provides", "list of globs", "Capabilities for which stage0 stands in: nothing is added for them."),
    key(
        "mapping",
        "table of lists",
        "What a BuildRequires needs that no component provides: Debian packages by its name.",
    ),
    key("links", "table of strings", "Symbolic links to make: path to target."),
    key("files", "table of strings", "Files to write: path to text."),
    key("commands", "list of tables", "See `[[stage0.commands]]`."),
];
pub(crate) const STAGE0_COMMAND: &[Key] = &[key("run", "list of strings", "The program and its arguments.")];
pub(crate) const LOCK: &[Key] =
    &[key("version", "1", "The format of the lock file."), key("source", "list of tables", "See `[[source]]`.")];
pub(crate) const LOCKED_SOURCE: &[Key] = &[
    key("filename", "string", "The file's name."),
    key("hash-type", "`SHA512`", "Which digest `hash` is."),
    key("hash", "hexadecimal digits", "The digest of its bytes."),
    key("size", "whole number", "Its length in bytes."),
    key("origin-version", "string", "The version of the Debian package that it came from."),
];
