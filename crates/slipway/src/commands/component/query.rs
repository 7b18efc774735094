//! What the specs of many components say.

use distro::Channels;
use spec::GapKind;

use super::Select;
use crate::context::Context;
use crate::explain::Failure;
use crate::facts::{self, Answer, Facts, Gap, Remember};
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
    let mut whole = Wholeness::default();
    for component in &chosen {
        let facts = match book.answers.get(&component.name) {
            Some(Answer::Facts(facts)) => facts,
            Some(Answer::Failed(error)) => {
                failed.push((component.name.as_str(), error.as_str()));
                rows.push(Row { name: &component.name, channels: None, facts: None, error: Some(error) });
                continue;
            }
            None => continue,
        };
        whole.count(&component.name, &facts.incomplete);
        let made = || facts.packages.iter().filter(|package| package.is_made);
        let mut to: Vec<&str> = made().filter_map(|package| channels.channel(component, &package.name)).collect();
        to.sort_unstable();
        to.dedup();
        if context.ui.json {
            rows.push(Row { name: &component.name, channels: Some(to), facts: Some(facts), error: None });
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
    // The book may be about more than was chosen.
    let without_spec = chosen.iter().filter(|component| book.without_spec.contains(&component.name)).count();
    let answered = chosen.len() - failed.len() - without_spec;
    context.ui.note(&format!(
        "{answered} of {} components answered; {} specs evaluated now; {} could not be, {} have no spec",
        chosen.len(),
        book.evaluated,
        failed.len(),
        without_spec
    ));
    if let Some(text) = whole.summary(answered) {
        context.ui.note(&text);
    }
    const SHOWN: usize = 10;
    if !context.ui.json {
        for (name, gap) in whole.refused.iter().take(SHOWN) {
            context.ui.note(&format!("{name}: {}: {}", gap.at, gap.what));
        }
        for (name, error) in failed.iter().take(SHOWN) {
            context.ui.note(&format!("{name}: {}", error.lines().next().unwrap_or_default()));
        }
    }
    Ok(())
}

/// What is printed of a component as JSON.
#[derive(serde::Serialize)]
struct Row<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channels: Option<Vec<&'a str>>,
    #[serde(flatten)]
    facts: Option<&'a Facts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// How many answers are whole, and why the others are not.
#[derive(Default)]
struct Wholeness<'a> {
    incomplete: usize,
    machine: usize,
    undefined: usize,
    /// Specs that rpm refuses although nothing was missing: the first thing that is wrong with each.
    refused: Vec<(&'a str, &'a Gap)>,
}

impl<'a> Wholeness<'a> {
    fn count(&mut self, name: &'a str, gaps: &'a [Gap]) {
        let has = |kind: GapKind| gaps.iter().any(|gap| gap.kind == kind.as_str());
        let (machine, undefined) = (has(GapKind::Machine), has(GapKind::Macro));
        self.incomplete += usize::from(!gaps.is_empty());
        self.machine += usize::from(machine);
        self.undefined += usize::from(undefined);
        // What is wrong where something is missing may follow from that.
        if let Some(first) = gaps.first().filter(|_| !machine && !undefined) {
            self.refused.push((name, first));
        }
    }

    /// One line for people; nothing where all answers are whole.
    fn summary(&self, answered: usize) -> Option<String> {
        (self.incomplete > 0).then(|| {
            format!(
                "{} answers are whole, {} incomplete: {} ask the machine or run what is not evaluated, and are answered as in a root without it, \
                 {} need macros that are defined nowhere, {} say what rpm refuses; `--json` has each under `incomplete`",
                answered - self.incomplete.min(answered),
                self.incomplete,
                self.machine,
                self.undefined,
                self.refused.len()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_where_nothing_is_missing_is_refused() {
        let gap =
            |kind: GapKind| Gap { kind: kind.as_str().to_owned(), at: "a.spec:1".to_owned(), what: "x".to_owned() };
        let (machine, undefined, refused) = (gap(GapKind::Machine), gap(GapKind::Macro), gap(GapKind::Refused));
        let rows = [
            ("whole", vec![]),
            ("asks", vec![machine.clone(), refused.clone()]),
            ("lacks", vec![refused.clone(), undefined]),
            ("both", vec![machine]),
            ("wrong", vec![refused]),
        ];
        let mut whole = Wholeness::default();
        for (name, gaps) in &rows {
            whole.count(name, gaps);
        }
        assert_eq!((whole.incomplete, whole.machine, whole.undefined), (4, 2, 1));
        assert_eq!(whole.refused.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["wrong"]);
        assert!(whole.summary(5).is_some_and(|text| text.starts_with("1 answers are whole, 4 incomplete")));
        assert_eq!(Wholeness::default().summary(5), None);
    }
}
