use clap::Args;
use serde_json::{Value, json};
use spec::{Evaluator, Undefined};

use super::each::each;
use super::inputs::{Inputs, Macros, SpecFile};
use super::problem::Problem;
use super::query::report;
use super::setting::Setting;
use crate::context::Context;
use crate::explain::Failure;

/// Show the expanded text of specs, as `rpmspec -P` does, or expand a text by their macros
///
/// Undefined macros stay as they are. Warnings are shown on standard error.
#[derive(Args)]
#[command(after_help = "Example: slipway spec eval zlib.spec --eval '%{name}-%{version}'")]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    macros: Macros,
    /// Expand this text instead: with what each spec defines, or with the macro files alone if no spec is named.
    #[arg(short = 'E', long, value_name = "TEXT")]
    eval: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let setting = Setting::new(&arguments.macros, context)?;
    if arguments.inputs.is_empty() {
        let Some(text) = &arguments.eval else {
            return Err(Failure::usage("there is nothing to expand").hint("name a spec, or a text with `--eval`"));
        };
        return plain(text, &setting, context);
    }
    let specs = arguments.inputs.specs(context)?;
    let work = |spec: &SpecFile, evaluator: &mut Evaluator| one(spec, arguments.eval.as_deref(), &setting, evaluator);
    let (mut problems, mut values) = (Vec::new(), Vec::new());
    each(&specs, "specs", context, work, |answer| match answer {
        Ok((text, warnings)) => {
            if context.ui.json {
                values.push(text);
                return;
            }
            for warning in warnings {
                context.ui.note(&warning);
            }
            context.ui.data(text["text"].as_str().unwrap_or_default());
        }
        Err(problem) => problems.push(problem),
    })?;
    if context.ui.json {
        let failures: Vec<&Value> = problems.iter().map(|problem| &problem.json).collect();
        context.ui.json(&json!({ "specs": values, "failures": failures }));
    }
    report(&problems, specs.len(), context)
}

fn one(
    spec: &SpecFile,
    expression: Option<&str>,
    setting: &Setting,
    evaluator: &mut Evaluator,
) -> Result<(Value, Vec<String>), Problem> {
    let text = spec.text().map_err(|error| Problem::unreadable(spec, &error))?;
    let environment = setting.of(spec, Undefined::Warn);
    let origin = spec::Origin::new(spec.name());
    let problem = |error: spec::SpecError| Problem::of(&spec.name(), &text, &error);
    let (evaluated, value) = match expression {
        None => (evaluator.evaluate(&text, &origin, &environment).map_err(problem)?, None),
        Some(expression) => {
            let (evaluated, value) =
                evaluator.evaluate_and_expand(&text, &origin, &environment, expression).map_err(problem)?;
            (evaluated, Some(value))
        }
    };
    let warnings: Vec<String> = evaluated
        .warnings
        .iter()
        .map(|warning| {
            let word = match warning.severity {
                spec::Severity::Warning => "warning: ",
                spec::Severity::Message => "",
            };
            let through =
                if warning.chain.is_empty() { String::new() } else { format!(" (in {})", warning.chain.join(", in ")) };
            format!("{}: {word}{}{through}", warning.position, warning.text)
        })
        .collect();
    let value = json!({ "spec": spec.name(), "text": value.unwrap_or(evaluated.expanded), "warnings": warnings });
    Ok((value, warnings))
}

/// Expands a text without a spec.
fn plain(text: &str, setting: &Setting, context: &Context) -> Result<(), Failure> {
    let environment = setting.plain();
    let origin = spec::Origin::new("--eval");
    let mut result = None;
    each(
        &[text],
        "text",
        context,
        |text, evaluator| evaluator.expand(text, &origin, &environment),
        |found| result = Some(found),
    )?;
    match result {
        Some(Ok(expanded)) if context.ui.json => context.ui.json(&json!({ "text": expanded })),
        Some(Ok(expanded)) => context.ui.data(&expanded),
        Some(Err(error)) => return Err(Failure::work(Problem::of("--eval", text, &error).text)),
        None => {}
    }
    Ok(())
}
