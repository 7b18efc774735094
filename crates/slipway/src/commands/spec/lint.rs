use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use serde_json::{Value, json};
use spec::lint::{Code, Finding, Linter};
use spec::{Evaluator, Undefined};

use super::each::each;
use super::inputs::{Inputs, Macros, SpecFile};
use super::problem::Problem;
use super::setting::Setting;
use crate::context::Context;
use crate::explain::Failure;

/// Find what is certainly wrong in specs that rpm accepts
///
/// Undefined macros, conditions that can never hold, changelogs out of order, unused sources and patches, tags that stand twice, build conditions that nothing asks for. The exit code is 1 if something was found.
#[derive(Args)]
#[command(after_help = "Example: slipway spec lint specs --allow unused-source --json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    macros: Macros,
    /// Do not report this kind of finding. May be said several times.
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = code)]
    allow: Vec<Code>,
    /// Only list the kinds of findings, and what each means.
    #[arg(long)]
    codes: bool,
}

fn code(name: &str) -> Result<Code, String> {
    Code::named(name).ok_or_else(|| "no finding has this code; `slipway spec lint --codes` lists them".to_owned())
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    if arguments.codes {
        return codes(context);
    }
    let specs = arguments.inputs.specs(context)?;
    let setting = Setting::new(&arguments.macros, context)?;
    let linter = Linter::new(setting.macros());
    let work = |spec: &SpecFile, evaluator: &mut Evaluator| -> Result<(Vec<Finding>, Option<Problem>), Problem> {
        let text = spec.text().map_err(|error| Problem::unreadable(spec, &error))?;
        let environment = setting.of(spec, Undefined::Warn);
        let origin = spec::Origin::new(spec.name());
        let evaluated = evaluator.evaluate(&text, &origin, &environment);
        let mut findings = linter.lint(&text, &origin, &environment, evaluated.as_ref().ok());
        findings.retain(|finding| !arguments.allow.contains(&finding.code));
        Ok((findings, evaluated.err().map(|error| Problem::of(&spec.name(), &text, &error))))
    };
    let (mut found, mut values, mut problems) = (0, Vec::new(), Vec::new());
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    each(&specs, "specs", context, work, |answer| match answer {
        Ok((findings, problem)) => {
            found += findings.len();
            let mut names = BTreeSet::new();
            for finding in findings {
                names.extend(undefined(&finding).map(str::to_owned));
                match context.ui.json {
                    true => values.push(value(&finding)),
                    false => context.ui.data(&format!("{}: {}: {}", finding.position, finding.code, finding.message)),
                }
            }
            for name in names {
                *missing.entry(name).or_default() += 1;
            }
            problems.extend(problem);
        }
        Err(problem) => problems.push(problem),
    })?;
    if context.ui.json {
        let failures: Vec<&Value> = problems.iter().map(|problem| &problem.json).collect();
        context.ui.json(&json!({ "findings": values, "failures": failures }));
    } else {
        for problem in &problems {
            context.ui.error(&problem.text);
        }
        hint_at_files(&missing, context);
    }
    match (found, problems.len()) {
        (0, 0) => {
            context.ui.note(&format!("{}, nothing found", count(specs.len(), "spec")));
            Ok(())
        }
        (0, problems) => {
            Err(Failure::work(format!("{problems} of {} cannot be evaluated", count(specs.len(), "spec"))))
        }
        (found, 0) => Err(Failure::work(format!("{} in {}", count(found, "finding"), count(specs.len(), "spec")))
            .hint("`slipway spec lint --codes` says what each kind means; `--allow CODE` leaves one out")),
        (found, problems) => Err(Failure::work(format!(
            "{} in {}, of which {problems} cannot be evaluated",
            count(found, "finding"),
            count(specs.len(), "spec")
        ))),
    }
}

fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// The macro that a finding says is defined nowhere.
fn undefined(finding: &Finding) -> Option<&str> {
    let rest = finding.message.strip_prefix("macro `%").filter(|_| finding.code == Code::UndefinedMacro)?;
    rest.split_once('`').map(|(name, _)| name)
}

/// Specs that lack the same macro: then it is a macro file that is missing, and no spec is wrong.
const MANY: usize = 3;

fn hint_at_files(missing: &BTreeMap<String, usize>, context: &Context) {
    let mut many: Vec<(&String, &usize)> = missing.iter().filter(|(_, specs)| **specs >= MANY).collect();
    many.sort_by_key(|(name, specs)| (std::cmp::Reverse(**specs), (*name).clone()));
    for (name, specs) in many.into_iter().take(20) {
        let package =
            spec::lint::usual_package(name).map(|package| format!("; the package `{package}` usually has it"));
        context.ui.note(&format!(
            "note: {specs} specs use `%{name}`, which no file defines: name its macro file with `--macros`{}",
            package.unwrap_or_default()
        ));
    }
}

fn value(finding: &Finding) -> Value {
    json!({
        "code": finding.code.name(),
        "file": finding.position.origin.as_str(),
        "line": finding.position.line,
        "column": finding.position.column,
        "message": finding.message,
        "explanation": finding.code.explanation(),
    })
}

fn codes(context: &Context) -> Result<(), Failure> {
    if context.ui.json {
        let all: Vec<Value> =
            Code::ALL.iter().map(|code| json!({ "code": code.name(), "explanation": code.explanation() })).collect();
        context.ui.json(&all);
    } else {
        for code in Code::ALL {
            context.ui.data(&format!("{:<22}{}", code.name(), code.explanation()));
        }
    }
    Ok(())
}
