use clap::Args;
use distro::{Lock, LockedSource};

use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;

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
    let arch = pipeline::arch();
    let mut changed = Vec::new();
    for name in &arguments.names {
        let Some(component) = distro.components.get(name) else {
            let failure = Failure::usage(format!("there is no component `{name}`"));
            return Err(match distro::nearest(name, distro.components.keys().map(String::as_str)) {
                Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                None => failure,
            });
        };
        let Some(path) = component.source_files.first().map(|file| file.lock.clone()) else {
            context.ui.note(&format!("{name} has no source files to lock"));
            continue;
        };
        // What is pinned beside the sources stays; a lock that does not read is written anew.
        let mut lock = Lock { sources: Vec::new(), ..Lock::read(&path).unwrap_or_default() };
        for file in component.source_files.iter().filter(|file| file.origin != distro::FileOrigin::Overlay) {
            let origin = pipeline::origin_of(file)?;
            let suite = file.origin.suite().unwrap_or(&distro.stage0.suite);
            let archive = build::sources::Archive { suite, arch: &arch };
            let pin = build::sources::pin(&file.file_name, &origin, archive, &context.host, &store)?;
            lock.sources.push(LockedSource {
                file_name: pin.file_name,
                sha512: pin.sha512,
                size: pin.size,
                origin_version: Some(pin.origin_version).filter(|version| !version.is_empty()),
            });
        }
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
