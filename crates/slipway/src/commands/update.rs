use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use distro::render::{Author, RenderError};
use distro::{Component, Distro, Lock, SharedLock, SpecSource};

use crate::commands::component_render::choose;
use crate::context::Context;
use crate::distgit::{Mirror, Step};
use crate::explain::Failure;
use crate::local_commits::Local;
use crate::rendering::{self, Renderer, Upstream, place};
use crate::ui::Table;

/// Look for what upstream did since it was locked: commits, versions, CVEs, overlays that no longer fit; and lock it
#[derive(Args)]
#[command(after_help = "Example: slipway update openssl && slipway update openssl --write")]
pub(crate) struct Arguments {
    /// The components; all if none is named.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Fail where a lock is not what it would be now.
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Write the locks: all of those asked for, or none where one of them cannot be.
    #[arg(long)]
    write: bool,
}

/// Repositories that are fetched at once; the network is what takes time.
const AT_ONCE: usize = 8;

/// Commits of a component that are shown to people; the JSON has all.
const SHOWN: usize = 20;

#[derive(Default, serde::Serialize)]
struct Row {
    component: String,
    /// `current`, `moved`, `changed`, `unlocked`, `breaks`, `failed`, `local`.
    state: &'static str,
    locked: Option<String>,
    newest: Option<String>,
    old_version: Option<String>,
    new_version: Option<String>,
    commits: Vec<Step>,
    cves: BTreeSet<String>,
    overlays: Vec<Broken>,
    sources_added: Vec<String>,
    sources_removed: Vec<String>,
    note: Option<String>,
    /// The lock as it would be written, where that is not what stands there.
    #[serde(skip)]
    lock: Option<(PathBuf, String)>,
    #[serde(skip)]
    failure: Option<Failure>,
}

/// An overlay that does not fit what upstream has now.
#[derive(serde::Serialize)]
struct Broken {
    defined: String,
    kind: &'static str,
    problem: String,
    nearest: Option<String>,
    /// Where upstream has it already.
    already: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = distro::load(&context.definition()?, distro::Locks::Optional)?;
    let components = choose(&distro, &arguments.names)?;
    let is_whole = arguments.names.is_empty();
    let shared_path = SharedLock::path(&distro);
    if let Some(component) = distro.components.values().find(|component| component.lock_file == shared_path) {
        let message = format!("the lock of `{}` has the name of the distribution's own", component.name);
        return Err(Failure::definition(message).hint("call the component otherwise, and say `spec.upstream-name`"));
    }
    let mut renderer = Renderer::new(&distro, &context.host, context.store()?.area("git")?)?;
    let shared = renderer.shared_now(None)?;
    let before = renderer.shared.replace(shared.clone()).unwrap_or_default();
    let differences = before.differences(&shared);
    let mut rows = look(&components, &renderer, context);
    rows.sort_by(|left, right| left.component.cmp(&right.component));
    let orphans = if is_whole { orphans(&distro)? } else { Vec::new() };
    let failed = rows.iter().find_map(|row| row.failure.clone());
    let broken: Vec<&str> =
        rows.iter().filter(|row| !row.overlays.is_empty()).map(|row| row.component.as_str()).collect();
    let mut locks: Vec<(PathBuf, String)> = rows.iter().filter_map(|row| row.lock.clone()).collect();
    if is_whole && !differences.is_empty() {
        locks.push((shared_path, shared.to_toml()));
    }
    let is_written = arguments.write && failed.is_none() && broken.is_empty();
    if is_written {
        write_all(&locks)?;
    }
    show(&rows, &orphans, &differences, &locks, is_written, context);
    if let Some(failure) = failed {
        return Err(failure);
    }
    if !broken.is_empty() && (arguments.write || arguments.check) {
        let message = format!("overlays of {} do not fit what upstream has now", broken.join(", "));
        let hint = "repair or remove them, or name the components that are to be locked";
        return Err(Failure::work(format!("{message}\n  no lock was written")).hint(hint));
    }
    if arguments.check && !(locks.is_empty() && orphans.is_empty()) {
        let message = format!("{} locks are not what they would be now, {} are nobody's", locks.len(), orphans.len());
        return Err(Failure::work(message).hint("`slipway update --write` writes those; remove what is nobody's"));
    }
    Ok(())
}

fn look(components: &[&Component], renderer: &Renderer<'_>, context: &Context) -> Vec<Row> {
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<Row>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..context.host.cores().clamp(1, AT_ONCE).min(components.len().max(1)) {
            scope.spawn(|| {
                while let Some(component) = components.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = one(component, renderer).unwrap_or_else(|failure| Row {
                        component: component.name.clone(),
                        state: "failed",
                        locked: component.lock.upstream_commit.clone(),
                        note: Some(failure.to_string()),
                        failure: Some(failure),
                        ..Row::default()
                    });
                    if let Ok(mut rows) = rows.lock() {
                        rows.push(row);
                    }
                }
            });
        }
    });
    rows.into_inner().unwrap_or_default()
}

fn one(component: &Component, renderer: &Renderer<'_>) -> Result<Row, Failure> {
    let mut row = Row { component: component.name.clone(), state: "local", ..Row::default() };
    row.locked.clone_from(&component.lock.upstream_commit);
    let mut moved = component.clone();
    if matches!(component.spec, SpecSource::Upstream(_)) {
        let repository = renderer.repository(component, Mirror::Refreshed)?;
        let newest = renderer.newest(component, &repository)?;
        row.newest = Some(newest.clone());
        if let Some(locked) = component.lock.upstream_commit.as_ref().filter(|locked| **locked != newest) {
            if repository.has(locked)? {
                row.commits = repository.between(locked, &newest)?;
                if !repository.leads_to(locked, &newest)? {
                    row.note =
                        Some("upstream's history no longer leads from the locked commit to the new one".to_owned());
                }
            } else {
                row.note = Some("upstream no longer has the commit that is locked".to_owned());
            }
        }
        moved.lock.import_commit.get_or_insert_with(|| newest.clone());
        moved.lock.upstream_commit = Some(newest);
    } else if component.rendered.is_none() {
        row.note = Some(of_local(component));
        return Ok(row);
    }
    let upstream = renderer.upstream(&moved)?;
    row.new_version = renderer.version(&upstream.folder.spec);
    if row.locked != row.newest && row.note.as_deref().is_none_or(|note| note.contains("leads")) {
        compare(component, &upstream, renderer, &mut row)?;
    }
    let (digest, broken) = preview(&moved, &upstream, renderer)?;
    row.overlays = broken;
    moved.lock.fingerprint = Some(renderer.fingerprint(&moved)?);
    moved.lock.render_digest = digest;
    let is_moved = row.locked != row.newest;
    row.state = match () {
        () if !row.overlays.is_empty() => "breaks",
        () if moved.lock == component.lock => "current",
        () if component.lock == (Lock { sources: component.lock.sources.clone(), ..Lock::default() }) => "unlocked",
        () if is_moved => "moved",
        () => "changed",
    };
    if row.state != "current" {
        row.lock = Some((component.lock_file.clone(), moved.lock.to_toml()));
    }
    Ok(row)
}

/// What can be said of a component whose spec is the definition's own.
fn of_local(component: &Component) -> String {
    let packages: Vec<String> = component
        .source_files
        .iter()
        .filter(|file| file.origin.is_debian())
        .map(|file| format!("{} {}", file.file_name, file.origin_version.as_deref().unwrap_or("(not locked)")))
        .collect();
    match packages.is_empty() {
        true => "nothing is pinned upstream: the definition has the spec itself".to_owned(),
        false => {
            format!("`slipway lock {}` pins again, as Debian has them now: {}", component.name, packages.join(", "))
        }
    }
}

/// What is other in the new commit than in the locked one: versions, sources, CVEs.
fn compare(component: &Component, new: &Upstream, renderer: &Renderer<'_>, row: &mut Row) -> Result<(), Failure> {
    if component.lock.upstream_commit.is_none() {
        return Ok(());
    }
    // The pin counts more than the lock, and here the locked commit is meant.
    let mut locked = component.clone();
    if let SpecSource::Upstream(upstream) = &mut locked.spec {
        upstream.commit = None;
    }
    let old = renderer.upstream(&locked)?;
    row.old_version = renderer.version(&old.folder.spec);
    let lines = |upstream: &Upstream, name: &str| -> BTreeSet<String> {
        let text = upstream.folder.files.get(name).map(|text| String::from_utf8_lossy(text).into_owned());
        text.unwrap_or_default().lines().map(str::to_owned).collect()
    };
    let (before, after) = (lines(&old, "sources"), lines(new, "sources"));
    row.sources_added = after.difference(&before).cloned().collect();
    row.sources_removed = before.difference(&after).cloned().collect();
    let mut text: String = row.commits.iter().map(|step| format!("{}\n", step.message)).collect();
    let spec = |upstream: &Upstream| -> BTreeSet<String> { upstream.folder.spec.lines().map(str::to_owned).collect() };
    let names = |upstream: &Upstream| -> BTreeSet<String> { upstream.folder.files.keys().cloned().collect() };
    let sets =
        [(spec(&old), spec(new)), (lines(&old, "changelog"), lines(new, "changelog")), (names(&old), names(new))];
    for (before, after) in &sets {
        text.extend(after.difference(before).map(|line| format!("{line}\n")));
    }
    row.cves = cves(&text);
    Ok(())
}

/// The CVE ids that a text names: `CVE-`, a year, a number of four digits or more.
fn cves(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("CVE-") {
        let rest = &text.as_bytes()[at + 4..];
        let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let year = digits(rest);
        if year == 4 && rest.get(4) == Some(&b'-') {
            let number = digits(&rest[5..]);
            if number >= 4 {
                found.insert(text[at..at + 9 + number].to_owned());
            }
        }
    }
    found
}

/// The digest of what is rendered, or the overlays that do not fit: each one, as one that fails is left out to see the next.
fn preview(
    component: &Component,
    upstream: &Upstream,
    renderer: &Renderer<'_>,
) -> Result<(Option<String>, Vec<Broken>), Failure> {
    let mut tried = component.clone();
    let mut broken = Vec::new();
    loop {
        match renderer.try_render(&tried, upstream, &Local::default())? {
            Ok(rendered) => {
                let digest = format!("sha256:{}", rendering::digest(&rendering::all_files(&rendered.folder)));
                return Ok((broken.is_empty().then_some(digest), broken));
            }
            Err(RenderError::Overlay { author: Author::Overlay(index), error }) => {
                let overlay = tried.overlays.remove(index);
                let seen = |seen: &spec::overlay::Seen| place(component, seen);
                broken.push(Broken {
                    defined: overlay.at.to_string(),
                    kind: overlay.kind.as_str(),
                    problem: error.failure.problem.to_string(),
                    nearest: error.failure.nearest.as_ref().map(seen).filter(|place| !place.is_empty()),
                    already: error.failure.already.as_ref().map(seen),
                });
            }
            Err(error) => return Err(rendering::explain(component, &error)),
        }
    }
}

/// Lock files that belong to no component.
fn orphans(distro: &Distro) -> Result<Vec<PathBuf>, Failure> {
    let folder = &distro.project.lock_dir;
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut known: BTreeSet<&Path> =
        distro.components.values().map(|component| component.lock_file.as_path()).collect();
    let shared = SharedLock::path(distro);
    known.insert(&shared);
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "lock") && !known.contains(path.as_path()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Writes all files beside where they belong, and then moves all there.
fn write_all(locks: &[(PathBuf, String)]) -> Result<(), Failure> {
    for (path, text) in locks {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(path.with_extension("lock.new"), text)?;
    }
    for (path, _) in locks {
        fs_err::rename(path.with_extension("lock.new"), path)?;
    }
    Ok(())
}

fn show(
    rows: &[Row],
    orphans: &[PathBuf],
    differences: &[(String, Option<String>, Option<String>)],
    locks: &[(PathBuf, String)],
    is_written: bool,
    context: &Context,
) {
    let written: Vec<&PathBuf> = locks.iter().filter(|_| is_written).map(|(path, _)| path).collect();
    if context.ui.json {
        let shared: Vec<_> = differences
            .iter()
            .map(|(name, before, now)| serde_json::json!({ "input": name, "before": before, "now": now }))
            .collect();
        context.ui.json(&serde_json::json!({
            "components": rows, "shared": shared, "orphans": orphans, "written": written,
        }));
        return;
    }
    let mut table =
        Table::new(&["component", "state", "locked", "newest", "version", "commits", "sources", "overlays"]);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.state).or_default() += 1;
        if row.state == "current" && rows.len() > 1 {
            continue;
        }
        let version = match (&row.old_version, &row.new_version) {
            (Some(old), Some(new)) if old != new => format!("{old} -> {new}"),
            (_, new) => new.clone().unwrap_or_default(),
        };
        let sources = match row.sources_added.len() + row.sources_removed.len() {
            0 => "same".to_owned(),
            _ => format!("+{} -{}", row.sources_added.len(), row.sources_removed.len()),
        };
        let overlays =
            if row.overlays.is_empty() { "fit".to_owned() } else { format!("{} do not fit", row.overlays.len()) };
        let cells = [short(row.locked.as_ref()), short(row.newest.as_ref()), version, row.commits.len().to_string()];
        let cells = [row.component.clone(), row.state.to_owned()].into_iter().chain(cells).chain([sources, overlays]);
        table.row(cells);
    }
    context.ui.data(&table.text());
    for row in rows {
        for line in details(row) {
            context.ui.data(&line);
        }
    }
    for (name, before, now) in differences {
        let how = match (before, now) {
            (None, _) => "is not locked yet",
            (_, None) => "is locked, and no longer there",
            _ => "is not as it was locked",
        };
        context.ui.data(&format!("distribution.lock: {name} {how}"));
    }
    for path in orphans {
        context.ui.data(&format!("`{}` is nobody's lock", path.display()));
    }
    let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let wrote = if is_written { format!("; wrote {} locks", written.len()) } else { String::new() };
    context.ui.note(&format!("{}{wrote}", counts.join(", ")));
}

fn details(row: &Row) -> Vec<String> {
    let mut lines: Vec<String> =
        row.note.iter().filter(|_| row.failure.is_none()).map(|note| format!("  {note}")).collect();
    for step in row.commits.iter().take(SHOWN) {
        lines.push(format!("  {}  {}: {}", short(Some(&step.commit)), step.author, step.subject));
    }
    if row.commits.len() > SHOWN {
        lines.push(format!("  and {} commits more", row.commits.len() - SHOWN));
    }
    if !row.cves.is_empty() {
        lines.push(format!("  names     {}", row.cves.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    lines.extend(row.sources_removed.iter().map(|line| format!("  source    - {line}")));
    lines.extend(row.sources_added.iter().map(|line| format!("  source    + {line}")));
    for broken in &row.overlays {
        lines.push(format!("  overlay   {} ({}): {}", broken.defined, broken.kind, broken.problem));
        lines.extend(broken.nearest.iter().map(|nearest| format!("    nearest {nearest}")));
        lines.extend(broken.already.iter().map(|already| format!("    already upstream {already}")));
    }
    if !lines.is_empty() {
        lines.insert(0, row.component.clone());
    }
    lines
}

fn short(commit: Option<&String>) -> String {
    commit.map(|commit| commit.chars().take(12).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cves_are_found_where_they_are_whole() {
        let found = cves("fixes CVE-2026-1234, CVE-2025-123456.patch; CVE-26-1 CVE-2026-12 CVE-");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["CVE-2025-123456", "CVE-2026-1234"]);
    }
}
