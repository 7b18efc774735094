use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::Subcommand;

use crate::commands::build::build_components;
use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;

/// Publish and look at repositories
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Publish all components as a signed, immutable snapshot
    ///
    /// What is not built yet is built first. The snapshot becomes visible in one step, and earlier ones stay as they are.
    #[command(after_help = "Example: slipway repo publish --key release.asc")]
    Publish {
        /// The secret OpenPGP key that signs; a key for development is made in `~/.config/slipway/keys` if not said.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Serve the published repository over HTTP until Ctrl-C
    ///
    /// For tests and small networks: read-only, without encryption. `current` in the address is the newest snapshot.
    #[command(after_help = "Example: slipway repo serve --listen 127.0.0.1:8000")]
    Serve {
        /// Address and port; only this machine sees the default.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
        listen: SocketAddr,
        /// What is served; the published repository if not said.
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Answer one connection on standard input and output: what a machine of `slipway boot` is connected to
    #[command(hide = true, after_help = "Example: slipway repo answer out/repository < REQUEST")]
    Answer {
        /// What is served.
        folder: PathBuf,
    },
}

/// How long a connection may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections that are answered at once; more wait.
const CONNECTIONS_MAX: usize = 64;

pub(crate) fn run(command: &Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Publish { key } => publish(key.as_deref(), context),
        Command::Serve { listen, folder } => {
            let folder = match folder {
                Some(folder) => folder.clone(),
                None => pipeline::published(context)?,
            };
            serve(*listen, &folder, context)
        }
        Command::Answer { folder } => {
            // Whoever asked sees what went wrong; standard error may be the same connection.
            let _ = publish::serve(folder, std::io::stdin().lock(), std::io::stdout().lock());
            Ok(())
        }
    }
}

/// Answers connections, a thread for each.
fn serve(listen: SocketAddr, folder: &Path, context: &Context) -> Result<(), Failure> {
    if !folder.is_dir() {
        return Err(Failure::usage(format!("`{}` is no folder", folder.display())));
    }
    let listener = TcpListener::bind(listen)
        .map_err(|error| Failure::environment(format!("nobody can be served at {listen}: {error}")))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    context.ui.note(&format!("serving `{}` at http://{address}/", folder.display()));
    let running = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        while !context.host.interrupted() {
            let accepted = match running.load(Ordering::Acquire) < CONNECTIONS_MAX {
                true => listener.accept(),
                false => Err(std::io::ErrorKind::WouldBlock.into()),
            };
            match accepted {
                Ok((stream, _)) => {
                    running.fetch_add(1, Ordering::AcqRel);
                    let running = &running;
                    scope.spawn(move || {
                        connection(&stream, folder, context);
                        running.fetch_sub(1, Ordering::AcqRel);
                    });
                }
                // Nobody is there, or it hung up meanwhile.
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    });
    Ok(())
}

fn connection(stream: &TcpStream, folder: &Path, context: &Context) {
    let limits = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(PATIENCE)));
    let answered = limits
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .and_then(|()| publish::serve(folder, stream, stream));
    let Ok(publish::Answered { method, path, status, bytes }) = answered else { return };
    match context.ui.json {
        true => {
            context.ui.json(&serde_json::json!({ "method": method, "path": path, "status": status, "bytes": bytes }));
        }
        false => context.ui.data(&format!("{method} {} {status} {bytes}", path.escape_debug())),
    }
}

fn publish(key: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let key = pipeline::signing_key(key, &distro, context)?;
    let built = build_components(&distro, &[], None, false, context)?;
    let store = context.store()?;
    let snapshot = pipeline::publish(&built, &distro, &key, context, &store)?;
    if context.ui.json {
        let packages = snapshot.packages.iter().map(|package| {
            serde_json::json!({ "nevra": package.nevra.to_string(), "location": package.location, "digest": package.digest })
        });
        context.ui.json(&serde_json::json!({
            "snapshot": snapshot.id, "folder": snapshot.folder, "current": snapshot.current, "new": snapshot.is_new,
            "packages": packages.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    let how = if snapshot.is_new { "published" } else { "there already" };
    context.ui.note(&format!("snapshot {} {how}: {} packages", snapshot.id.short(), snapshot.packages.len()));
    context.ui.data(&snapshot.current.display().to_string());
    Ok(())
}
