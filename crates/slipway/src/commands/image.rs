use clap::Subcommand;

use crate::commands::image_test;
use crate::context::Context;
use crate::explain::Failure;
use crate::pipeline;
use crate::ui::{Steps, Table};

/// Make images from the published repository, and test them
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the images of the definition
    #[command(after_help = "Example: slipway image list")]
    List,
    /// Make an image
    ///
    /// Packages come from the published repository, whose signatures are checked. An image whose packages and definition
    /// did not change is not made again.
    #[command(after_help = "Example: slipway image build vm-base")]
    Build {
        /// The image.
        name: String,
    },
    Test(image_test::Arguments),
}

pub(crate) fn run(command: &Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::List => list(context),
        Command::Build { name } => build(name, context),
        Command::Test(arguments) => image_test::run(arguments, context),
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    if context.ui.json {
        context.ui.json(&distro.images.values().collect::<Vec<_>>());
        return Ok(());
    }
    let mut table = Table::new(&["name", "formats", "packages asked for", "description"]);
    for image in distro.images.values() {
        let definition = &image.definition;
        let packages = definition.packages.len().to_string();
        table.row([image.name.clone(), definition.formats.join(" "), packages, image.description.clone()]);
    }
    context.ui.data(&table.text());
    Ok(())
}

fn build(name: &str, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    let store = context.store()?;
    let clock = host::clock::Stopwatch::start();
    let steps = Steps::new(&context.ui);
    let built = pipeline::image(name, &distro, context, &store, &|text| steps.say(text))?;
    drop(steps);
    let files = pipeline::link_image(&built, context)?;
    if context.ui.json {
        context.ui.json(&serde_json::json!({ "cached": built.was_cached, "manifest": built.manifest, "files": files }));
        return Ok(());
    }
    let how = if built.was_cached {
        "was there already".to_owned()
    } else {
        format!("made in {}", host::clock::human(clock.elapsed()))
    };
    context.ui.note(&format!(
        "{name} {how}: {} packages, {} paths, {} MiB of content, disk of {} MiB, kernel {}",
        built.manifest.packages.len(),
        built.manifest.paths,
        built.manifest.content_bytes >> 20,
        built.manifest.disk_bytes >> 20,
        built.manifest.kernel
    ));
    for failed in &built.manifest.failed_scriptlets {
        context.ui.note(&format!("warning: {failed}"));
    }
    for file in files {
        context.ui.data(&file.display().to_string());
    }
    Ok(())
}
