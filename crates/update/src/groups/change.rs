use super::{Environment, Group};

/// A group or an environment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the variants say it")]
pub enum State {
    Group(Group),
    Environment(Environment),
}

/// A group or an environment that comes, goes or becomes another.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// What it was; none where it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<State>,
    /// What it is; none where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<State>,
}

impl Change {
    /// Whether it is one of an environment.
    pub fn is_environment(&self) -> bool {
        let state = self.after.as_ref().or(self.before.as_ref());
        matches!(state, Some(State::Environment(_)))
    }

    /// Whether nothing is another afterwards.
    pub fn is_nothing(&self) -> bool {
        self.before == self.after
    }

    /// In dnf5's words.
    pub fn action(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "Install",
            (Some(_), None) => "Remove",
            (Some(_), Some(_)) => "Upgrade",
        }
    }

    /// What takes it back.
    pub fn reversed(&self) -> Change {
        Change { id: self.id.clone(), before: self.after.clone(), after: self.before.clone() }
    }

    /// The name for people.
    pub fn name(&self) -> String {
        let name = match self.after.as_ref().or(self.before.as_ref()) {
            Some(State::Group(group)) => group.description().map(|group| group.label.name),
            Some(State::Environment(environment)) => environment.description().map(|one| one.label.name),
            None => None,
        };
        name.unwrap_or_else(|| self.id.clone())
    }
}
