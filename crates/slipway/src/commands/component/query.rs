//! What the specs of many components say.

use distro::Channels;

use super::Select;
use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Answer, Remember};
use crate::ui::{Shape, Table};

pub(super) fn run(select: &Select, shape: Shape, remember: Remember, context: &Context) -> Result<(), Failure> {
    let distro = context.distro()?;
    // Filters that look at specs look at all of them; others need only those that are meant.
    let names = match select.needs_facts()? {
        true => None,
        false => {
            let chosen = select.choose(&distro, None, context)?;
            Some(chosen.into_iter().map(|component| component.name.clone()).collect())
        }
    };
    let book = facts::gather(&distro, names.as_ref(), remember, context)?;
    let chosen = select.choose(&distro, Some(&book), context)?;
    let channels = Channels::new(&distro.package_groups, &distro.default_publish);
    let mut table = Table::new(&["name", "version", "license", "packages", "needs", "channels", "sources", "patches"]);
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for component in &chosen {
        let facts = match book.answers.get(&component.name) {
            Some(Answer::Facts(facts)) => facts,
            Some(Answer::Failed(error)) => {
                failed.push((component.name.as_str(), error.as_str()));
                if context.ui.json {
                    rows.push(serde_json::json!({ "name": component.name, "error": error }));
                }
                continue;
            }
            None => continue,
        };
        let made = || facts.packages.iter().filter(|package| package.is_made);
        let mut to: Vec<&str> = made().filter_map(|package| channels.channel(component, &package.name)).collect();
        to.sort_unstable();
        to.dedup();
        if context.ui.json {
            let mut row = serde_json::json!({ "name": component.name, "channels": to });
            if let (Some(row), Ok(serde_json::Value::Object(facts))) =
                (row.as_object_mut(), serde_json::to_value(facts))
            {
                row.extend(facts);
            }
            rows.push(row);
        } else {
            table.row([
                component.name.clone(),
                facts.evr.clone(),
                facts.license.clone(),
                made().count().to_string(),
                facts.build_requires.len().to_string(),
                to.join(" "),
                facts.sources.len().to_string(),
                facts.patches.len().to_string(),
            ]);
        }
    }
    if context.ui.json {
        context.ui.json(&rows);
    } else {
        context.ui.data(&shape.text(&table));
    }
    let answered = chosen.len() - failed.len() - book.without_spec.len().min(chosen.len());
    context.ui.note(&format!(
        "{answered} of {} components answered; {} specs evaluated now; {} could not be, {} have no spec",
        chosen.len(),
        book.evaluated,
        failed.len(),
        book.without_spec.len()
    ));
    const SHOWN: usize = 10;
    if !context.ui.json {
        for (name, error) in failed.iter().take(SHOWN) {
            context.ui.note(&format!("{name}: {}", error.lines().next().unwrap_or_default()));
        }
    }
    Ok(())
}
