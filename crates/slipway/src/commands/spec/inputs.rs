use std::path::{Path, PathBuf};

use clap::Args;

use crate::context::Context;
use crate::explain::Failure;

/// Which specs.
#[derive(Args)]
pub(crate) struct Inputs {
    /// Spec files, and folders of which every `*.spec` counts, those in inner folders too. If not said: the specs of the definition.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What a spec is evaluated with.
#[derive(Args, Clone)]
pub(crate) struct Macros {
    /// A macro file; a folder of them; rpm's own folder (`/usr/lib/rpm`); or a root directory that has one. May be said several times; later files win. If not said: the macro files of the definition.
    #[arg(long, value_name = "PATH")]
    pub(super) macros: Vec<PathBuf>,
    /// Collect the macro files that the packages of this tree of specs install.
    #[arg(long, value_name = "TREE")]
    pub(super) macros_from: Option<PathBuf>,
    /// Define a macro; it wins over all files.
    #[arg(short = 'D', long, value_name = "'NAME VALUE'")]
    pub(super) define: Vec<String>,
    /// Turn a build condition on.
    #[arg(long, value_name = "NAME")]
    pub(super) with: Vec<String>,
    /// Turn a build condition off.
    #[arg(long, value_name = "NAME")]
    pub(super) without: Vec<String>,
    /// The architecture that packages are made for; `x86_64` if not said.
    #[arg(long, value_name = "ARCH")]
    pub(super) target: Option<String>,
    /// `%{_sourcedir}`; each spec's own folder if not said. Specs can read the files in it, and no others.
    #[arg(long, value_name = "DIR")]
    pub(super) source_dir: Option<PathBuf>,
    /// Who answers the commands of `%(..)`: `builtin` refuses what asks the machine; `bare-root` answers as a root does that has
    /// only a shell, its text tools and the macro files; `answers=FILE` does so, too, with the output of some commands from a JSON
    /// object. The latter two leave out what cannot be known, and say so.
    #[arg(long, value_name = "SHELL", default_value = "builtin", conflicts_with = "run_shell_commands")]
    pub(super) shell: ShellChoice,
    /// Run the commands of `%(..)` with this machine's `/bin/sh`, as you, where Slipway's own shell refuses to answer. Only for specs that you trust.
    #[arg(long)]
    pub(super) run_shell_commands: bool,
}

/// Who answers `%(..)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShellChoice {
    Builtin,
    BareRoot,
    /// A bare root with some commands' output.
    Answers(PathBuf),
}

impl std::str::FromStr for ShellChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<ShellChoice, String> {
        match (text, text.strip_prefix("answers=")) {
            ("builtin", _) => Ok(ShellChoice::Builtin),
            ("bare-root", _) => Ok(ShellChoice::BareRoot),
            (_, Some(file)) if !file.is_empty() => Ok(ShellChoice::Answers(PathBuf::from(file))),
            _ => Err("it is one of `builtin`, `bare-root` and `answers=FILE`".to_owned()),
        }
    }
}

/// A spec that is to be looked at.
pub(crate) struct SpecFile {
    pub(super) path: PathBuf,
}

impl SpecFile {
    /// As messages and answers name it.
    pub(super) fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Its text; bytes that are not UTF-8 are replaced, as old changelogs have them.
    pub(super) fn text(&self) -> std::io::Result<String> {
        Ok(match String::from_utf8(fs_err::read(&self.path)?) {
            Ok(text) => text,
            Err(odd) => String::from_utf8_lossy(odd.as_bytes()).into_owned(),
        })
    }
}

impl Inputs {
    /// Whether nothing was named.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// The specs, sorted within each folder.
    pub(super) fn specs(&self, context: &Context) -> Result<Vec<SpecFile>, Failure> {
        let mut found = Vec::new();
        if self.paths.is_empty() {
            let distro = context.distro()?;
            found.extend(distro.components.values().map(|component| component.spec.path().to_owned()));
        }
        for path in &self.paths {
            if path.is_dir() {
                let mut inside = Vec::new();
                walk(path, &mut |file| {
                    if file.extension().is_some_and(|extension| extension == "spec") {
                        inside.push(file);
                    }
                })?;
                inside.sort();
                found.extend(inside);
            } else if path.is_file() {
                found.push(path.clone());
            } else {
                return Err(Failure::usage(format!("there is no file or folder `{}`", path.display())));
            }
        }
        if found.is_empty() {
            return Err(
                Failure::usage("no spec is there").hint("name a file that ends in `.spec`, or a folder with some")
            );
        }
        Ok(found.into_iter().map(|path| SpecFile { path }).collect())
    }
}

/// Folders inside one another that are looked into; links to folders are not followed.
const DEPTH: u32 = 32;

/// Hands every file below a folder to `take`, in no particular order. Hidden folders, as `.git`, are left out.
pub(super) fn walk(folder: &Path, take: &mut dyn FnMut(PathBuf)) -> Result<(), Failure> {
    fn inner(folder: &Path, depth: u32, take: &mut dyn FnMut(PathBuf)) -> std::io::Result<()> {
        if depth == 0 {
            return Ok(());
        }
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                inner(&entry.path(), depth - 1, take)?;
            } else if !kind.is_dir() {
                take(entry.path());
            }
        }
        Ok(())
    }
    Ok(inner(folder, DEPTH, take)?)
}
