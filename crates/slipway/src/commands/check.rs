use std::process::ExitCode;

use clap::Args;
use distro::{Channels, Diagnostic, Distro, Severity, consistency};

use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Answer, Remember};
use crate::pipeline;

/// Check the definition, its specs and their order, without network and without building
///
/// Every problem is shown with its place; nothing is changed. Specs are evaluated where they are the definition's own, and
/// rendered ones with `--evaluate`: then packages without a channel are found too.
#[derive(Args)]
#[command(after_help = "Example: slipway check --json")]
pub(crate) struct Arguments {
    /// Evaluate rendered specs too, and look at each package that they make.
    #[arg(long)]
    evaluate: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, Failure> {
    let distro = context.distro()?;
    let mut problems = distro.warnings.clone();
    problems.extend(consistency::check(&distro, None));
    if arguments.evaluate {
        problems.extend(packages_without_channel(&distro, context)?);
    }
    let (mut packages, mut order) = (None, Vec::new());
    if !distro.stage0.suite.is_empty() {
        let specs = pipeline::evaluate(&distro, context.host.cores())?;
        let plan = pipeline::plan(&distro, &specs)?;
        packages = Some(specs.evaluated.values().map(|spec| spec.packages.len()).sum::<usize>());
        order = plan.steps.into_iter().map(|step| step.component).collect();
    }
    report(&distro, &problems, packages, &order, context);
    Ok(match problems.iter().any(|problem| problem.severity == Severity::Error) {
        true => ExitCode::from(3),
        false => ExitCode::SUCCESS,
    })
}

fn report(distro: &Distro, problems: &[Diagnostic], packages: Option<usize>, order: &[String], context: &Context) {
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let images: Vec<&String> = distro.image_facts.keys().collect();
    if context.ui.json {
        context.ui.json(&serde_json::json!({
            "definition": distro.file,
            "components": distro.components.len(),
            "packages": packages,
            "images": images,
            "order": order,
            "problems": problems,
        }));
        return;
    }
    for problem in problems {
        context.ui.note(&format!("{}: {problem}\n", problem.severity.as_str()));
    }
    let makes = packages.map(|packages| format!(" make {packages} packages")).unwrap_or_default();
    let what = format!("{} components{makes}, {} images", distro.components.len(), images.len());
    let file = distro.file.display();
    let warned = if warnings > 0 { format!(", {warnings} warnings") } else { String::new() };
    context.ui.data(&match errors {
        0 => format!("{file} is sound: {what}{warned}"),
        _ => format!("{file} can be read and has {errors} errors{warned}: {what}"),
    });
}

/// Packages that no layer sends to a channel, in definitions that have channels at all; and specs that say nothing.
fn packages_without_channel(distro: &Distro, context: &Context) -> Result<Vec<Diagnostic>, Failure> {
    let book = facts::gather(distro, None, Remember::Use, context)?;
    let channels = Channels::new(&distro.package_groups, &distro.default_publish);
    let has_channels = distro.default_publish != distro::PackagePublish::default()
        || distro.package_groups.values().any(|group| group.publish != distro::PackagePublish::default());
    let mut problems = Vec::new();
    for (name, answer) in &book.answers {
        let component = &distro.components[name];
        match answer {
            Answer::Facts(facts) if has_channels => {
                for package in facts.packages.iter().filter(|package| package.is_made) {
                    if channels.channel(component, &package.name).is_none() {
                        let message = format!("the package `{}` of `{name}` is published to no channel", package.name);
                        let hint = "add it to a package group, or set `default-package-config.publish.rpm-channel`";
                        problems.push(Diagnostic::new(message).at(&component.at).hint(hint));
                    }
                }
            }
            Answer::Facts(_) => {}
            Answer::Failed(error) => {
                let message = format!("the spec of `{name}` cannot be evaluated: {error}");
                problems.push(Diagnostic::new(message).at(&component.at).warning());
            }
        }
    }
    Ok(problems)
}
