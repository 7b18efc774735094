use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Args;
use distro::{Component, Distro};

use crate::context::Context;
use crate::distgit;
use crate::explain::Failure;
use crate::rendering::{self, Renderer};

/// Write the specs of components with all overlays applied, or check that they are written
#[derive(Args)]
#[command(after_help = "Example: slipway component render --all --check")]
pub(crate) struct Arguments {
    /// The components.
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// All components.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Write nothing, and fail where what is written is not what it should be.
    #[arg(long)]
    check: bool,
}

/// What was done with a component.
enum Done {
    Unchanged,
    Written(Vec<String>),
    Differs(Vec<String>),
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let distro = distro::load(&context.definition()?, distro::Locks::Optional)?;
    let mut components = choose(&distro, &arguments.names)?;
    if arguments.all && distro.project.rendered_specs_dir.is_some() {
        components.retain(|component| component.rendered.is_some());
    }
    report(render(&distro, &components, arguments.check, context)?, context)
}

/// Refuses to build what was rendered before its overlays or its upstream changed. Only where upstream is on this machine: a build does
/// not ask the network for it.
pub(crate) fn refuse_stale<'n>(names: impl Iterator<Item = &'n str>, context: &Context) -> Result<(), Failure> {
    let distro = distro::load(&context.definition()?, distro::Locks::Optional)?;
    let components: Vec<&Component> = names
        .filter_map(|name| distro.components.get(name))
        .filter(|component| distgit::is_at_hand(&distro, component))
        .collect();
    if components.is_empty() {
        return Ok(());
    }
    for done in render(&distro, &components, true, context)?.into_values() {
        if let Done::Differs(files) = done? {
            return Err(stale(&files));
        }
    }
    Ok(())
}

/// Renders one component and writes it.
pub(crate) fn write(name: &str, context: &Context) -> Result<(), Failure> {
    let distro = distro::load(&context.definition()?, distro::Locks::Optional)?;
    let components = choose(&distro, &[name.to_owned()])?;
    render(&distro, &components, false, context)?.into_values().try_for_each(|done| done.map(|_| ()))
}

/// Renders components, several at once; or says what would be written.
fn render(
    distro: &Distro,
    components: &[&Component],
    check: bool,
    context: &Context,
) -> Result<BTreeMap<String, Result<Done, Failure>>, Failure> {
    let store = context.store()?;
    let renderer = Renderer::new(distro, &context.host, store.area("git")?)?;
    // What was rendered last: inputs and result, so that neither has to be made again.
    let definition = std::path::absolute(&distro.file)?;
    let record = store.area("rendered")?.join(pkg::Digest::of(definition.to_string_lossy().as_bytes()).hex());
    let known = read_record(&record);
    let fresh: Mutex<BTreeMap<String, String>> = Mutex::default();
    let pending: Mutex<BTreeSet<String>> = Mutex::default();
    let results: Mutex<BTreeMap<String, Result<Done, Failure>>> = Mutex::default();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..context.host.cores().max(1) {
            scope.spawn(|| {
                while let Some(component) = components.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = one(component, &renderer, check, &known, &fresh, &pending);
                    if let Ok(mut results) = results.lock() {
                        results.insert(component.name.clone(), done);
                    }
                }
            });
        }
    });
    let fresh = fresh.into_inner().unwrap_or_default();
    if !fresh.is_empty() {
        let mut record_text = known;
        record_text.extend(fresh);
        record_text.retain(|name, _| distro.components.contains_key(name));
        let lines: String = record_text.iter().map(|(name, fact)| format!("{name} {fact}\n")).collect();
        // Another one may write it too; the later one counts, and what it does not know is found out again.
        let temporary = record.with_extension(format!("new{}", std::process::id()));
        fs_err::write(&temporary, lines)?;
        fs_err::rename(&temporary, &record)?;
    }
    let pending = pending.into_inner().unwrap_or_default();
    if let Some(first) = pending.first() {
        let others = if pending.len() > 1 { format!(" and {} more", pending.len() - 1) } else { String::new() };
        context.ui.note(&format!(
            "the lock of `{first}`{others} is not committed: its change counts in release and changelog once it is"
        ));
    }
    Ok(results.into_inner().unwrap_or_default())
}

fn stale(files: &[String]) -> Failure {
    let message = format!("what is rendered is not what the definition says\n  {}", files.join("\n  "));
    Failure::work(message).hint("`slipway component render --all` writes it; commit the result")
}

pub(crate) fn choose<'d>(distro: &'d Distro, names: &[String]) -> Result<Vec<&'d Component>, Failure> {
    if names.is_empty() {
        return Ok(distro.components.values().collect());
    }
    names
        .iter()
        .map(|name| {
            distro.components.get(name).ok_or_else(|| {
                let failure = Failure::usage(format!("there is no component `{name}`"));
                match distro::nearest(name, distro.components.keys().map(String::as_str)) {
                    Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                    None => failure,
                }
            })
        })
        .collect()
}

fn one(
    component: &Component,
    renderer: &Renderer<'_>,
    check: bool,
    known: &BTreeMap<String, String>,
    fresh: &Mutex<BTreeMap<String, String>>,
    pending: &Mutex<BTreeSet<String>>,
) -> Result<Done, Failure> {
    let target = renderer.target(component)?;
    let local = renderer.local(component)?;
    if local.is_pending
        && let Ok(mut pending) = pending.lock()
    {
        pending.insert(component.name.clone());
    }
    let key = renderer.key(component, &local)?;
    let there = if target.is_dir() { rendering::read_folder(&target)? } else { BTreeMap::new() };
    let fact = format!("{key} {}", rendering::digest(&there));
    if known.get(&component.name) == Some(&fact) {
        return Ok(Done::Unchanged);
    }
    let upstream = renderer.upstream(component)?;
    let files = rendering::all_files(&renderer.render(component, &upstream, &local)?.folder);
    let differing = difference(&target, &there, &files);
    if !differing.is_empty() && check {
        return Ok(Done::Differs(differing));
    }
    if !differing.is_empty() {
        rendering::write_folder(&target, &files)?;
    }
    if let Ok(mut fresh) = fresh.lock() {
        fresh.insert(component.name.clone(), format!("{key} {}", rendering::digest(&files)));
    }
    Ok(if differing.is_empty() { Done::Unchanged } else { Done::Written(differing) })
}

/// The files that are missing, too many, or other than they should be.
fn difference(target: &Path, there: &BTreeMap<String, Vec<u8>>, wanted: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut differing = Vec::new();
    for (name, content) in wanted {
        match there.get(name) {
            None => differing.push(format!("{} is missing", target.join(name).display())),
            Some(stands) if stands != content => {
                let line = first_difference(stands, content);
                differing.push(format!("{}:{line} differs", target.join(name).display()));
            }
            Some(_) => {}
        }
    }
    let surplus = there.keys().filter(|name| !wanted.contains_key(*name));
    differing.extend(surplus.map(|name| format!("{} is there and should not be", target.join(name).display())));
    differing
}

fn first_difference(left: &[u8], right: &[u8]) -> usize {
    let same = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    1 + left[..same].iter().filter(|byte| **byte == b'\n').count()
}

/// Failures that are shown whole: those of a whole tree are mostly the same.
const SHOWN: usize = 20;

fn report(results: BTreeMap<String, Result<Done, Failure>>, context: &Context) -> Result<(), Failure> {
    let (mut rows, mut unchanged, mut written, mut differing, mut failures) =
        (Vec::new(), 0, 0, Vec::new(), Vec::new());
    for (name, done) in results {
        let (state, files) = match done {
            Ok(Done::Unchanged) => {
                unchanged += 1;
                ("unchanged", Vec::new())
            }
            Ok(Done::Written(files)) => {
                written += 1;
                ("written", files)
            }
            Ok(Done::Differs(files)) => {
                differing.extend(files.iter().cloned());
                ("differs", files)
            }
            Err(failure) => {
                failures.push(failure);
                ("failed", Vec::new())
            }
        };
        rows.push(serde_json::json!({ "component": name, "state": state, "files": files }));
    }
    if context.ui.json {
        context.ui.json(&rows);
    } else if failures.is_empty() && differing.is_empty() {
        context.ui.data(&format!("{unchanged} unchanged, {written} written"));
    }
    if let Some(first) = failures.first() {
        let code = first.code;
        let text: Vec<String> = failures.iter().take(SHOWN).map(ToString::to_string).collect();
        let more = match failures.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!("\n\nerror: {more} more components could not be rendered; name them to see why"),
        };
        return Err(Failure::work(text.join("\n\nerror: ") + &more).with_code(code));
    }
    if !differing.is_empty() {
        return Err(stale(&differing));
    }
    Ok(())
}

/// One line a component: its name, the digest of its inputs, the digest of the result. A record that cannot be read is none.
fn read_record(path: &Path) -> BTreeMap<String, String> {
    let text = fs_err::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, fact)| (name.to_owned(), fact.to_owned()))
        .collect()
}
