//! Errors as people see them: what is not so, where, the facts that disagree, and what to do.

use std::fmt;

use build::BuildError;
use plan::PlanError;

/// Why a command did not do its work. `code` is the exit code: 1 the work failed, 2 usage, 3 definition, 4 environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), hint: None }
    }

    pub(crate) fn work(message: impl Into<String>) -> Failure {
        Failure::new(1, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(2, message)
    }

    pub(crate) fn definition(message: impl Into<String>) -> Failure {
        Failure::new(3, message)
    }

    pub(crate) fn environment(message: impl Into<String>) -> Failure {
        Failure::new(4, message)
    }

    /// The user asked to stop: 130, as a shell says of a program that Ctrl-C ended.
    pub(crate) fn interrupted() -> Failure {
        Failure::new(130, "interrupted; what was finished stays, and the next run goes on from there")
    }

    pub(crate) fn with_code(self, code: u8) -> Failure {
        Failure { code, ..self }
    }

    /// The same, with the place that it is about before its first word.
    pub(crate) fn within(mut self, place: &str) -> Failure {
        self.message.insert_str(0, place);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        match host::is_full(&error) {
            true => full(&error.to_string()),
            false => Failure::environment(error.to_string()),
        }
    }
}

fn full(message: &str) -> Failure {
    Failure::environment(message)
        .hint("free some space, or let `slipway clean` do it; nothing half-written was kept, and the next run goes on from there")
}

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Failure {
        match &error {
            store::StoreError::Full { .. } => full(&error.to_string()),
            _ => Failure::environment(error.to_string()),
        }
    }
}

impl From<host::RunError> for Failure {
    fn from(error: host::RunError) -> Failure {
        match error {
            host::RunError::Interrupted { .. } => Failure::interrupted(),
            error => Failure::environment(error.to_string()),
        }
    }
}

impl From<distro::Diagnostics> for Failure {
    fn from(problems: distro::Diagnostics) -> Failure {
        Failure::definition(problems.to_string())
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Failure {
        let message = error.to_string();
        match error {
            PlanError::NoProvider { at, nearest, other_version, .. } => {
                let mut message = format!("{message}\n  --> {at}");
                if let Some(other) = other_version {
                    message.push_str(&format!("\n  there is  {other}"));
                }
                let failure = Failure::definition(message);
                match nearest {
                    Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                    None => failure
                        .hint("add a component that makes it, or name Debian packages for it in `[stage0.mapping]`"),
                }
            }
            PlanError::Cycle { links } => {
                let mut message = message;
                for link in &links {
                    message.push_str(&format!("\n  {:<16} needs {}  ({})", link.component, link.needs, link.at));
                }
                Failure::definition(message).hint(
                    "build one of them without the feature that needs the next, or map that need to a Debian package",
                )
            }
            PlanError::NoComponent { nearest, .. } => {
                let failure = Failure::usage(message);
                match nearest {
                    Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
                    None => failure.hint("`slipway component list` shows all"),
                }
            }
            PlanError::TwoMakers { .. } => Failure::definition(message),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Failure {
        let message = error.to_string();
        match error {
            BuildError::Failed { component, lines, log, .. } => {
                let mut message = message;
                for line in lines {
                    message.push_str(&format!("\n  | {line}"));
                }
                message.push_str(&format!("\n  the whole log is `{}`", log.display()));
                Failure::work(message)
                    .hint(format!("`slipway log {component}` shows the log, `slipway shell {component}` enters its root"))
            }
            BuildError::SourceDiffers { component, at, locked, locked_size, received, received_size, from, quarantine, .. } => {
                let size = locked_size.map(|size| format!("  {size} bytes")).unwrap_or_default();
                let from = from.map(|from| format!("\n  from      {from}")).unwrap_or_default();
                let message = format!(
                    "{message}\n  pinned    {locked}{size}  ({at})\n  received  {received}  {received_size} bytes, kept as `{}`{from}",
                    quarantine.display()
                );
                Failure::work(message).hint(format!(
                    "compare both, then accept with `slipway lock {component}`, or a new digest where it is pinned; until then `{component}` and all above it wait"
                ))
            }
            BuildError::SourceSignature { signature, key, at, quarantine, .. } => {
                let kept = quarantine.map(|kept| format!("\n  received  kept as `{}`", kept.display())).unwrap_or_default();
                Failure::work(format!(
                    "{message}\n  --> {at}\n  signature {signature}\n  keys      {}{kept}",
                    key.display()
                ))
                .hint("get signature and key from upstream again, over another way than the source")
            }
            BuildError::SourceKey { .. } | BuildError::Unpinned { .. } => Failure::definition(message),
            BuildError::Several(errors) => {
                let failures: Vec<Failure> = errors.into_iter().map(Failure::from).collect();
                let code = failures.first().map_or(1, |failure| failure.code);
                let texts: Vec<String> = failures.iter().map(ToString::to_string).collect();
                Failure::work(texts.join("\n\nerror: ")).with_code(code)
            }
            BuildError::SourceUnreachable { component, .. } => Failure::environment(message).hint(format!(
                "`slipway sources fetch {component}` tries again; `source-mirrors` in `[project]` names other places"
            )),
            BuildError::Transfer(error) => Failure::environment(error.to_string()),
            BuildError::NotInArchive { package, .. } => Failure::work(message)
                .hint(format!("the archive moved on: write the file that it has for `{package}` into the component's `filename` and spec, then `slipway lock NAME`")),
            BuildError::Interrupted => Failure::interrupted(),
            BuildError::Full { .. } => full(&message),
            BuildError::Store(error) => error.into(),
            BuildError::NoRoot(component) => Failure::usage(message)
                .hint(format!("a root is kept when a build fails; `slipway shell {component} --fresh` makes one as a build would find it")),
            BuildError::NoArchive { .. } | BuildError::Apt { .. } | BuildError::Run(_) | BuildError::Sandbox(_) | BuildError::Io(_) => {
                Failure::environment(message)
            }
            _ => Failure::work(message),
        }
    }
}

impl From<install::InstallError> for Failure {
    fn from(error: install::InstallError) -> Failure {
        match error {
            install::InstallError::Interrupted => Failure::interrupted(),
            install::InstallError::Store(error) => error.into(),
            install::InstallError::Io(error) => error.into(),
            error => Failure::work(error.to_string()),
        }
    }
}

impl From<image::ImageError> for Failure {
    fn from(error: image::ImageError) -> Failure {
        match error {
            image::ImageError::Install(error) => error.into(),
            image::ImageError::Store(error) => error.into(),
            image::ImageError::Io(error) => error.into(),
            image::ImageError::Definition { .. } => Failure::definition(error.to_string()),
            error => Failure::work(error.to_string()),
        }
    }
}

impl From<install::RepositoryError> for Failure {
    fn from(error: install::RepositoryError) -> Failure {
        let failure = Failure::work(error.to_string());
        match error {
            install::RepositoryError::Signature { .. } | install::RepositoryError::Differs { .. } => {
                failure.hint("somebody changed the repository; `slipway repo publish` publishes it anew")
            }
            _ => failure,
        }
    }
}

impl From<publish::PublishError> for Failure {
    fn from(error: publish::PublishError) -> Failure {
        match error {
            publish::PublishError::Store(error) => error.into(),
            error => Failure::work(error.to_string()),
        }
    }
}

impl From<sign::KeyError> for Failure {
    fn from(error: sign::KeyError) -> Failure {
        let failure = Failure::environment(error.to_string());
        match error {
            sign::KeyError::Readable { path, .. } => failure.hint(format!("chmod 600 {}", path.display())),
            _ => failure,
        }
    }
}
