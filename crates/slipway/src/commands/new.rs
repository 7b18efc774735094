use std::path::{Path, PathBuf};

use clap::Args;

use crate::commands::component;
use crate::context::Context;
use crate::defaults;
use crate::explain::Failure;

/// Make a new distribution: a definition that can be checked, built and published
///
/// It has one component, the release of the distribution, and builds in a root of Debian packages, as Skiff Linux does.
#[derive(Args)]
#[command(after_help = "Example: slipway new harbour && slipway -C harbour check && slipway -C harbour build --all")]
pub(crate) struct Arguments {
    /// The folder, which must not be there or be empty.
    folder: PathBuf,
    /// The short name of the distribution: lower-case letters and digits; the folder's name if not said.
    #[arg(long)]
    name: Option<String>,
    /// The name that people read, as in `Harbour Linux`.
    #[arg(long)]
    title: Option<String>,
}

/// What stands for now in a new distribution: the day on which Skiff Linux's sources were pinned, 2026-11-01.
const EPOCH: u64 = 1_793_491_200;

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let folder = &arguments.folder;
    if folder.exists() && fs_err::read_dir(folder)?.next().is_some() {
        return Err(Failure::usage(format!("the folder `{}` is not empty", folder.display())));
    }
    let last = std::path::absolute(folder)?.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = arguments.name.clone().or(last).unwrap_or_default();
    let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !is_name {
        return Err(Failure::usage(format!("`{name}` cannot be the short name of a distribution"))
            .hint("lower-case letters and digits, a letter first: `--name harbour`"));
    }
    let title = arguments.title.clone().unwrap_or_else(|| {
        let (first, rest) = name.split_at(1);
        format!("{}{rest} Linux", first.to_ascii_uppercase())
    });
    if title.is_empty() || title.contains(|c: char| c.is_control() || matches!(c, '"' | '\\' | '%' | '\'' | '$' | '`'))
    {
        return Err(Failure::usage("a title is one line without quotes, backslashes, `$` and percent signs"));
    }
    let mut written = Vec::new();
    for (path, text) in files(&name, &title) {
        let path = folder.join(path);
        fs_err::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        fs_err::write(&path, text)?;
        written.push(path);
    }
    if context.ui.json {
        context.ui.json(&serde_json::json!({ "distribution": name, "files": written }));
    } else {
        written.iter().for_each(|path| context.ui.data(&format!("wrote {}", path.display())));
        let folder = folder.display();
        context.ui.note(&format!("next: `slipway -C {folder} check`, `slipway -C {folder} component add NAME`, `slipway -C {folder} build --all`"));
    }
    Ok(())
}

/// The files of a new distribution, by their paths in its folder.
fn files(name: &str, title: &str) -> Vec<(String, String)> {
    let dist = format!(".{}1", &name[..name.len().min(3)]);
    let release = format!("{name}-release");
    vec![
        ("distro.toml".to_owned(), root(name, title, &dist)),
        ("stage0.toml".to_owned(), defaults::stage0(name, title)),
        (format!("macros/macros.{name}"), defaults::macros(name, title, &dist)),
        (
            format!("components/{release}/comp.toml"),
            format!("[components.{release}]\nspec = {{ type = \"local\", path = \"{release}.spec\" }}\n"),
        ),
        (format!("components/{release}/{release}.spec"), release_spec(name, title)),
    ]
}

fn root(name: &str, title: &str, dist: &str) -> String {
    format!(
        "# {title}: the root of its definition. Keys: docs/reference/definition.md of Slipway.\n\
         includes = [\"stage0.toml\", \"components/*/comp.toml\"]\n\n\
         [project]\ndescription = \"{title}\"\ndefault-distro = {{ name = \"{name}\" }}\nlock-dir = \"locks\"\n\
         macros = [\"macros/macros.{name}\"]\nsource-date-epoch = {EPOCH} # what stands for now in all that is made\n\n\
         [distros.{name}]\ndescription = \"{title}\"\ndefault-version = \"1.0\"\n\n\
         [distros.{name}.versions.\"1.0\"]\ndescription = \"The first version\"\nrelease-ver = \"1.0\"\n\n\
         [default-component-config.build]\ndefines = {{ dist = \"{dist}\" }}\n"
    )
}

fn release_spec(name: &str, title: &str) -> String {
    let body = component::template(&format!("{name}-release"));
    let release = format!(
        "%install\ninstall -d %{{buildroot}}%{{_prefix}}/lib %{{buildroot}}%{{_sysconfdir}}\n\
         cat > %{{buildroot}}%{{_prefix}}/lib/os-release <<'END'\n\
         NAME=\"{title}\"\nID={name}\nVERSION_ID=1.0\nPRETTY_NAME=\"{title} 1.0\"\nEND\n\
         ln -s ../usr/lib/os-release %{{buildroot}}%{{_sysconfdir}}/os-release\n\n\
         %files\n%{{_prefix}}/lib/os-release\n%{{_sysconfdir}}/os-release\n"
    );
    let head = body.split("%prep").next().unwrap_or_default();
    head.replace("Version:        0.1", "Version:        1.0")
        .replace(&format!("What {name}-release is, in a line"), &format!("The release of {title}"))
        .replace(
            &format!("What {name}-release is, in a few sentences."),
            &format!("Says which release of {title} this is."),
        )
        .replace(&format!("URL:            https://example.org/{name}-release\n"), "")
        + &release
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline;

    #[test]
    fn files_a_new_distribution_is_sound_and_has_an_order() {
        for (name, title, release) in [("harbour", "Harbour Linux", "1.0-1.har1"), ("a", "The A", "1.0-1.a1")] {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files(name, title) {
                assert!(!text.to_lowercase().contains("skiff"), "{path} still names another distribution");
                let path = folder.path().join(path);
                fs_err::create_dir_all(path.parent().unwrap()).unwrap();
                fs_err::write(path, text).unwrap();
            }
            let distro = distro::load(&folder.path().join("distro.toml"), distro::Locks::Required).unwrap();
            assert_eq!((distro.warnings.len(), distro::consistency::check(&distro, None).len()), (0, 0));
            let specs = pipeline::evaluate(&distro, 1).unwrap();
            assert_eq!(specs.evaluated[&format!("{name}-release")].evr.to_string(), release);
            assert_eq!(pipeline::plan(&distro, &specs).unwrap().steps.len(), 1);
        }
    }
}
