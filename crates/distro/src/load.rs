use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::component::{BuildLayer, BuildOptions, Component, ComponentLayer, Hash};
use crate::diagnostic::{Diagnostic, Diagnostics, Located, Position, Severity, SourceText, nearest};
use crate::image::Image;
use crate::project::Project;
use crate::reader::{File, Table};
use crate::stage0::Stage0;
use crate::{component, glob, image, lock, project, reference, stage0};

/// A distribution: all that its definition says.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Distro {
    /// The root file of the definition.
    pub file: PathBuf,
    /// What is true of the whole.
    pub project: Project,
    /// What `$releasever` stands for.
    pub release_version: String,
    /// The components by name.
    pub components: BTreeMap<String, Component>,
    /// The images by name.
    pub images: BTreeMap<String, Image>,
    /// The build root that bootstraps the distribution.
    pub stage0: Stage0,
    /// What is not as it was meant, though the definition can be used.
    pub warnings: Vec<Diagnostic>,
}

/// Includes that lead deeper than this are taken for a mistake.
const DEEPEST_INCLUDE: usize = 16;

/// Whether every source has to have a digest in the definition or a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// It has to: without one, nothing can be fetched.
    Required,
    /// Locks are not read: they are about to be written.
    Ignored,
}

/// Loads the definition whose root file is `path`, with all files that it includes.
///
/// Every problem is found in one go; a definition with a problem is not returned.
pub fn load(path: &Path, locks: Locks) -> Result<Distro, Diagnostics> {
    let mut loader = Loader::default();
    loader.read_file(path, &mut Vec::new(), None);
    let distro = loader.finish(path, locks);
    let mut problems = loader.problems;
    problems.sort_by(|left, right| left.at.cmp(&right.at));
    problems.dedup();
    match distro {
        Some(distro) if problems.iter().all(|problem| problem.severity == Severity::Warning) => {
            Ok(Distro { warnings: problems, ..distro })
        }
        _ => Err(Diagnostics(problems)),
    }
}

struct Group {
    members: Vec<Located<String>>,
    build: BuildLayer,
}

struct PackageGroup {
    packages: Vec<String>,
    groups: Vec<Located<String>>,
}

struct Version {
    release_version: String,
    build: BuildLayer,
}

#[derive(Default)]
struct Loader {
    problems: Vec<Diagnostic>,
    read: BTreeSet<PathBuf>,
    lock_dir: Option<PathBuf>,
    named: BTreeMap<(&'static str, String), Position>,
    project: Option<Located<Project>>,
    stage0: Option<Stage0>,
    default_build: BuildLayer,
    versions: BTreeMap<(String, String), Version>,
    components: BTreeMap<String, ComponentLayer>,
    groups: BTreeMap<String, Group>,
    package_groups: BTreeMap<String, Located<PackageGroup>>,
    images: BTreeMap<String, Image>,
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
                    Ok(found) if found.is_empty() && !include.value.contains(['*', '?']) => {
                        let mut problem = excerpt;
                        problem.message = format!("the included file `{}` does not exist", include.value);
                        self.problems.push(problem);
                    }
                    Ok(found) => includes.extend(found.into_iter().map(|file| (file, excerpt.clone()))),
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
        if let Some(table) = top.table("project", reference::PROJECT) {
            let at = table.at();
            if let Some(project) = project::read(table, folder) {
                match &self.project {
                    Some(earlier) => self.problems.push(duplicate("[project]", &earlier.at).at(&at)),
                    None => self.project = Some(Located { value: project, at }),
                }
            }
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
        if let Some(table) = top.table("default-component-config", reference::COMPONENT_CONFIG) {
            self.default_build = BuildLayer::from_config(Some(table));
        }
        for (distro, mut table) in top.named_tables("distros", reference::DISTRO) {
            table.text("description");
            table.text("default-version");
            for (version, mut table) in table.named_tables("versions", reference::VERSION) {
                table.text("description");
                let release_version = table.text("release-ver").unwrap_or_else(|| version.value.clone());
                let config = table.table("default-component-config", reference::COMPONENT_CONFIG);
                let value = Version { release_version, build: BuildLayer::from_config(config) };
                self.versions.insert((distro.value.clone(), version.value), value);
            }
        }
        for (name, mut table) in top.named_tables("component-groups", reference::COMPONENT_GROUP) {
            table.text("description");
            let members = table.strings("components");
            let build = BuildLayer::from_config(table.table("default-component-config", reference::COMPONENT_CONFIG));
            if self.is_first("component group", &name) {
                self.groups.insert(name.value, Group { members, build });
            }
        }
        for (name, mut table) in top.named_tables("package-groups", reference::PACKAGE_GROUP) {
            table.text("description");
            let group = PackageGroup { packages: table.texts("packages"), groups: table.strings("groups") };
            if self.is_first("package group", &name) {
                self.package_groups.insert(name.value, Located { value: group, at: name.at });
            }
        }
        for (name, table) in top.named_tables("images", reference::IMAGE) {
            let found = image::read(&name.value, table, folder, &mut self.problems);
            if self.is_first("image", &name)
                && let Some(image) = found
            {
                self.images.insert(name.value, image);
            }
        }
        // The root file is read first; a broken `[project]` must not make every lock look missing.
        let default = self.lock_dir.get_or_insert_with(|| folder.join("locks")).clone();
        let locks = self.project.as_ref().map_or(default, |found| found.value.lock_dir.clone());
        for (name, table) in top.named_tables("components", reference::COMPONENT) {
            let found = component::read(&name.value, table, folder, &locks);
            if self.is_first("component", &name)
                && let Some(layer) = found
            {
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
        let components = self.finish_components(locks);
        let images = self.finish_images();
        if self.problems.is_empty() {
            for (missing, found) in [("project", self.project.is_some()), ("stage0", self.stage0.is_some())] {
                if !found {
                    self.problems.push(Diagnostic::new(format!("no file of the definition has a `[{missing}]`")));
                }
            }
        }
        let project = self.project.take()?;
        let key = (project.value.distro.clone(), project.value.version.clone());
        let Some(version) = self.versions.get(&key) else {
            let problem = Diagnostic::new(format!("there is no distribution `{}` of version `{}`", key.0, key.1));
            let hint = format!("`default-distro` must name a `[distros.{}.versions.\"{}\"]`", key.0, key.1);
            self.problems.push(problem.hint(hint).at(&project.at));
            return None;
        };
        Some(Distro {
            file: path.to_owned(),
            release_version: version.release_version.clone(),
            project: project.value,
            components,
            images,
            stage0: self.stage0.take()?,
            warnings: Vec::new(),
        })
    }

    fn finish_components(&mut self, locks: Locks) -> BTreeMap<String, Component> {
        let mut finished = BTreeMap::new();
        let version = self
            .project
            .as_ref()
            .and_then(|project| self.versions.get(&(project.value.distro.clone(), project.value.version.clone())));
        for (name, layer) in &self.components {
            let mut component = layer.component.clone();
            let groups = self.groups.values().filter(|group| group.members.iter().any(|member| member.value == *name));
            let layers = version
                .map(|version| &version.build)
                .into_iter()
                .chain([&self.default_build])
                .chain(groups.map(|group| &group.build))
                .chain([&layer.build]);
            let mut build = BuildOptions::default();
            for layer in layers {
                layer.apply(&mut build);
            }
            component.build = build;
            if locks == Locks::Required {
                apply_lock(&mut component, &mut self.problems);
            }
            finished.insert(name.clone(), component);
        }
        for (name, group) in &self.groups {
            for member in &group.members {
                // A component that is there, but wrong, was reported already.
                if !self.named.contains_key(&("component", member.value.clone())) {
                    let known =
                        self.named.keys().filter(|(kind, _)| *kind == "component").map(|(_, name)| name.as_str());
                    let what = format!("the group `{name}` names a component `{}` that does not exist", member.value);
                    self.problems.push(with_nearest(Diagnostic::new(what).at(&member.at), &member.value, known));
                }
            }
        }
        finished
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
            packages.extend(group.value.packages.iter().cloned());
            let inner = group.value.groups.clone();
            above.push(name.value.clone());
            self.collect_groups(&inner, above, packages);
            above.pop();
        }
    }
}

fn apply_lock(component: &mut Component, problems: &mut Vec<Diagnostic>) {
    let Some(path) = component.source_files.first().map(|file| file.lock.clone()) else { return };
    let lock = lock::load(&path, problems);
    for file in &mut component.source_files {
        if let Some(locked) = lock.sources.iter().find(|locked| locked.file_name == file.file_name) {
            file.hash.get_or_insert_with(|| Hash::Sha512(locked.sha512.clone()));
            file.size = Some(locked.size);
            file.origin_version = locked.origin_version.clone();
        }
        if file.hash.is_none() {
            let message = format!("the source `{}` of `{}` is not locked", file.file_name, component.name);
            let note = format!("`{}` does not name it", path.display());
            let hint = format!("`slipway lock {}` writes it", component.name);
            problems.push(Diagnostic::new(message).at(&file.at).note(note).hint(hint));
        }
    }
}

fn duplicate(what: &str, earlier: &Position) -> Diagnostic {
    Diagnostic::new(format!("{what} is defined twice")).note(format!("first at {earlier}"))
}

fn with_nearest<'a>(problem: Diagnostic, word: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    match nearest(word, known) {
        Some(like) => problem.hint(format!("did you mean `{like}`?")),
        None => problem,
    }
}
