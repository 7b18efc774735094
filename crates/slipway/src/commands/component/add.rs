use std::path::{Path, PathBuf};

use clap::Args;
use distro::{Distro, SpecSource};
use host::{Cmd, Tool};

use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Answer, Remember};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The component.
    name: String,
    /// A repository of git with a spec: a path or an address. Its files are copied beside the definition of the component.
    #[arg(long, value_name = "REPOSITORY", conflicts_with = "template")]
    from: Option<String>,
    /// Start from a spec of Slipway's own, even where the definition names an upstream.
    #[arg(long)]
    template: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let name = &arguments.name;
    let distro = context.distro()?;
    if let Some(there) = distro.components.get(name) {
        return Err(Failure::usage(format!("there is a component `{name}` already\n  --> {}", there.at)));
    }
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte));
    if !is_name {
        return Err(Failure::usage(format!("`{name}` is no name of a package"))
            .hint("letters, digits, `-`, `.`, `_` and `+`, with a letter or digit first"));
    }
    let file = place(&distro, name);
    let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
    if folder.exists() {
        return Err(Failure::work(format!("the folder `{}` is there already", folder.display()))
            .hint("remove it, or write the component into it by hand"));
    }
    let made = write(arguments, &distro, &file, &folder, context).and_then(|()| sound(name, &file, context));
    if let Err(failure) = made {
        let _ = host::remove_tree(&folder);
        return Err(failure);
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs_err::read_dir(&folder)? {
        files.push(entry?.path());
    }
    files.sort();
    if context.ui.json {
        context.ui.json(&serde_json::json!({ "component": name, "files": files }));
    } else {
        files.iter().for_each(|file| context.ui.data(&format!("wrote {}", file.display())));
        context.ui.note(&format!("`slipway check` accepts it; see `slipway component show {name}`"));
    }
    Ok(())
}

/// The file of a new component, laid out as those that are there: a folder each, under the same names.
fn place(distro: &Distro, name: &str) -> PathBuf {
    let folder_of = |component: &distro::Component| -> Option<(PathBuf, String)> {
        let file = &component.at.file;
        let own = file.parent()?;
        let pattern = file.file_name()?.to_str()?.replace(&component.name, "*");
        (own.file_name()?.to_str()? == component.name).then(|| Some((own.parent()?.to_owned(), pattern)))?
    };
    let mut layouts = std::collections::BTreeMap::<(PathBuf, String), usize>::new();
    for layout in distro.components.values().filter_map(folder_of) {
        *layouts.entry(layout).or_default() += 1;
    }
    let usual = layouts.into_iter().max_by_key(|(_, uses)| *uses).map(|(layout, _)| layout);
    let (parent, pattern) = usual
        .unwrap_or_else(|| (distro.file.parent().unwrap_or(Path::new("")).join("components"), "comp.toml".to_owned()));
    parent.join(name).join(pattern.replace('*', name))
}

/// Whether components inherit where their specs come from, so that a name is all that a new one needs.
fn inherits_upstream(distro: &Distro) -> bool {
    distro.inherited().iter().any(|saying| saying.key == "spec.upstream-distro.name")
}

fn write(arguments: &Arguments, distro: &Distro, file: &Path, folder: &Path, context: &Context) -> Result<(), Failure> {
    let name = &arguments.name;
    fs_err::create_dir_all(folder)?;
    let key = if name.contains(['.', '+']) { format!("\"{name}\"") } else { name.clone() };
    if let Some(from) = &arguments.from {
        let sources = import(name, from, distro, folder, context)?;
        let spec = format!("[components.{key}]\nspec = {{ type = \"local\", path = \"{name}.spec\" }}\n{sources}");
        fs_err::write(file, spec)?;
    } else if !arguments.template && inherits_upstream(distro) {
        fs_err::write(file, format!("[components.{key}]\n"))?;
    } else {
        fs_err::write(file, format!("[components.{key}]\nspec = {{ type = \"local\", path = \"{name}.spec\" }}\n"))?;
        fs_err::write(folder.join(format!("{name}.spec")), template(name))?;
    }
    Ok(())
}

/// A spec that can be built as it is: a package with one file.
pub(crate) fn template(name: &str) -> String {
    format!(
        "Name:           {name}\nVersion:        0.1\nRelease:        1%{{?dist}}\nSummary:        What {name} is, in a line\n\
         License:        MIT\nURL:            https://example.org/{name}\nBuildArch:      noarch\n\n\
         %description\nWhat {name} is, in a few sentences.\n\n%prep\n\n%build\nprintf '%s\\n' '{name} %{{version}}' > README\n\n\
         %install\ninstall -D -p -m 0644 README %{{buildroot}}%{{_datadir}}/{name}/README\n\n%files\n%{{_datadir}}/{name}/\n"
    )
}

/// Copies the files of a repository of git beside the component, and returns its source files in TOML.
fn import(name: &str, from: &str, distro: &Distro, folder: &Path, context: &Context) -> Result<String, Failure> {
    if from.starts_with('-') {
        return Err(Failure::usage(format!("`{from}` is no repository of git")));
    }
    let store = context.store()?;
    let clone = store.temp_dir()?;
    let tree = clone.path().join("tree");
    let path = Path::new(from);
    let from = if path.is_dir() { std::path::absolute(path)?.to_string_lossy().into_owned() } else { from.to_owned() };
    context.host.check(&Cmd::new(Tool::Git).args(["clone", "--quiet", "--depth", "1", "--"]).arg(&from).arg(&tree))?;
    let wanted = format!("{name}.spec");
    if !tree.join(&wanted).is_file() {
        return Err(Failure::work(format!("the repository `{from}` has no `{wanted}`"))
            .hint("the spec has the name of the component"));
    }
    let mut sources = String::new();
    for entry in fs_err::read_dir(&tree)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some(text) = file.to_str() else { continue };
        if text.starts_with('.') || !entry.file_type()?.is_file() {
            continue;
        }
        if text == "sources" {
            sources = source_files(name, &fs_err::read_to_string(entry.path())?, distro);
        } else {
            fs_err::copy(entry.path(), folder.join(text))?;
        }
    }
    Ok(sources)
}

/// The lines of a `sources` file of dist-git as source files: `SHA512 (NAME) = HEX`.
fn source_files(component: &str, sources: &str, distro: &Distro) -> String {
    let lookaside = distro.distributions.values().find_map(|distribution| distribution.lookaside.as_ref());
    let mut text = String::new();
    for line in sources.lines() {
        let Some((kind, rest)) = line.split_once(" (") else { continue };
        let Some((file, hash)) = rest.split_once(") = ") else { continue };
        let Some(lookaside) = lookaside.filter(|_| matches!(kind, "SHA256" | "SHA512")) else { continue };
        let uri = lookaside
            .value
            .replace("$pkg", component)
            .replace("$filename", file)
            .replace("$hashtype", &kind.to_ascii_lowercase())
            .replace("$hash", hash);
        let key = if component.contains(['.', '+']) { format!("\"{component}\"") } else { component.to_owned() };
        text.push_str(&format!(
            "\n[[components.{key}.source-files]]\nfilename = \"{file}\"\nhash-type = \"{kind}\"\nhash = \"{hash}\"\n\
             origin = {{ type = \"download\", uri = \"{uri}\" }}\n"
        ));
    }
    text
}

/// Whether the definition is sound with the new component in it, and its spec can be evaluated.
fn sound(name: &str, file: &Path, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let Some(component) = distro.components.get(name) else {
        let message = format!("no file of the definition includes `{}`", file.display());
        return Err(
            Failure::definition(message).hint("add it to `includes` of the root file, as in `components/*/comp.toml`")
        );
    };
    if matches!(component.spec, SpecSource::Local { .. }) {
        let names = std::collections::BTreeSet::from([name.to_owned()]);
        let book = facts::gather(&distro, Some(&names), Remember::Use, context)?;
        if let Some(Answer::Failed(error)) = book.answers.get(name) {
            return Err(Failure::definition(error.clone()));
        }
    }
    Ok(())
}
