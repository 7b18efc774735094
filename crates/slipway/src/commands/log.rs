use clap::Args;

use crate::context::Context;
use crate::explain::Failure;

/// Show the log of a component's last build
#[derive(Args)]
#[command(after_help = "Example: slipway log openssl --stage build")]
pub(crate) struct Arguments {
    /// The component.
    name: String,
    /// Only one part: setup, prep, conf, build, install, check, packaging.
    #[arg(long, default_value = "all")]
    stage: String,
    /// Only the path of the log.
    #[arg(long)]
    path: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let plain =
        |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c)) && !text.starts_with('.');
    if !plain(&arguments.name) || !plain(&arguments.stage) {
        return Err(Failure::usage(format!("`{}` is not the name of a component", arguments.name)));
    }
    let folder = context.store()?.area("logs")?.join(&arguments.name).join("latest");
    let path = folder.join(format!("{}.log", arguments.stage));
    if !path.is_file() {
        let failure =
            Failure::work(format!("there is no log `{}` of `{}` in this store", arguments.stage, arguments.name));
        return Err(failure
            .hint(format!("`slipway build {}` makes one, unless the store has its packages already", arguments.name)));
    }
    if context.ui.json {
        let text = String::from_utf8_lossy(&fs_err::read(&path)?).into_owned();
        context.ui.json(&serde_json::json!({ "path": path, "lines": text.lines().collect::<Vec<_>>() }));
    } else if arguments.path {
        context.ui.data(&path.display().to_string());
    } else {
        context.ui.data(&String::from_utf8_lossy(&fs_err::read(&path)?));
    }
    Ok(())
}
