use std::collections::{BTreeMap, BTreeSet, VecDeque};

use distro::Position;
use pkg::Relation;

use crate::PlanError;

/// Which components to build, each after all that it needs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// The steps in an order in which they can be built; equal input gives equal order.
    pub steps: Vec<Step>,
}

/// One component to build.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Step {
    /// The component.
    pub component: String,
    /// What it needs, and from where, as its spec says it.
    pub needs: Vec<Need>,
    /// The components whose packages its root holds, those that come along with others included.
    pub after: BTreeSet<String>,
}

/// Something that a component needs to build.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Need {
    /// What is needed.
    pub relation: Relation,
    /// Where the spec says so.
    pub at: Position,
    /// Who provides it.
    pub provider: Provider,
}

/// Who provides what is needed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum Provider {
    /// Stage0 stands in for it: nothing is added.
    Stage0,
    /// Debian packages that the definition's mapping names.
    Debian {
        /// The packages.
        packages: Vec<String>,
    },
    /// A package of another component.
    Component {
        /// The component.
        component: String,
        /// Its package.
        package: String,
    },
}

impl Plan {
    /// The step of `component`, if it is planned.
    pub fn step(&self, component: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.component == component)
    }

    /// Only `names` and all that they need.
    pub fn only(&self, names: &[String]) -> Result<Plan, PlanError> {
        let mut wanted: BTreeSet<&str> = BTreeSet::new();
        let mut waiting: Vec<&str> = names.iter().map(String::as_str).collect();
        while let Some(name) = waiting.pop() {
            let step = self.step(name).ok_or_else(|| self.no_component(name))?;
            if wanted.insert(&step.component) {
                waiting.extend(step.after.iter().map(String::as_str));
            }
        }
        Ok(Plan { steps: self.steps.iter().filter(|step| wanted.contains(step.component.as_str())).cloned().collect() })
    }

    /// The components that are built anew when `component` changes, itself not included, in the plan's order.
    pub fn dependents(&self, component: &str) -> Vec<&str> {
        let mut reached = BTreeSet::from([component]);
        let mut dependents = Vec::new();
        for step in &self.steps {
            if step.after.iter().any(|name| reached.contains(name.as_str())) {
                reached.insert(&step.component);
                dependents.push(step.component.as_str());
            }
        }
        dependents
    }

    /// The shortest chain of components from `from` to `to`, each needing the next; `None` if there is none.
    pub fn why(&self, from: &str, to: &str) -> Result<Option<Vec<&Step>>, PlanError> {
        let start = self.step(from).ok_or_else(|| self.no_component(from))?;
        let end = self.step(to).ok_or_else(|| self.no_component(to))?;
        let mut reached_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(step) = waiting.pop_front() {
            if step.component == end.component {
                let mut chain = vec![end];
                let mut at = end.component.as_str();
                while let Some(before) = reached_from.get(at).filter(|_| at != start.component) {
                    chain.extend(self.step(before));
                    at = before;
                }
                chain.reverse();
                return Ok(Some(chain));
            }
            for name in &step.after {
                if name != from && !reached_from.contains_key(name.as_str()) {
                    reached_from.insert(name, &step.component);
                    waiting.extend(self.step(name));
                }
            }
        }
        Ok(None)
    }

    fn no_component(&self, name: &str) -> PlanError {
        let known = self.steps.iter().map(|step| step.component.as_str());
        PlanError::NoComponent { name: name.to_owned(), nearest: distro::nearest(name, known).map(str::to_owned) }
    }
}
