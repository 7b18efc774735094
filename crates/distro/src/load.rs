use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use pkg::SourceDateEpoch;

use crate::component::{Component, ComponentLayer, FileOrigin, Hash, Surroundings};
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Position, Severity, SourceText, nearest};
use crate::distribution::Distribution;
use crate::group::{ComponentGroup, PackageGroup, PackagePublish};
use crate::image::{ForeignImage, Image, ImageFacts};
use crate::project::{Project, ProjectLayer};
use crate::reader::{File, Table};
use crate::resource::{self, Resources};
use crate::settings::{Saying, Settings, is_below};
use crate::stage0::Stage0;
use crate::suite::TestSuite;
use crate::{glob, group, image, lock, moment, overlay, reference, stage0, suite};

/// A distribution: all that its definition says.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Distro {
    /// The root file of the definition.
    pub file: PathBuf,
    /// Every file that was read, in order.
    pub files: Vec<PathBuf>,
    /// What is true of the whole.
    pub project: Project,
    /// What `$releasever` stands for.
    pub release_version: String,
    /// The components by name.
    pub components: BTreeMap<String, Component>,
    /// The groups of components by name.
    pub component_groups: BTreeMap<String, ComponentGroup>,
    /// The groups of binary packages by name.
    pub package_groups: BTreeMap<String, PackageGroup>,
    /// Where packages are published that nothing else is said of.
    pub default_publish: PackagePublish,
    /// The distributions by name: the one that is built, and those from which specs come.
    pub distributions: BTreeMap<String, Distribution>,
    /// Repositories under names.
    pub resources: Resources,
    /// The images by name that Slipway makes.
    pub images: BTreeMap<String, Image>,
    /// The images by name that other tools make.
    pub foreign_images: BTreeMap<String, ForeignImage>,
    /// What is said of all images, whoever makes them.
    pub image_facts: BTreeMap<String, ImageFacts>,
    /// The test suites by name.
    pub test_suites: BTreeMap<String, TestSuite>,
    /// The build root that bootstraps the distribution; without a suite where there is none.
    pub stage0: Stage0,
    /// What is not as it was meant, though the definition can be used.
    pub warnings: Vec<Diagnostic>,
    /// What every component inherits first: that of the version, then that of the project.
    #[serde(skip)]
    defaults: Vec<(String, Settings)>,
    #[serde(skip)]
    own_settings: BTreeMap<String, Settings>,
}

/// One word of a layer on a key, and whether it is in effect.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// The layer, as in `component group core`.
    pub layer: String,
    /// What it says.
    #[serde(flatten)]
    pub saying: Saying,
    /// Whether the merged settings have this value from this place.
    pub is_in_effect: bool,
}

impl Distro {
    /// What every component inherits from the version and the project.
    pub fn inherited(&self) -> Vec<Saying> {
        self.defaults.iter().flat_map(|(_, settings)| settings.sayings()).collect()
    }

    /// Everything that any layer says on `key` or below it for a component, in the order in which layers are applied; all
    /// keys where the key is empty.
    pub fn why(&self, component: &Component, key: &str) -> Vec<Reason> {
        let groups = component.groups.iter().filter_map(|name| Some((name, self.component_groups.get(name)?)));
        let own = self
            .own_settings
            .get(&component.name)
            .map(|settings| (format!("component `{}`", component.name), settings));
        let effective = component.settings.sayings();
        self.defaults
            .iter()
            .map(|(name, settings)| (name.clone(), settings))
            .chain(groups.map(|(name, group)| (format!("component group `{name}`"), &group.settings)))
            .chain(own)
            .flat_map(|(layer, settings)| settings.sayings().into_iter().map(move |saying| (layer.clone(), saying)))
            .filter(|(_, saying)| key.is_empty() || is_below(&saying.key, key))
            .map(|(layer, saying)| {
                let is_same = |found: &Saying| found.at == saying.at && found.value == saying.value;
                Reason { is_in_effect: effective.iter().any(is_same), layer, saying }
            })
            .collect()
    }
}

/// Includes that lead deeper than this are taken for a mistake.
const DEEPEST_INCLUDE: usize = 16;

/// The name of a root file that comes with the habits of the original: specs are rendered to `specs` unless told otherwise.
const ORIGINAL_ROOT: &str = "azldev.toml";

/// Whether every source has to have a digest in the definition or a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// It has to: without one, nothing can be fetched.
    Required,
    /// Locks are read where they are there; nothing has to be locked.
    Optional,
    /// Locks are not read: they are about to be written.
    Ignored,
}

/// Loads the definition whose root file is `path`, with all files that it includes.
///
/// Every problem is found in one go; a definition with an error is not returned.
pub fn load(path: &Path, locks: Locks) -> Result<Distro, Diagnostics> {
    load_with(path, &[], locks)
}

/// The same with further root files, whose words count more.
pub fn load_with(path: &Path, further: &[PathBuf], locks: Locks) -> Result<Distro, Diagnostics> {
    let mut loader = Loader {
        resources: Resources { templates: resource::built_in_templates(), ..Resources::default() },
        ..Loader::default()
    };
    loader.read_file(path, &mut Vec::new(), None);
    for file in further {
        loader.read_file(file, &mut Vec::new(), None);
    }
    let distro = loader.finish(path, locks);
    let mut problems = loader.problems;
    problems.sort_by(|left, right| left.severity.cmp(&right.severity).then_with(|| left.at.cmp(&right.at)));
    problems.dedup();
    match distro {
        Some(distro) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok(Distro { warnings: problems, ..distro })
        }
        _ => Err(Diagnostics(problems)),
    }
}

#[derive(Default)]
struct Loader {
    problems: Vec<Diagnostic>,
    read: BTreeSet<PathBuf>,
    files: Vec<PathBuf>,
    named: HashMap<(&'static str, String), Position>,
    project: ProjectLayer,
    project_at: Option<Position>,
    stage0: Option<Stage0>,
    defaults: Settings,
    default_publish: PackagePublish,
    distributions: BTreeMap<String, Distribution>,
    resources: Resources,
    components: BTreeMap<String, ComponentLayer>,
    component_groups: BTreeMap<String, ComponentGroup>,
    package_groups: BTreeMap<String, PackageGroup>,
    images: BTreeMap<String, Image>,
    foreign_images: BTreeMap<String, ForeignImage>,
    image_facts: BTreeMap<String, ImageFacts>,
    test_suites: BTreeMap<String, TestSuite>,
}

impl Loader {
    fn read_file(&mut self, path: &Path, including: &mut Vec<PathBuf>, included_at: Option<Diagnostic>) {
        if including.iter().any(|file| file == path) || including.len() >= DEEPEST_INCLUDE {
            let chain: Vec<String> = including
                .iter()
                .map(PathBuf::as_path)
                .chain([path])
                .map(|file| format!("`{}`", file.display()))
                .collect();
            let mut problem = included_at.unwrap_or_else(|| Diagnostic::new(""));
            problem.message = format!("includes lead in a circle: {}", chain.join(" includes "));
            self.problems.push(problem);
            return;
        }
        if !self.read.insert(path.to_owned()) {
            return;
        }
        self.files.push(path.to_owned());
        let text = match fs_err::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let mut problem = included_at.unwrap_or_else(|| {
                    Diagnostic::new("").hint("run inside a definition's folder, or name it with `--directory`")
                });
                problem.message = format!("the definition cannot be read: {error}");
                self.problems.push(problem);
                return;
            }
        };
        let file = File::new(SourceText { path: path.to_owned(), text: text.into() });
        let mut includes = Vec::new();
        {
            let parsed = file.parse();
            let mut top = Table::top(&file, &parsed, reference::TOP);
            let folder = path.parent().unwrap_or(Path::new(""));
            for include in top.strings("includes") {
                let excerpt = Diagnostic::new(String::new()).at(&include.at);
                match glob::expand(folder, &include.value) {
                    Ok(found) if found.is_empty() && !glob::is_pattern(&include.value) => {
                        let mut problem = excerpt;
                        problem.message = format!("the included file `{}` does not exist", include.value);
                        self.problems.push(problem);
                    }
                    Ok(found) => {
                        let files = found.into_iter().filter(|file| !file.is_dir());
                        includes.extend(files.map(|file| (file, excerpt.clone())));
                    }
                    Err(error) => {
                        let mut problem = excerpt;
                        problem.message = format!("`{}` cannot be included: {error}", include.value);
                        self.problems.push(problem);
                    }
                }
            }
            self.read_tables(&mut top, folder);
        }
        self.problems.extend(file.into_problems());
        including.push(path.to_owned());
        for (file, place) in includes {
            self.read_file(&file, including, Some(place));
        }
        including.pop();
    }

    fn read_tables(&mut self, top: &mut Table<'_>, folder: &Path) {
        // The address of a schema, for editors.
        top.text("$schema");
        if let Some(table) = top.table("project", reference::PROJECT) {
            self.project_at = Some(table.at());
            self.project.read(table, folder);
        }
        if let Some(table) = top.table("stage0", reference::STAGE0) {
            let at = table.at();
            if let Some(stage0) = stage0::read(table) {
                match &self.stage0 {
                    Some(earlier) => self.problems.push(duplicate("[stage0]", &earlier.at).at(&at)),
                    None => self.stage0 = Some(stage0),
                }
            }
        }
        if let Some(mut tools) = top.table("tools", reference::TOOLS)
            && let Some(mut customizer) = tools.table("imageCustomizer", reference::IMAGE_CUSTOMIZER)
        {
            customizer.text("containerTag");
        }
        if let Some(table) = top.table("default-component-config", reference::COMPONENT) {
            let later = Settings::read(table, folder);
            self.defaults.lay_over(&later, &mut self.problems);
        }
        if let Some(table) = top.table("default-package-config", reference::PACKAGE) {
            let later = group::read_package_config(table);
            let earlier = std::mem::take(&mut self.default_publish);
            self.default_publish =
                PackagePublish { rpm: later.rpm.or(earlier.rpm), debuginfo: later.debuginfo.or(earlier.debuginfo) };
        }
        if let Some(table) = top.table("resources", reference::RESOURCES) {
            self.resources.read(table, folder);
        }
        for (name, table) in top.named_tables("distros", reference::DISTRO) {
            self.distributions.entry(name.value).or_default().read(table, folder);
        }
        for (name, table) in top.named_tables("component-groups", reference::COMPONENT_GROUP) {
            let found = group::read_component_group(table, folder, name.at.clone());
            if self.is_first("component group", &name) {
                self.component_groups.insert(name.value, found);
            }
        }
        for (name, table) in top.named_tables("package-groups", reference::PACKAGE_GROUP) {
            let found = group::read_package_group(table, name.at.clone());
            if self.is_first("package group", &name) {
                self.package_groups.insert(name.value, found);
            }
        }
        for (name, table) in top.named_tables("images", reference::IMAGE) {
            let (facts, found) = image::read(&name.value, table, folder, &mut self.problems);
            if self.is_first("image", &name) {
                self.image_facts.insert(name.value.clone(), facts);
                match found {
                    Some(image::Found::Ours(image)) => {
                        self.images.insert(name.value, *image);
                    }
                    Some(image::Found::Foreign(image)) => {
                        self.foreign_images.insert(name.value, image);
                    }
                    None => {}
                }
            }
        }
        for (name, table) in top.named_tables("test-suites", reference::TEST_SUITE) {
            let found = suite::read(table, &name, folder);
            if self.is_first("test suite", &name)
                && let Some(suite) = found
            {
                self.test_suites.insert(name.value, suite);
            }
        }
        for (name, table) in top.named_tables("components", reference::COMPONENT) {
            let settings = Settings::read(table, folder);
            if self.is_first("component", &name) {
                let layer = ComponentLayer { settings, folder: folder.to_owned(), at: name.at };
                self.components.insert(name.value, layer);
            }
        }
    }

    /// Whether this is the first thing of its kind and name; a second one is a problem.
    fn is_first(&mut self, kind: &'static str, name: &Located<String>) -> bool {
        let key = (kind, name.value.clone());
        match self.named.get(&key) {
            Some(earlier) => {
                self.problems.push(duplicate(&format!("{kind} `{}`", name.value), earlier).at(&name.at));
                false
            }
            None => {
                self.named.insert(key, name.at.clone());
                true
            }
        }
    }

    fn finish(&mut self, path: &Path, locks: Locks) -> Option<Distro> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let lock_dir = self.project.lock_dir.clone().unwrap_or_else(|| folder.join("locks"));
        let is_original = path.file_name().is_some_and(|name| name == ORIGINAL_ROOT);
        let rendered = self.project.rendered_specs_dir.clone().or_else(|| is_original.then(|| folder.join("specs")));
        let version = self.version();
        let defaults = vec![
            match &version {
                Some((distro, version, found)) => (format!("version {version} of `{distro}`"), found.0.clone()),
                None => ("no version".to_owned(), Settings::default()),
            },
            ("project".to_owned(), std::mem::take(&mut self.defaults)),
        ];
        self.discover_specs();
        let around =
            Surroundings { locks: &lock_dir, rendered: rendered.as_deref(), renders_local: is_original, groups: &[] };
        let components = self.finish_components(locks, &defaults, around);
        let images = self.finish_images();
        self.check_references();
        let Some((distro, version, (_, release_version))) = version else {
            if self.problems.iter().all(|problem| problem.severity == Severity::Warning) {
                self.problems
                    .push(Diagnostic::new("no file of the definition has a `[project]` with a `default-distro`"));
            }
            return None;
        };
        let epoch = self.epoch()?;
        Some(Distro {
            file: path.to_owned(),
            files: std::mem::take(&mut self.files),
            project: Project {
                description: self.project.description.take().unwrap_or_default(),
                distro,
                version,
                lock_dir,
                rendered_specs_dir: rendered,
                macros: std::mem::take(&mut self.project.macros),
                epoch: SourceDateEpoch(epoch),
                author_email: self.project.author_email.take(),
                source_mirrors: std::mem::take(&mut self.project.source_mirrors),
                md5_waived: std::mem::take(&mut self.project.md5_waived),
            },
            release_version,
            components,
            component_groups: std::mem::take(&mut self.component_groups),
            package_groups: std::mem::take(&mut self.package_groups),
            default_publish: std::mem::take(&mut self.default_publish),
            distributions: std::mem::take(&mut self.distributions),
            resources: std::mem::take(&mut self.resources),
            images,
            foreign_images: std::mem::take(&mut self.foreign_images),
            image_facts: std::mem::take(&mut self.image_facts),
            test_suites: std::mem::take(&mut self.test_suites),
            stage0: self.stage0.take().unwrap_or_default(),
            warnings: Vec::new(),
            defaults,
            own_settings: std::mem::take(&mut self.components)
                .into_iter()
                .map(|(name, layer)| (name, layer.settings))
                .collect(),
        })
    }

    /// The distribution and version that are built, what components of it inherit, and its release version.
    fn version(&mut self) -> Option<(String, String, (Settings, String))> {
        let distro = self.project.distro.clone()?;
        let Some(found) = self.distributions.get(&distro.value) else {
            let known = self.distributions.keys().map(String::as_str);
            let problem = Diagnostic::new(format!("there is no distribution `{}`", distro.value)).at(&distro.at);
            self.problems.push(with_nearest(problem, &distro.value, known));
            return None;
        };
        let Some(version) = self.project.version.clone().or_else(|| found.default_version.clone()) else {
            let problem = Diagnostic::new(format!("`{}` has no `default-version`, and none is named", distro.value));
            let hint = format!("`default-distro = {{ name = \"{}\", version = \"...\" }}`", distro.value);
            self.problems.push(problem.at(&distro.at).hint(hint));
            return None;
        };
        match found.versions.get(&version.value) {
            Some(found) => {
                Some((distro.value, version.value, (found.settings.clone(), found.release_version.value.clone())))
            }
            None => {
                let message = format!("there is no distribution `{}` of version `{}`", distro.value, version.value);
                let hint = format!("versions are `[distros.{}.versions.\"{}\"]`", distro.value, version.value);
                self.problems.push(Diagnostic::new(message).at(&version.at).hint(hint));
                None
            }
        }
    }

    /// What stands for now: as written, else the snapshot that upstream's specs are taken from. Only what is built needs it.
    fn epoch(&mut self) -> Option<u64> {
        let written = self.project.epoch.or_else(|| moment::parse(&self.project.snapshot.as_ref()?.value));
        if written.is_none() && self.stage0.is_some() {
            let problem = Diagnostic::new("`project.source-date-epoch` is missing: nothing says what stands for now");
            let problem = problem.hint("seconds since 1970, as in `source-date-epoch = 1793491200`");
            self.problems.push(match &self.project_at {
                Some(at) => problem.at(at),
                None => problem,
            });
            return None;
        }
        Some(written.unwrap_or(0))
    }

    /// Specs that groups find by globs are components.
    fn discover_specs(&mut self) {
        for (name, group) in &mut self.component_groups {
            for pattern in &group.specs {
                let text = pattern.to_string_lossy();
                match glob::expand(Path::new(""), &text) {
                    Ok(found) => {
                        for spec in found.into_iter().filter(|path| path.is_file()) {
                            let is_excluded = group.excluded_paths.iter().any(|glob| glob::path_matches(glob, &spec));
                            let Some(component) = spec.file_stem().and_then(|stem| stem.to_str()) else { continue };
                            if is_excluded {
                                continue;
                            }
                            let component = component.to_owned();
                            let folder = spec.parent().unwrap_or(Path::new("")).to_owned();
                            let settings = Settings::local(&spec, group.at.clone());
                            group.components.push(Located { value: component.clone(), at: group.at.clone() });
                            let layer = ComponentLayer { settings, folder, at: group.at.clone() };
                            self.named.entry(("component", component.clone())).or_insert_with(|| group.at.clone());
                            self.components.entry(component).or_insert(layer);
                        }
                    }
                    Err(error) => {
                        let message = format!("the specs of group `{name}` cannot be found: {error}");
                        self.problems.push(Diagnostic::new(message).at(&group.at));
                    }
                }
            }
        }
    }

    fn finish_components(
        &mut self,
        locks: Locks,
        defaults: &[(String, Settings)],
        around: Surroundings<'_>,
    ) -> BTreeMap<String, Component> {
        let mut problems = Vec::new();
        let mut base = Settings::default();
        for (_, settings) in defaults {
            base.lay_over(settings, &mut problems);
        }
        let groups = self.groups_of(&base, around);
        let mut finished = BTreeMap::new();
        for (name, layer) in &self.components {
            let groups = groups.get(name.as_str()).map_or(&[][..], Vec::as_slice);
            let mut settings = base.clone();
            for group in groups.iter().filter_map(|group| self.component_groups.get(group)) {
                settings.lay_over(&group.settings, &mut problems);
            }
            settings.lay_over(&layer.settings, &mut problems);
            expand_overlay_files(&mut settings, &layer.folder, &mut problems);
            let around = Surroundings { groups, ..around };
            let Some(mut component) = Component::of(name, settings, &layer.at, &around, &mut problems) else {
                continue;
            };
            if locks != Locks::Ignored {
                apply_lock(&mut component, locks, &mut problems);
            }
            finished.insert(name.clone(), component);
        }
        for (name, group) in &self.component_groups {
            for member in &group.components {
                // A component that is there, but wrong, was reported already.
                if !self.components.contains_key(&member.value) {
                    let known = self.components.keys().map(String::as_str);
                    let what = format!("the group `{name}` names a component `{}` that does not exist", member.value);
                    problems.push(with_nearest(Diagnostic::new(what).at(&member.at), &member.value, known));
                }
            }
        }
        self.problems.append(&mut problems);
        finished
    }

    /// The groups of each component, by name: those that list it, and those whose query chooses it. A query sees a component
    /// with what the project and the component say, as groups are not known yet.
    fn groups_of(&self, base: &Settings, around: Surroundings<'_>) -> HashMap<&str, Vec<String>> {
        let mut groups: HashMap<&str, Vec<String>> = HashMap::new();
        let queries: Vec<_> =
            self.component_groups.iter().filter_map(|(name, group)| Some((name, group.query.as_ref()?))).collect();
        let mut seen = BTreeMap::new();
        if !queries.is_empty() {
            for (name, layer) in &self.components {
                let mut settings = base.clone();
                settings.lay_over(&layer.settings, &mut Vec::new());
                seen.extend(
                    Component::of(name, settings, &layer.at, &around, &mut Vec::new()).map(|found| (name, found)),
                );
            }
        }
        for (name, group) in &self.component_groups {
            for member in &group.components {
                add_member(&mut groups, &self.components, &member.value, name);
            }
            if let Some(query) = &group.query {
                for (component, found) in &seen {
                    if query.value.matches(found) {
                        add_member(&mut groups, &self.components, component, name);
                    }
                }
            }
        }
        groups
    }

    /// Names that must lead somewhere: those of upstream distributions, test suites, repositories.
    fn check_references(&mut self) {
        for (image, facts) in &self.image_facts {
            for suite in facts.test_suites.iter().filter(|suite| !self.test_suites.contains_key(&suite.value)) {
                let what = format!("the image `{image}` names a test suite `{}` that does not exist", suite.value);
                let known = self.test_suites.keys().map(String::as_str);
                self.problems.push(with_nearest(Diagnostic::new(what).at(&suite.at), &suite.value, known));
            }
        }
        for set in self.resources.sets.values() {
            let template = &set.template;
            let Some(found) = self.resources.templates.get(&template.value) else {
                let what = format!("there is no layout of repositories `{}`", template.value);
                let known = self.resources.templates.keys().map(String::as_str);
                self.problems.push(with_nearest(Diagnostic::new(what).at(&template.at), &template.value, known));
                continue;
            };
            for part in set.only.iter().filter(|part| found.repositories.iter().all(|(name, ..)| *name != part.value)) {
                let what = format!("the layout `{}` has no repository `{}`", template.value, part.value);
                let known = found.repositories.iter().map(|(name, ..)| name.as_str());
                self.problems.push(with_nearest(Diagnostic::new(what).at(&part.at), &part.value, known));
            }
        }
        for version in self.distributions.values().flat_map(|distribution| distribution.versions.values()) {
            for input in version.package_inputs.iter().chain(&version.image_inputs) {
                let (kind, name, known): (_, _, Vec<&str>) = match input {
                    crate::distribution::Input::Repo(name) => {
                        ("repository", name, self.resources.repositories.keys().map(String::as_str).collect())
                    }
                    crate::distribution::Input::Set(name) => {
                        ("set of repositories", name, self.resources.sets.keys().map(String::as_str).collect())
                    }
                };
                if !known.contains(&name.value.as_str()) {
                    let problem = Diagnostic::new(format!("there is no {kind} `{}`", name.value)).at(&name.at);
                    self.problems.push(with_nearest(problem, &name.value, known));
                }
            }
        }
    }

    fn finish_images(&mut self) -> BTreeMap<String, Image> {
        let mut images = std::mem::take(&mut self.images);
        for image in images.values_mut() {
            let groups = image.definition.groups.clone();
            let mut packages = Vec::new();
            self.collect_groups(&groups, &mut Vec::new(), &mut packages);
            packages.append(&mut image.definition.packages);
            let mut seen = BTreeSet::new();
            packages.retain(|package| seen.insert(package.clone()));
            image.definition.packages = packages;
        }
        // Groups that no image uses must be right too.
        for name in self.package_groups.keys().cloned().collect::<Vec<_>>() {
            let at = self.package_groups[&name].at.clone();
            self.collect_groups(&[Located { value: name, at }], &mut Vec::new(), &mut Vec::new());
        }
        images
    }

    fn collect_groups(&mut self, groups: &[Located<String>], above: &mut Vec<String>, packages: &mut Vec<String>) {
        for name in groups {
            if above.contains(&name.value) {
                let chain = format!("{} -> {}", above.join(" -> "), name.value);
                let problem = Diagnostic::new(format!("package groups lead in a circle: {chain}"));
                self.problems.push(problem.at(&name.at));
                continue;
            }
            let Some(group) = self.package_groups.get(&name.value) else {
                let known = self.package_groups.keys().map(String::as_str);
                let problem = Diagnostic::new(format!("there is no package group `{}`", name.value)).at(&name.at);
                self.problems.push(with_nearest(problem, &name.value, known));
                continue;
            };
            packages.extend(group.packages.iter().map(|package| package.value.clone()));
            let inner = group.groups.clone();
            above.push(name.value.clone());
            self.collect_groups(&inner, above, packages);
            above.pop();
        }
    }
}

/// Notes that a component is in a group, once; groups come in the order of their names.
fn add_member<'a>(
    groups: &mut HashMap<&'a str, Vec<String>>,
    components: &'a BTreeMap<String, ComponentLayer>,
    component: &str,
    group: &str,
) {
    if let Some((name, _)) = components.get_key_value(component) {
        let of_component = groups.entry(name).or_default();
        if of_component.last().is_none_or(|last| last != group) {
            of_component.push(group.to_owned());
        }
    }
}

/// Reads the overlay files of a component; their overlays come after those of the component itself.
fn expand_overlay_files(settings: &mut Settings, folder: &Path, problems: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for pattern in settings.overlay_files.clone().unwrap_or_default() {
        let mut found = match glob::expand(folder, &pattern.value) {
            Ok(found) if found.is_empty() && !glob::is_pattern(&pattern.value) => {
                let what = format!("the overlay file `{}` does not exist", pattern.value);
                problems.push(Diagnostic::new(what).at(&pattern.at));
                continue;
            }
            Ok(found) => found,
            Err(error) => {
                problems.push(Diagnostic::new(format!("overlay files cannot be found: {error}")).at(&pattern.at));
                continue;
            }
        };
        found.retain(|path| path.is_file());
        found.sort_by(|left, right| left.file_name().cmp(&right.file_name()).then_with(|| left.cmp(right)));
        for path in found.into_iter().filter(|path| seen.insert(path.clone())) {
            overlay::read_file(&path, settings, problems);
        }
    }
}

fn apply_lock(component: &mut Component, locks: Locks, problems: &mut Vec<Diagnostic>) {
    let lock = lock::load(&component.lock_file, problems);
    for file in &mut component.source_files {
        // The lock has archives as they were before overlays changed them.
        if file.origin == FileOrigin::Overlay {
            continue;
        }
        if let Some(locked) = lock.sources.iter().find(|locked| locked.file_name == file.file_name) {
            // Whoever writes locks anew asks what is there now, and not for what was locked.
            if locks == Locks::Required {
                file.hash.get_or_insert_with(|| Hash::Sha512(locked.sha512.clone()));
                file.size = Some(locked.size);
            }
            file.origin_version = locked.origin_version.clone();
        }
        if locks == Locks::Required && file.hash.is_none() && file.origin.is_debian() {
            let message = format!("the source `{}` of `{}` is not locked", file.file_name, component.name);
            let note = format!("`{}` does not name it", component.lock_file.display());
            let hint = format!("`slipway lock {}` writes it", component.name);
            problems.push(Diagnostic::new(message).at(&file.at).note(note).hint(hint));
        }
    }
    component.lock = lock;
}

fn duplicate(what: &str, earlier: &Position) -> Diagnostic {
    Diagnostic::new(format!("{what} is defined twice")).note(format!("first at {earlier}"))
}

pub(crate) fn with_nearest<'a>(
    problem: Diagnostic,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match nearest(word, known) {
        Some(like) => problem.hint(format!("did you mean `{like}`?")),
        None => problem,
    }
}
