use std::collections::BTreeMap;

use crate::error::CycleLink;
use crate::{Provider, Step};

/// A shortest circle among steps of which none is ready.
pub(crate) fn find_cycle(steps: &BTreeMap<&str, Step>) -> Vec<CycleLink> {
    let circles = steps.keys().filter_map(|start| shortest_circle(start, steps));
    let Some(circle) = circles.min_by_key(Vec::len) else { return Vec::new() };
    let next = circle.iter().skip(1).chain(circle.first());
    circle.iter().zip(next).filter_map(|(component, next)| link(steps.get(component)?, next)).collect()
}

/// The names on a shortest way from `start` back to itself.
fn shortest_circle<'a>(start: &'a str, steps: &'a BTreeMap<&str, Step>) -> Option<Vec<&'a str>> {
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    let mut reached = std::collections::BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let step = steps.get(way.last()?)?;
            for name in &step.after {
                if name == start {
                    return Some(way);
                }
                if steps.contains_key(name.as_str()) && reached.insert(name) {
                    longer.push([way.as_slice(), &[name.as_str()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// What `step` needs of the component `next`: said by its spec, or brought along by something that its spec says.
fn link(step: &Step, next: &str) -> Option<CycleLink> {
    let of_next = |provider: &Provider| matches!(provider, Provider::Component { component, .. } if component == next);
    let need = step.needs.iter().find(|need| of_next(&need.provider));
    let (need, how) = match need {
        Some(need) => (need, String::new()),
        None => {
            let indirect = |provider: &Provider| matches!(provider, Provider::Component { .. });
            (step.needs.iter().find(|need| indirect(&need.provider))?, format!(", which brings along `{next}`"))
        }
    };
    let needs = format!("{}{how}", need.relation);
    Some(CycleLink { component: step.component.clone(), needs, at: need.at.clone() })
}
