use distro::Position;
use pkg::Relation;

/// The components cannot be ordered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing provides what a component needs to build.
    #[error("nothing provides what `{component}` needs to build: {needs}")]
    NoProvider {
        /// The component.
        component: String,
        /// What it needs.
        needs: Relation,
        /// Where its spec says so.
        at: Position,
        /// A package or mapping of a similar name.
        nearest: Option<String>,
        /// What has the name, but not the version.
        other_version: Option<String>,
    },
    /// Components need each other to build.
    #[error("components need each other to build: {}", chain(.links))]
    Cycle {
        /// Each link says which component needs what of the next; the last one leads back to the first.
        links: Vec<CycleLink>,
    },
    /// A component was named that does not exist.
    #[error("there is no component `{name}`")]
    NoComponent {
        /// The name.
        name: String,
        /// A component of a similar name.
        nearest: Option<String>,
    },
    /// Two components make a package of one name.
    #[error("both `{first}` and `{second}` make a package `{package}`")]
    TwoMakers {
        /// The package.
        package: String,
        /// A component that makes it.
        first: String,
        /// Another one.
        second: String,
    },
}

/// One step of a circle.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CycleLink {
    /// The component that needs something.
    pub component: String,
    /// What it needs.
    pub needs: String,
    /// Where its spec says so.
    pub at: Position,
}

fn chain(links: &[CycleLink]) -> String {
    let first = links.first().map_or("", |link| link.component.as_str());
    let names: Vec<&str> = links.iter().map(|link| link.component.as_str()).chain([first]).collect();
    names.join(" -> ")
}
