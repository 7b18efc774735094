//! What a definition says that does not fit together, though each part can be read: names that contradict values, packages
//! in two channels, folders that nobody renders any more.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use crate::component::{FileOrigin, SpecSource};
use crate::diagnostic::{Diagnostic, Position};
use crate::load::{Distro, with_nearest};
use crate::overlay::{Date, Overlay, OverlayKind};

/// Everything that does not fit together, by place. `today` is for overlays that expire; without it they do not.
///
/// Reads the names in the folder of rendered specs, and whether files that are named exist; no spec is read.
pub fn check(distro: &Distro, today: Option<Date>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    versions(distro, &mut found);
    upstreams(distro, &mut found);
    channels(distro, &mut found);
    overlays(distro, today, &mut found);
    archives(distro, &mut found);
    images(distro, &mut found);
    rendered(distro, &mut found);
    found.sort_by(|left, right| left.at.cmp(&right.at).then_with(|| left.message.cmp(&right.message)));
    found
}

/// A version called `44` whose release version is `43`. Names with words in them are free.
fn versions(distro: &Distro, found: &mut Vec<Diagnostic>) {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    for (name, distribution) in &distro.distributions {
        for (version, described) in &distribution.versions {
            let release = &described.release_version;
            let is_part = |whole: &str, part: &str| {
                whole.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            if is_number(version)
                && is_number(&release.value)
                && !is_part(version, &release.value)
                && !is_part(&release.value, version)
            {
                let message = format!("version {version} of `{name}` has the release version {}", release.value);
                let hint = format!("`release-ver = \"{version}\"`, or another name for the version");
                found.push(Diagnostic::new(message).at(&release.at).hint(hint));
            }
        }
        if let Some(default) = &distribution.default_version
            && !distribution.versions.is_empty()
            && !distribution.versions.contains_key(&default.value)
        {
            let message = format!("the default version {} of `{name}` is not defined", default.value);
            let known = distribution.versions.keys().map(String::as_str);
            found.push(with_nearest(Diagnostic::new(message).at(&default.at), &default.value, known));
        }
    }
}

/// Specs from a distribution or version that is not defined, or of which nothing says where its dist-git is.
fn upstreams(distro: &Distro, found: &mut Vec<Diagnostic>) {
    // Thousands of components share what they inherit: each place is reported once.
    let mut seen: BTreeSet<(Position, String)> = BTreeSet::new();
    let mut report = |at: &Position, problem: Diagnostic, found: &mut Vec<Diagnostic>| {
        if seen.insert((at.clone(), problem.message.clone())) {
            found.push(problem.at(at));
        }
    };
    for component in distro.components.values() {
        let SpecSource::Upstream(upstream) = &component.spec else { continue };
        let at = component.settings.at("spec.upstream-distro.name").unwrap_or(&component.at);
        let Some(distribution) = distro.distributions.get(&upstream.distro) else {
            let problem = Diagnostic::new(format!("there is no distribution `{}` to take specs from", upstream.distro));
            let known = distro.distributions.keys().map(String::as_str);
            report(at, with_nearest(problem, &upstream.distro, known), found);
            continue;
        };
        if distribution.dist_git.is_none() {
            let problem = Diagnostic::new(format!("nothing says where the dist-git of `{}` is", upstream.distro));
            report(at, problem.hint(format!("`[distros.{}]` needs `dist-git-base-uri`", upstream.distro)), found);
        }
        let default = distribution.default_version.as_ref().map(|version| version.value.as_str());
        match upstream.version.as_deref().or(default) {
            Some(version) if distribution.versions.contains_key(version) => {}
            Some(version) => {
                let at = component.settings.at("spec.upstream-distro.version").unwrap_or(at);
                let problem = Diagnostic::new(format!("`{}` has no version {version}", upstream.distro));
                report(at, with_nearest(problem, version, distribution.versions.keys().map(String::as_str)), found);
            }
            None => {
                let problem =
                    Diagnostic::new(format!("no version of `{}` is named, and it has no default", upstream.distro));
                report(at, problem.hint("`upstream-distro = { name = \"...\", version = \"...\" }`"), found);
            }
        }
    }
}

/// Packages that two groups publish to different channels, or that two groups list at all.
fn channels(distro: &Distro, found: &mut Vec<Diagnostic>) {
    let mut listed: HashMap<&str, (&str, &Position)> = HashMap::new();
    for (name, group) in &distro.package_groups {
        // Groups without a channel are for images; they may overlap.
        if group.publish == crate::group::PackagePublish::default() {
            continue;
        }
        for package in &group.packages {
            match listed.get(package.value.as_str()) {
                Some((earlier, at)) => {
                    let channel = |group: &str| distro.package_groups[group].publish.rpm.as_deref().unwrap_or("none");
                    let message = format!("the package `{}` is in two groups with channels", package.value);
                    let note =
                        format!("`{}` by `{name}`; `{}` by `{earlier}` at {at}", channel(name), channel(earlier));
                    let problem = Diagnostic::new(message).at(&package.at).note(note);
                    found.push(problem.hint("remove it from one of them"));
                }
                None => {
                    listed.insert(&package.value, (name, &package.at));
                }
            }
        }
    }
}

fn overlays(distro: &Distro, today: Option<Date>, found: &mut Vec<Diagnostic>) {
    // Overlays of groups are those of all their members: each place is looked at once.
    let mut seen = BTreeSet::new();
    for overlay in distro.components.values().flat_map(|component| &component.overlays) {
        if !seen.insert(&overlay.at) {
            continue;
        }
        if let Some(source) = overlay.source().filter(|source| !source.is_file()) {
            let message = format!("the file `{}` of this overlay does not exist", source.display());
            found.push(Diagnostic::new(message).at(overlay.value_at("source")));
        }
        if let (Some(today), Some(expires)) = (today, overlay.expires)
            && expires < today
        {
            let message = format!("this overlay was wanted until {expires}");
            let hint = "remove it, or say until when it is wanted: `expires`";
            found.push(Diagnostic::new(message).at(overlay.value_at("expires")).hint(hint).warning());
        }
    }
}

/// Archives that overlays change, without the digest that they are to have then; such digests without an overlay; and overlays
/// that change an archive as a file.
fn archives(distro: &Distro, found: &mut Vec<Diagnostic>) {
    for component in distro.components.values() {
        let changed: BTreeMap<&str, &Overlay> =
            component.overlays.iter().rev().filter_map(|overlay| Some((overlay.archive()?, overlay))).collect();
        let expected = || component.source_files.iter().filter(|file| file.origin == FileOrigin::Overlay);
        for (archive, overlay) in &changed {
            if !expected().any(|file| file.file_name == *archive) {
                let message = format!(
                    "nothing says which digest `{archive}` of `{}` is to have after its overlays",
                    component.name
                );
                let hint = format!(
                    "add a `source-files` entry: filename = \"{archive}\", origin = {{ type = \"overlay\" }}, replace-upstream = true"
                );
                found.push(Diagnostic::new(message).at(overlay.value_at("archive")).hint(hint));
            }
        }
        for file in expected().filter(|file| !changed.contains_key(file.file_name.as_str())) {
            let message = format!("no overlay of `{}` changes the archive `{}`", component.name, file.file_name);
            found.push(
                Diagnostic::new(message).at(&file.at).hint("remove this entry, or name the archive in an overlay"),
            );
        }
        for overlay in component.overlays.iter().filter(|overlay| overlay.archive().is_none()) {
            let file = match &overlay.kind {
                OverlayKind::PrependFileLines { file, .. }
                | OverlayKind::SearchReplaceInFile { file, .. }
                | OverlayKind::AddFile { file, .. }
                | OverlayKind::RemoveFile { file, .. }
                | OverlayKind::RenameFile { file, .. } => file,
                _ => continue,
            };
            if let Some(inside) = changed.get(file.as_str()) {
                let message = format!("this overlay changes `{file}` as a file, and another one what is in it");
                let note = format!("the other is at {}", inside.at);
                found.push(Diagnostic::new(message).at(overlay.value_at("file")).note(note).hint("remove one of them"));
            }
        }
    }
}

fn images(distro: &Distro, found: &mut Vec<Diagnostic>) {
    for (name, image) in &distro.foreign_images {
        if let Some(path) = image.path.as_ref().filter(|path| !path.exists()) {
            let message = format!("the description `{}` of the image `{name}` does not exist", path.display());
            found.push(Diagnostic::new(message).at(&image.at));
        }
    }
}

/// A file that the original leaves where rendering failed.
const FAILED: &str = "RENDER_FAILED";

/// Folders that no component renders to, components that were never rendered, and marks of failures.
fn rendered(distro: &Distro, found: &mut Vec<Diagnostic>) {
    let Some(root) = distro.project.rendered_specs_dir.as_deref().filter(|root| root.is_dir()) else { return };
    let expected: BTreeMap<&Path, &str> = distro
        .components
        .values()
        .filter_map(|component| Some((component.rendered.as_deref()?, component.name.as_str())))
        .collect();
    for letter in folders(root) {
        for folder in folders(&letter) {
            let place = |file: &str| Position { file: folder.join(file), line: 1, column: 1 };
            let Some(component) = expected.get(folder.as_path()) else {
                if !is_alias(&folder, &expected) {
                    let message = format!("the rendered folder `{}` belongs to no component", folder.display());
                    let name = folder.file_name().unwrap_or_default().to_string_lossy();
                    let hint = format!("remove it, or define `[components.{name}]`");
                    found.push(Diagnostic::new(message).at(&place("")).hint(hint));
                }
                continue;
            };
            let spec = format!("{component}.spec");
            let (is_there, is_failed) = (folder.join(&spec).is_file(), folder.join(FAILED).is_file());
            if is_there && is_failed {
                let message = format!("`{component}` has a rendered spec and `{FAILED}` beside it");
                found.push(Diagnostic::new(message).at(&place(FAILED)).hint("one of them is stale: render it again"));
            } else if is_failed {
                let message = format!("rendering `{component}` failed, and was left at that");
                found.push(Diagnostic::new(message).at(&place(FAILED)).hint("render it again, and see why it fails"));
            } else if !is_there {
                let message = format!("the rendered folder of `{component}` has no `{spec}`");
                found.push(Diagnostic::new(message).at(&place("")).hint("render it again"));
            }
        }
    }
    for (folder, component) in expected {
        if !folder.is_dir() {
            let message = format!("`{component}` was never rendered: there is no `{}`", folder.display());
            let at = &distro.components[component].at;
            found.push(Diagnostic::new(message).at(at).hint("render it"));
        }
    }
}

/// Whether a folder is the name of a component as an address writes it: `libxml%2B%2B` beside `libxml++`.
fn is_alias(folder: &Path, expected: &BTreeMap<&Path, &str>) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.contains('%') && expected.contains_key(folder.with_file_name(name.replace("%2B", "+")).as_path())
}

fn folders(root: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs_err::read_dir(root).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}
