use std::collections::BTreeMap;

use build::sources::{Access, SignedBy};
use clap::Args;
use distro::{Component, Distro, Lock, LockedSource};
use store::Store;

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;
use crate::sources::{self, Problem};

/// Pin the sources of components: fetch what the archive has now, and write digests into the lock files
#[derive(Args)]
#[command(after_help = "Example: slipway lock zlib")]
pub(crate) struct Arguments {
    /// The components.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    // A missing or outdated lock is what this command is for, and must not keep it from its work.
    let distro = distro::load(&context.definition()?, distro::Locks::Ignored)?;
    let store = context.store()?;
    let mut changed = Vec::new();
    for name in &arguments.names {
        let Some(component) = distro.components.get(name) else {
            let failure = Failure::usage(format!("there is no component `{name}`"));
            return Err(match distro::nearest(name, distro.components.keys().map(String::as_str)) {
                Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                None => failure,
            });
        };
        let mut files = component.source_files.iter().filter(|file| file.origin != distro::FileOrigin::Program);
        let Some(path) = files.next().map(|file| file.lock.clone()) else {
            context.ui.note(&format!("{name} has no source files to lock"));
            continue;
        };
        // What it says beside the sources stays; one that cannot be read is not written over.
        let before = Lock::read(&path)?;
        let lock = Lock { sources: pin_all(component, &distro, context, &store)?, ..before };
        let text = lock.to_toml();
        let before = fs_err::read_to_string(&path).unwrap_or_default();
        if before == text {
            context.ui.note(&format!("{name}: `{}` is up to date", path.display()));
            continue;
        }
        let temporary = path.with_extension("lock.new");
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(&temporary, text)?;
        fs_err::rename(&temporary, &path)?;
        context.ui.note(&format!("{name}: wrote `{}`", path.display()));
        changed.push(serde_json::json!({ "component": name, "lock": path, "sources": lock.sources }));
    }
    if context.ui.json {
        context.ui.json(&changed);
    }
    Ok(())
}

/// Fetches what the definition names for a component. Nothing is written before all of it is there and, where the definition
/// says so, signed.
fn pin_all(
    component: &Component,
    distro: &Distro,
    context: &Context,
    store: &Store,
) -> Result<Vec<LockedSource>, Failure> {
    let (wanted, _) = sources::of(component, distro)?;
    let (arch, manner) = (pipeline::arch(), sources::manner());
    let mut pins: BTreeMap<String, build::sources::Pin> = BTreeMap::new();
    // Signatures come first.
    let (signed, plain): (Vec<_>, Vec<_>) =
        wanted.iter().filter(|wanted| wanted.lock.is_some()).partition(|wanted| wanted.source.signature.is_some());
    for wanted in plain.into_iter().chain(signed) {
        if let Some(Problem::Refused(..) | Problem::Differs(_)) = &wanted.problem
            && let Some((problem, hint)) = wanted.explain()
        {
            return Err(Failure::definition(format!("{problem}\n  --> {}", wanted.at)).hint(hint));
        }
        let suite = wanted.suite.as_deref().unwrap_or(&distro.stage0.suite);
        let access = Access { suite, arch: &arch, parallel: sources::PARALLEL, manner: &manner };
        let signed = match &wanted.source.signature {
            None => None,
            Some(signature) => {
                let object = match &signature.by {
                    SignedBy::Source(name) => match pins.get(name) {
                        Some(pin) => Some(pin.digest),
                        None => listed(name, component, distro, &access, context, store)?,
                    },
                    SignedBy::File(_) => None,
                };
                Some(signature.load(object.as_ref(), store)?)
            }
        };
        let pin = build::sources::pin(&wanted.source, signed.as_ref(), &access, &context.host, store)?;
        pins.insert(pin.file_name.clone(), pin);
    }
    let in_order = component.source_files.iter().filter_map(|file| pins.remove(&file.file_name));
    let locked = in_order.map(|pin| LockedSource {
        file_name: pin.file_name,
        sha512: pin.sha512,
        size: pin.size,
        origin_version: Some(pin.origin_version).filter(|version| !version.is_empty()),
    });
    Ok(locked.collect())
}

/// A source of the file `sources` that is the signature of another one.
fn listed(
    name: &str,
    component: &Component,
    distro: &Distro,
    access: &Access<'_>,
    context: &Context,
    store: &Store,
) -> Result<Option<pkg::Digest>, Failure> {
    let (wanted, _) = sources::of(component, distro)?;
    let Some(wanted) = wanted.into_iter().find(|wanted| wanted.source.file_name == name) else { return Ok(None) };
    let fetched = build::sources::fetch(&[wanted.source], access, &context.host, store, &build::Silent)?;
    Ok(fetched.into_iter().next())
}
