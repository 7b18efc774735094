use clap::Args;
use serde_json::{Value, json};
use spec::syntax::{Document, Item, ItemKind};

use super::each::each;
use super::inputs::{Inputs, SpecFile};
use super::problem::Problem;
use super::query::report;
use crate::context::Context;
use crate::explain::Failure;

/// Show how specs are built up: sections, tags, conditionals, macro definitions, each with its place
///
/// Nothing is evaluated: every branch is shown. Spans are bytes of the file, from the first to behind the last.
#[derive(Args)]
#[command(after_help = "Example: slipway spec parse zlib.spec --json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: Inputs,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let specs = arguments.inputs.specs(context)?;
    let work = |spec: &SpecFile, _: &mut spec::Evaluator| -> Result<(String, Value), Problem> {
        let text = spec.text().map_err(|error| Problem::unreadable(spec, &error))?;
        let document = Document::parse(text);
        Ok(match context.ui.json {
            true => (String::new(), json(&spec.name(), &document)),
            false => (page(&spec.name(), &document, specs.len() > 1), Value::Null),
        })
    };
    let (mut problems, mut values) = (Vec::new(), Vec::new());
    each(&specs, "specs", context, work, |answer| match answer {
        Ok((_, value)) if context.ui.json => values.push(value),
        Ok((text, _)) => context.ui.data(&text),
        Err(problem) => problems.push(problem),
    })?;
    if context.ui.json {
        let failures: Vec<&Value> = problems.iter().map(|problem| &problem.json).collect();
        context.ui.json(&json!({ "specs": values, "failures": failures }));
    }
    report(&problems, specs.len(), context)
}

fn json(name: &str, document: &Document) -> Value {
    let part = |range: &std::ops::Range<usize>| &document.text()[range.clone()];
    let item = |item: &Item| -> Option<Value> {
        let mut value = match &item.kind {
            ItemKind::Blank | ItemKind::Comment | ItemKind::Text => return None,
            ItemKind::Tag(tag) => json!({
                "kind": "tag",
                "name": part(&tag.name),
                "number": tag.number.as_ref().map(part),
                "qualifier": tag.qualifier.as_ref().map(part),
                "value": part(&tag.value),
                "value_span": [tag.value.start, tag.value.end],
            }),
            ItemKind::Heading { name, arguments } => {
                json!({ "kind": "section", "name": name, "arguments": part(arguments) })
            }
            ItemKind::Conditional { directive, argument } => {
                json!({ "kind": "conditional", "directive": directive, "condition": part(argument) })
            }
            ItemKind::Definition(definition) => json!({
                "kind": "definition",
                "directive": definition.directive,
                "name": part(&definition.name),
                "options": definition.options.as_ref().map(part),
                "body": part(&definition.body),
                "body_span": [definition.body.start, definition.body.end],
            }),
        };
        value["line"] = json!(item.line);
        value["span"] = json!([item.span.start, item.span.end]);
        value["depth"] = json!(item.depth);
        value["section"] = json!(item.section);
        Some(value)
    };
    let sections: Vec<Value> = document
        .sections()
        .iter()
        .map(|section| {
            json!({
                "name": section.name,
                "arguments": section.arguments,
                "line": section.line,
                "span": [section.span.start, section.span.end],
            })
        })
        .collect();
    let items: Vec<Value> = document.items().iter().filter_map(item).collect();
    json!({ "spec": name, "sections": sections, "items": items })
}

/// The parts as an outline, each with its line.
fn page(name: &str, document: &Document, has_many: bool) -> String {
    let mut text = if has_many { format!("{name}:\n") } else { String::new() };
    let digits = document.items().last().map_or(1, |item| item.line.to_string().len());
    for item in document.items() {
        let (kind, shown) = match &item.kind {
            ItemKind::Blank | ItemKind::Comment | ItemKind::Text => continue,
            ItemKind::Tag(_) => ("tag", first_line(document, item)),
            ItemKind::Heading { .. } => ("section", first_line(document, item)),
            ItemKind::Conditional { .. } => ("conditional", first_line(document, item)),
            ItemKind::Definition(_) => ("definition", first_line(document, item)),
        };
        let is_inner =
            !document.sections()[item.section].name.is_empty() && !matches!(item.kind, ItemKind::Heading { .. });
        let indent = "  ".repeat(item.depth as usize + usize::from(is_inner));
        text.push_str(&format!("{:>digits$}  {kind:<12}{indent}{shown}\n", item.line));
    }
    text
}

fn first_line(document: &Document, item: &Item) -> String {
    let whole = document.text()[item.span.clone()].trim();
    let mut lines = whole.lines();
    let first = lines.next().unwrap_or_default().trim_end();
    match lines.count() {
        0 => first.to_owned(),
        more => format!("{first}  .. and {more} more lines"),
    }
}
