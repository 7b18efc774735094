use std::path::{Path, PathBuf};

use clap::Args;
use distro::{Distro, SpecSource};
use host::{Cmd, Tool};

use crate::commands::component_render;
use crate::context::Context;
use crate::distgit::{self, DistGit, Mirror};
use crate::explain::Failure;
use crate::facts::{self, Answer, Remember};
use crate::rendering::Renderer;

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
    let added = match made {
        Ok(added) => added,
        Err(failure) => {
            let _ = host::remove_tree(&folder);
            return Err(failure);
        }
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in std::iter::once(&folder).chain(&added.rendered) {
        for entry in fs_err::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.sort();
    if context.ui.json {
        context.ui.json(
            &serde_json::json!({ "component": name, "files": files, "rendered": !added.waits, "missing": added.missing }),
        );
        return Ok(());
    }
    files.iter().for_each(|file| context.ui.data(&format!("wrote {}", file.display())));
    for file in &added.missing {
        context.ui.note(&format!(
            "nothing says where `{file}` comes from, which the spec names: write `[[components.{name}.source-files]]`"
        ));
    }
    context.ui.note(&match added.waits {
        true => format!("next: `slipway component render {name}`, which fetches it from upstream"),
        false => format!("`slipway check` accepts it; see `slipway component show {name}`"),
    });
    Ok(())
}

/// What came of a new component.
#[derive(Default)]
struct Added {
    /// The rendered folder, if it was written.
    rendered: Option<PathBuf>,
    /// Upstream is not on this machine: rendering would fetch it.
    waits: bool,
    /// Files that the spec names and that nobody has.
    missing: Vec<String>,
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
    let inherited = distro.inherited();
    let says = |key: &str| inherited.iter().any(|saying| saying.key == key);
    let is_local = inherited.iter().any(|saying| saying.key == "spec.type" && saying.value.contains("local"));
    says("spec.upstream-distro.name") && says("spec.type") && !is_local
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
    } else if !arguments.template && is_in_dist_git(name, distro) {
        fs_err::write(file, format!("[components.{key}]\nspec = {{ type = \"upstream\" }}\n"))?;
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

/// Whether the distribution that specs are taken from has the package, in a dist-git that is on this machine.
fn is_in_dist_git(name: &str, distro: &Distro) -> bool {
    let inherited = distro.inherited();
    let named = inherited.iter().rfind(|saying| saying.key == "spec.upstream-distro.name");
    let Some(upstream) = named.and_then(|saying| distro.distributions.get(saying.value.trim_matches('"'))) else {
        return false;
    };
    let address = upstream.dist_git.as_ref().map(|address| address.value.replace("$pkg", name));
    address.is_some_and(|address| {
        distgit::is_path(&address) && Path::new(address.strip_prefix("file://").unwrap_or(&address)).exists()
    })
}

/// Copies the files of a repository of git beside the component, and returns its source files in TOML. A release and a changelog that
/// follow from the history are written down, as they are at its last commit.
fn import(name: &str, from: &str, distro: &Distro, folder: &Path, context: &Context) -> Result<String, Failure> {
    if from.starts_with('-') {
        return Err(Failure::usage(format!("`{from}` is no repository of git")));
    }
    let store = context.store()?;
    let clone = store.temp_dir()?;
    let tree = clone.path().join("tree");
    let address = if Path::new(from).exists() {
        from.to_owned()
    } else {
        context.host.check(&Cmd::new(Tool::Git).args(["clone", "--quiet", "--bare", "--", from]).arg(&tree))?;
        tree.to_string_lossy().into_owned()
    };
    let mirrors = store.area("git")?;
    let repository = DistGit::open(&address, name, &mirrors, Mirror::AsItIs, &context.host)?;
    let commit = repository.resolve(None, None, None)?;
    let wanted = format!("{name}.spec");
    let mut sources = String::new();
    let mut has_spec = false;
    for (file, bytes) in repository.files(&commit)? {
        if file.starts_with('.') || file.contains('/') {
            continue;
        }
        if file == "sources" {
            sources = source_files(name, &String::from_utf8_lossy(&bytes), distro);
        } else if file == wanted {
            has_spec = true;
            let renderer = Renderer::new(distro, &context.host, mirrors.clone())?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Failure::definition(format!("`{wanted}` of `{from}` is not UTF-8")))?;
            fs_err::write(folder.join(&file), renderer.released(text, &repository, &commit, &wanted)?)?;
        } else {
            fs_err::write(folder.join(&file), bytes)?;
        }
    }
    if !has_spec {
        return Err(Failure::work(format!("the repository `{from}` has no `{wanted}`"))
            .hint("the spec has the name of the component"));
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

/// Whether the definition is sound with the new component in it, and its spec can be evaluated. One from upstream is rendered for that.
fn sound(name: &str, file: &Path, context: &Context) -> Result<Added, Failure> {
    let distro = context.distro()?;
    let Some(component) = distro.components.get(name) else {
        let message = format!("no file of the definition includes `{}`", file.display());
        return Err(
            Failure::definition(message).hint("add it to `includes` of the root file, as in `components/*/comp.toml`")
        );
    };
    let mut added = Added::default();
    if let SpecSource::Upstream(_) = &component.spec {
        if !distgit::is_at_hand(&distro, component) || component.rendered.is_none() {
            return Ok(Added { waits: true, ..added });
        }
        component_render::write(name, context)?;
        added.rendered.clone_from(&component.rendered);
    }
    let names = std::collections::BTreeSet::from([name.to_owned()]);
    let book = facts::gather(&distro, Some(&names), Remember::Use, context)?;
    match book.answers.get(name) {
        Some(Answer::Failed(error)) => return Err(Failure::definition(error.clone())),
        Some(Answer::Facts(facts)) => {
            let is_known = |file: &&String| {
                component.source_files.iter().any(|source| source.file_name == **file)
                    || component.spec.folder().join(file).is_file()
            };
            let named = facts.sources.iter().chain(&facts.patches);
            added.missing = named.filter(|file| !is_known(file)).cloned().collect();
        }
        None => {}
    }
    Ok(added)
}
