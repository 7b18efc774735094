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
        name: "[[distros.NAME.repos]]",
        doc: "A repository of the distribution.",
        keys: PACKAGE_REPOSITORY,
    },
    TableReference { name: "versions.inputs", doc: "Repositories that a version reads.", keys: INPUTS },
    TableReference { name: "inputs.USE", doc: "A repository or a set of them.", keys: INPUT },
    TableReference { name: "[resources]", doc: "Repositories under names.", keys: RESOURCES },
    TableReference { name: "[resources.rpm-repos.NAME]", doc: "A repository of RPM packages.", keys: RPM_REPO },
    TableReference {
        name: "[resources.rpm-repo-set-templates.NAME]",
        doc: "A layout of repositories that belong together.",
        keys: RPM_REPO_SET_TEMPLATE,
    },
    TableReference {
        name: "[[rpm-repo-set-templates.NAME.subrepos]]",
        doc: "A repository of the layout.",
        keys: SUBREPO,
    },
    TableReference {
        name: "[resources.rpm-repo-sets.NAME]",
        doc: "Repositories after a layout, below one address.",
        keys: RPM_REPO_SET,
    },
    TableReference {
        name: "[components.NAME]",
        doc: "A component: a source package and how it is built. The same keys stand in what components inherit.",
        keys: COMPONENT,
    },
    TableReference { name: "components.NAME.spec", doc: "Where the spec comes from.", keys: SPEC },
    TableReference {
        name: "[[components.NAME.source-files]]",
        doc: "A file that the spec names as a source and that is not kept beside it.",
        keys: SOURCE_FILE,
    },
    TableReference { name: "source-files.origin", doc: "Where a source file comes from.", keys: FILE_ORIGIN },
    TableReference { name: "source-files.signature", doc: "Upstream's signature of a source file.", keys: SIGNATURE },
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
    TableReference { name: "components.NAME.release", doc: "How the component's release is made.", keys: RELEASE },
    TableReference { name: "components.NAME.render", doc: "How the component's spec is rendered.", keys: RENDER },
    TableReference {
        name: "components.NAME.publish",
        doc: "Where the component's packages are published.",
        keys: PUBLISH,
    },
    TableReference { name: "components.NAME.packages.NAME", doc: "Settings of one binary package.", keys: PACKAGE },
    TableReference {
        name: "packages.NAME.publish",
        doc: "Where a binary package is published; `none` keeps it from being published.",
        keys: PACKAGE_PUBLISH,
    },
    TableReference {
        name: "overlay file, top level",
        doc: "A file of overlays that make one change.",
        keys: OVERLAY_FILE,
    },
    TableReference { name: "metadata.commits and bugs", doc: "A page of the web.", keys: URL },
    TableReference { name: "build.failure", doc: "Whether the build is expected to fail.", keys: FAILURE },
    TableReference { name: "build.hints", doc: "What helps to plan a build.", keys: HINTS },
    TableReference { name: "build.check", doc: "Whether `%check` runs.", keys: CHECK },
    TableReference { name: "[component-groups.NAME]", doc: "Components that share settings.", keys: COMPONENT_GROUP },
    TableReference {
        name: "[package-groups.NAME]",
        doc: "Binary packages under one name, for images.",
        keys: PACKAGE_GROUP,
    },
    TableReference { name: "[images.NAME]", doc: "An image.", keys: IMAGE },
    TableReference { name: "images.NAME.definition", doc: "Where the image is described.", keys: IMAGE_DEFINITION },
    TableReference { name: "images.NAME.capabilities", doc: "What the image can do.", keys: CAPABILITIES },
    TableReference { name: "images.NAME.tests", doc: "Tests that the image is put to.", keys: IMAGE_TESTS },
    TableReference {
        name: "[[images.NAME.tests.test-suites]]",
        doc: "A test suite, by name.",
        keys: TEST_SUITE_REFERENCE,
    },
    TableReference { name: "images.NAME.publish", doc: "Where the image is published.", keys: IMAGE_PUBLISH },
    TableReference { name: "[test-suites.NAME]", doc: "Tests of images.", keys: TEST_SUITE },
    TableReference { name: "test-suites.NAME.pytest", doc: "A suite that pytest runs.", keys: PYTEST },
    TableReference { name: "test-suites.NAME.lisa", doc: "A suite that LISA runs.", keys: LISA },
    TableReference { name: "lisa.framework", doc: "Where LISA comes from.", keys: GIT_SOURCE },
    TableReference { name: "[tools]", doc: "Tools of the original.", keys: TOOLS },
    TableReference { name: "tools.imageCustomizer", doc: "A tool of the original.", keys: IMAGE_CUSTOMIZER },
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
        doc: "What was pinned for one component; its sources are written by `slipway lock`. azldev's lock files read as well.",
        keys: LOCK,
    },
    TableReference { name: "[[source]], in a lock file", doc: "A pinned source file.", keys: LOCKED_SOURCE },
    TableReference {
        name: "distribution.lock, top level",
        doc: "What all components share, as it was locked.",
        keys: SHARED_LOCK,
    },
    TableReference { name: "[[macros]], in distribution.lock", doc: "A macro file.", keys: LOCKED_MACROS },
    TableReference { name: "[stage0], in distribution.lock", doc: "The build root.", keys: LOCKED_STAGE0 },
];

pub(crate) const TOP: &[Key] = &[
    key("$schema", "address", "The schema of this file, for editors."),
    key("includes", "list of paths", "Further files, relative to this one; a star stands for characters of one name."),
    key("project", "table", "See `[project]`."),
    key("distros", "tables by name", "See `[distros.NAME]`."),
    key("resources", "table", "See `[resources]`."),
    key("components", "tables by name", "See `[components.NAME]`."),
    key("component-groups", "tables by name", "See `[component-groups.NAME]`."),
    key("default-component-config", "table", "What every component inherits: see `[components.NAME]`."),
    key("package-groups", "tables by name", "See `[package-groups.NAME]`."),
    key("default-package-config", "table", "What every binary package inherits: see `components.NAME.packages.NAME`."),
    key("images", "tables by name", "See `[images.NAME]`."),
    key("test-suites", "tables by name", "See `[test-suites.NAME]`."),
    key("tools", "table", "See `[tools]`."),
    key("image", "table", "Only in an image file: see `[image], in an image file`."),
    key("stage0", "table", "See `[stage0]`."),
];
pub(crate) const PROJECT: &[Key] = &[
    key("description", "string", "What this definition is of, in a sentence."),
    key("default-distro", "table", "See `project.default-distro`."),
    key("lock-dir", "path", "Where lock files are; `locks` if not said."),
    key(
        "rendered-specs-dir",
        "path",
        "Where specs from upstream are written with all overlays applied; beside an `azldev.toml` the definition's own too, to `specs` if not said.",
    ),
    key("log-dir", "path", "Of the original's tool; Slipway logs to its store."),
    key("work-dir", "path", "Of the original's tool; Slipway works in its store."),
    key("output-dir", "path", "Of the original's tool; see `--output`."),
    key("default-author-email", "string", "Who writes changelogs where nobody else is known."),
    key("macros", "list of paths", "Macro files that every build reads, in this order, relative to this file."),
    key("source-date-epoch", "whole number", "Seconds since 1970 that stand for `now` in everything written."),
    key(
        "source-mirrors",
        "list of strings",
        "Addresses that are asked for every source before any other, in this order: `$pkg`, `$filename`, `$hashtype`, `$hash`.",
    ),
    key(
        "md5-waived",
        "list of names",
        "Sources of which nothing but an MD5 is known and that are taken all the same, as `COMPONENT/FILE`.",
    ),
];
pub(crate) const DISTRO_REFERENCE: &[Key] = &[
    key("name", "string", "The distribution's key in `distros`."),
    key("version", "string", "The version's key in its `versions`; the distribution's `default-version` if not said."),
    key("snapshot", "moment", "The last moment whose commits count, as in `2026-02-24T00:00:00-08:00`."),
];
pub(crate) const DISTRO: &[Key] = &[
    key("description", "string", "The distribution in a sentence."),
    key("default-version", "string", "The version meant where none is named."),
    key(
        "dist-git-base-uri",
        "address",
        "The dist-git of a package; `$pkg` stands for its name. A path, relative to this file, is a repository, a bundle of git, or a stream of `git fast-import`.",
    ),
    key("lookaside-base-uri", "address", "A source in the lookaside cache: `$pkg`, `$filename`, `$hashtype`, `$hash`."),
    key(
        "lookaside-mirrors",
        "list of strings",
        "Further lookaside caches, asked in this order where the one before has not got a source; written as `lookaside-base-uri`.",
    ),
    key("repos", "list of tables", "See `[[distros.NAME.repos]]`."),
    key("disable-origins", "true or false", "Sources come from the lookaside caches and mirrors only."),
    key("versions", "tables by version", "See `[distros.NAME.versions.VERSION]`."),
];
pub(crate) const VERSION: &[Key] = &[
    key("description", "string", "The version in a sentence."),
    key("release-ver", "string", "What `$releasever` stands for in repository files."),
    key("dist-git-branch", "string", "The branch of the dist-git."),
    key("mock-config", "path", "Of the original's tool."),
    key("mock-config-x86_64", "path", "Of the original's tool."),
    key("mock-config-aarch64", "path", "Of the original's tool."),
    key("inputs", "table", "See `versions.inputs`."),
    key("default-component-config", "table", "What every component of this version inherits: see `[components.NAME]`."),
];
pub(crate) const PACKAGE_REPOSITORY: &[Key] = &[key("base-uri", "address", "Where the repository is.")];
pub(crate) const INPUTS: &[Key] = &[
    key("rpm-build", "list of tables", "What building packages reads: see `inputs.USE`."),
    key("image-build", "list of tables", "What making images reads: see `inputs.USE`."),
];
pub(crate) const INPUT: &[Key] = &[
    key("repo", "string", "A key of `resources.rpm-repos`."),
    key("set", "string", "A key of `resources.rpm-repo-sets`; either this or `repo`."),
];
pub(crate) const RESOURCES: &[Key] = &[
    key("rpm-repos", "tables by name", "See `[resources.rpm-repos.NAME]`."),
    key("rpm-repo-set-templates", "tables by name", "See `[resources.rpm-repo-set-templates.NAME]`."),
    key("rpm-repo-sets", "tables by name", "See `[resources.rpm-repo-sets.NAME]`."),
];
pub(crate) const RPM_REPO: &[Key] = &[
    key("description", "string", "The repository in a sentence."),
    key("type", "`rpm-md`", "What kind of repository it is; `rpm-md` if not said."),
    key("base-uri", "address", "Where it is; either this or `metalink`."),
    key("metalink", "address", "Where its list of mirrors is."),
    key("disable-gpg-check", "true or false", "Signatures are not checked."),
    key("gpg-key", "path or address", "The key that signs it."),
    key("arches", "list of names", "The only architectures that it is for; all if not said."),
];
pub(crate) const RPM_REPO_SET_TEMPLATE: &[Key] = &[
    key("description", "string", "The layout in a sentence."),
    key("subrepos", "list of tables", "See `[[rpm-repo-set-templates.NAME.subrepos]]`."),
];
pub(crate) const SUBREPO: &[Key] = &[
    key("name", "string", "What is added to the set's `name-prefix`."),
    key("subpath", "string", "The path below the set's `base-uri`, as in `base/$basearch`."),
    key("kind", "`binary`, `debug` or `source`", "What it holds; `binary` if not said."),
];
pub(crate) const RPM_REPO_SET: &[Key] = &[
    key("description", "string", "The set in a sentence."),
    key("template", "string", "A key of `rpm-repo-set-templates`, or `azl-standard` or `koji-dist-repo`."),
    key("base-uri", "address", "What the paths of the layout lie below."),
    key("name-prefix", "string", "What the repositories' names start with."),
    key("gpg-key", "path or address", "The key that signs them."),
    key("disable-gpg-check", "true or false", "Signatures are not checked."),
    key("arches", "list of names", "The only architectures that they are for; all if not said."),
    key("subrepos", "list of names", "The only repositories of the layout; all if not said."),
];
pub(crate) const COMPONENT: &[Key] = &[
    key("spec", "table", "See `components.NAME.spec`."),
    key(
        "origin",
        "`source`, `stage0` or `self`",
        "`source` (if not said): built from upstream's source; `stage0`: a Debian binary package in our packaging; `self`: the running Slipway program in our packaging.",
    ),
    key("release", "table", "See `components.NAME.release`."),
    key("source-files", "list of tables", "See `[[components.NAME.source-files]]`."),
    key("overlays", "list of tables", "See `[[components.NAME.overlays]]`."),
    key(
        "overlay-files",
        "list of paths",
        "Globs of overlay files; replaces what earlier layers say. See `overlay file, top level`.",
    ),
    key("build", "table", "See `components.NAME.build`."),
    key("render", "table", "See `components.NAME.render`."),
    key("packages", "tables by name", "Single binary packages: see `components.NAME.packages.NAME`."),
    key("publish", "table", "See `components.NAME.publish`."),
    key(
        "unset",
        "list of names",
        "Keys that earlier layers say and that are taken back, as in `build.check.skip`, `build.with.docs`, `overlays`.",
    ),
];
pub(crate) const RELEASE: &[Key] = &[
    key(
        "calculation",
        "`auto`, `autorelease`, `static` or `manual`",
        "How the release is made; `auto` (if not said): as the spec says it; `manual`: it is left alone.",
    ),
    key(
        "ignore-own-commits",
        "true or false",
        "Commits of the definition that changed the component neither count in its release nor stand in its changelog; they do if not said.",
    ),
];
pub(crate) const RENDER: &[Key] =
    &[key("skip-file-filter", "true or false", "Files that the spec does not name stay in the rendered folder.")];
pub(crate) const PUBLISH: &[Key] = &[
    key("rpm-channel", "string", "The channel of the binary packages."),
    key("srpm-channel", "string", "The channel of the source package."),
    key("debuginfo-channel", "string", "The channel of debuginfo packages."),
];
pub(crate) const PACKAGE: &[Key] = &[key("publish", "table", "See `packages.NAME.publish`.")];
pub(crate) const PACKAGE_PUBLISH: &[Key] = &[
    key("rpm-channel", "string", "The channel of the package."),
    key("debuginfo-channel", "string", "The channel, where the package holds debug information."),
    key("channel", "string", "An older name of `rpm-channel`, which counts more."),
];
pub(crate) const SPEC: &[Key] = &[
    key(
        "type",
        "`local` or `upstream`",
        "`local`: a file of this definition; `upstream`: another distribution's dist-git.",
    ),
    key("path", "path", "The spec file, relative to this file. Files beside it are its local sources."),
    key("upstream-distro", "table", "The distribution whose spec it is: see `project.default-distro`."),
    key("upstream-name", "string", "What the component is called there, where that differs."),
    key("upstream-commit", "hexadecimal digits", "The commit, where it is pinned; 7 to 40 digits."),
];
pub(crate) const SOURCE_FILE: &[Key] = &[
    key("filename", "string", "Its name, as the spec's `Source` says it."),
    key("hash", "hexadecimal digits", "Its digest; where it is missing, the lock file has it."),
    key("hash-type", "`SHA256` or `SHA512`", "Which digest `hash` is."),
    key("origin", "table", "See `source-files.origin`."),
    key("replace-upstream", "true or false", "The file takes the place of upstream's of the same name."),
    key("replace-reason", "string", "Why it does; goes with `replace-upstream`."),
    key(
        "signature",
        "table",
        "Upstream's signature, without which the file is not taken: see `source-files.signature`.",
    ),
];
pub(crate) const SIGNATURE: &[Key] = &[
    key("file", "string", "The OpenPGP signature: another source file of the component, or a file beside the spec."),
    key("key", "path", "The public keys of which one has to have signed, relative to this file."),
    key(
        "uncompressed",
        "true or false",
        "The signature is over the archive before it was compressed, as kernel.org's are.",
    ),
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
    key("commits", "list of tables", "Upstream's commits: see `metadata.commits and bugs`."),
    key("bugs", "list of tables", "Entries of issue trackers: see `metadata.commits and bugs`."),
];
pub(crate) const OVERLAY_FILE: &[Key] = &[
    key("metadata", "table", "Of all overlays of the file: see `overlays.metadata`."),
    key("overlays", "list of tables", "See `[[components.NAME.overlays]]`."),
];
pub(crate) const URL: &[Key] = &[key("url", "address", "Starts with `https://` or `http://`.")];
pub(crate) const FILE_ORIGIN: &[Key] = &[
    key(
        "type",
        "`debian`, `download`, `git`, `local`, `custom`, `overlay` or `self`",
        "Who has the file: the Debian mirror of this machine, an address, a repository of git, this machine, a script that makes it; `overlay`: an archive of upstream's that overlays change; `self`: the running Slipway program, whose digest is found out when a build starts and which has no lock.",
    ),
    key("uri", "address", "Where the file of a `download` or the repository of `git` is."),
    key("commit", "hexadecimal digits", "The commit of `git` that is packed: all 40 digits."),
    key("path", "path", "The `local` file, relative to this file."),
    key("script", "string", "The script of a `custom` file, beside the spec."),
    key("mock-packages", "list of names", "Packages that the script needs."),
    key("inputs", "list of names", "Files beside the spec that the script reads."),
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
    key("emit-upstream-provenance", "true or false", "Macros tell the version and release of upstream's spec."),
    key("failure", "table", "See `build.failure`."),
    key("hints", "table", "See `build.hints`."),
];
pub(crate) const FAILURE: &[Key] = &[
    key("expected", "true or false", "The build is expected to fail."),
    key("expected-reason", "string", "Why; required where `expected` is true."),
];
pub(crate) const HINTS: &[Key] = &[key("expensive", "true or false", "The build takes long.")];
pub(crate) const CHECK: &[Key] = &[
    key("skip", "true or false", "Do not run `%check`."),
    key("skip_reason", "string", "Why; required where `skip` is true."),
];
pub(crate) const COMPONENT_GROUP: &[Key] = &[
    key("description", "string", "The group in a sentence."),
    key("components", "list of names", "Its members."),
    key(
        "query",
        "string",
        "What chooses further members, as in `rust-* not kind:local`; see `slipway component query --help`.",
    ),
    key("specs", "list of globs", "Specs that are components by being there, as in `specs/**/*.spec`."),
    key("excluded-paths", "list of globs", "Paths in which no such specs are looked for."),
    key("metadata", "table", "What sort of change the group's settings are: see `overlays.metadata`."),
    key("default-component-config", "table", "What its members inherit: see `[components.NAME]`."),
];
pub(crate) const PACKAGE_GROUP: &[Key] = &[
    key("description", "string", "The group in a sentence."),
    key("packages", "list of relations", "Its packages, as in `bash` or `systemd >= 257`."),
    key("groups", "list of names", "Groups whose packages belong to it too, in images."),
    key(
        "query",
        "string",
        "What chooses further packages for a channel, by `name`, `component`, `group` of components, and `kind`.",
    ),
    key("default-package-config", "table", "What its packages inherit: see `components.NAME.packages.NAME`."),
];
pub(crate) const IMAGE: &[Key] = &[
    key("description", "string", "The image in a sentence."),
    key("definition", "table", "See `images.NAME.definition`."),
    key("capabilities", "table", "See `images.NAME.capabilities`."),
    key("tests", "table", "See `images.NAME.tests`."),
    key("publish", "table", "See `images.NAME.publish`."),
];
pub(crate) const CAPABILITIES: &[Key] = &[
    key("machine-bootable", "true or false", "A machine can boot it."),
    key("container", "true or false", "A container host can run it."),
    key("systemd", "true or false", "systemd is its first process."),
    key("runtime-package-management", "true or false", "Packages can be installed and removed in it."),
];
pub(crate) const IMAGE_TESTS: &[Key] =
    &[key("test-suites", "list of tables", "See `[[images.NAME.tests.test-suites]]`.")];
pub(crate) const TEST_SUITE_REFERENCE: &[Key] = &[key("name", "string", "A key of `test-suites`.")];
pub(crate) const IMAGE_PUBLISH: &[Key] = &[key("channels", "list of names", "The channels to which it is published.")];
pub(crate) const TEST_SUITE: &[Key] = &[
    key("description", "string", "The suite in a sentence."),
    key("type", "`pytest` or `lisa`", "What runs it."),
    key("pytest", "table", "See `test-suites.NAME.pytest`."),
    key("lisa", "table", "See `test-suites.NAME.lisa`."),
];
pub(crate) const PYTEST: &[Key] = &[
    key("working-dir", "path", "Where it is run."),
    key("test-paths", "list of globs", "Test files and folders."),
    key("extra-args", "list of strings", "Further arguments; `{image-path}` stands for the image."),
    key("install", "`pyproject`, `requirements` or `none`", "How what it needs is installed; `none` if not said."),
];
pub(crate) const LISA: &[Key] = &[
    key("framework", "table", "See `lisa.framework`."),
    key("test-cases", "list of names", "The tests to run."),
    key("pip-pre-install", "list of names", "Python packages that are installed before the framework."),
    key("pip-extras", "list of names", "Extras of the framework's Python package."),
    key("extra-args", "list of strings", "Further arguments."),
];
pub(crate) const GIT_SOURCE: &[Key] =
    &[key("git-url", "address", "The repository."), key("ref", "hexadecimal digits", "The commit: 40 digits.")];
pub(crate) const TOOLS: &[Key] = &[key("imageCustomizer", "table", "See `tools.imageCustomizer`.")];
pub(crate) const IMAGE_CUSTOMIZER: &[Key] = &[key("containerTag", "string", "Of the original's tool.")];
pub(crate) const IMAGE_DEFINITION: &[Key] = &[
    key(
        "type",
        "word",
        "The language of the image file: `slipway`, or that of another tool, as in `kiwi`, which makes it.",
    ),
    key("path", "path", "The image file, relative to this file."),
    key("profile", "string", "The part of another tool's image file that is meant."),
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
    key(
        "repository-key",
        "path",
        "Where the public key of the repository is put that the image is made from; nowhere if not said.",
    ),
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
pub(crate) const LOCK: &[Key] = &[
    key("version", "1", "The format of the lock file."),
    key("import-commit", "commit", "The commit of upstream's dist-git at which the component came in; never changed."),
    key("upstream-commit", "commit", "The commit of upstream's dist-git that the component is rendered from."),
    key("manual-bump", "whole number", "How often it was built again for no other reason; counts in the fingerprint."),
    key("input-fingerprint", "digest", "Of everything that can change what a build makes of the component."),
    key("resolution-input-hash", "digest", "Written by azldev; kept as it is."),
    key("render-digest", "digest", "Of the rendered folder, before the definition's own commits are counted."),
    key("source", "list of tables", "See `[[source]], in a lock file`."),
];
pub(crate) const LOCKED_SOURCE: &[Key] = &[
    key("filename", "string", "The file's name."),
    key("hash-type", "`SHA512`", "Which digest `hash` is."),
    key("hash", "hexadecimal digits", "The digest of its bytes."),
    key("size", "whole number", "Its length in bytes."),
    key("origin-version", "string", "The version of the Debian package that it came from."),
];
pub(crate) const SHARED_LOCK: &[Key] = &[
    key("version", "1", "The format of the lock file."),
    key("format", "string", "What decides the bytes that this program makes of equal inputs."),
    key("macros", "list of tables", "See `[[macros]], in distribution.lock`."),
    key("stage0", "table", "See `[stage0], in distribution.lock`."),
];
pub(crate) const LOCKED_MACROS: &[Key] = &[
    key("filename", "string", "The file's name."),
    key("hash-type", "`SHA256`", "Which digest `hash` is."),
    key("hash", "hexadecimal digits", "The digest of its bytes."),
];
pub(crate) const LOCKED_STAGE0: &[Key] = &[
    key("suite", "string", "The Debian suite."),
    key("definition", "digest", "Of the table `[stage0]`."),
    key(
        "packages",
        "digest",
        "Of its packages with all that they need, each by version and digest; missing until a build found out.",
    ),
];
