//! What is certainly wrong, or certainly without effect, in a spec that rpm accepts.
//!
//! [`Linter`] looks at the text as it is written ([`crate::syntax`]), and at what an evaluation made of it. It says nothing
//! where a macro, an included file or a build could prove it wrong: a finding is meant to be acted on.
//!
//! ```
//! let text = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%ifarch x86_64\n%ifarch aarch64\n\
//!             Requires: b\n%endif\n%endif\n%description\nx\n%files\n";
//! let origin = spec::Origin::new("a.spec");
//! let environment = spec::Environment::new(spec::Macros::builtin().into(), spec::Target::linux("x86_64"));
//! let evaluated = spec::evaluate(text, &origin, &environment).ok();
//! let linter = spec::lint::Linter::new(&environment.macros);
//! let findings = linter.lint(text, &origin, &environment, evaluated.as_ref());
//! assert_eq!(findings[0].code.name(), "impossible-condition");
//! assert_eq!(findings[0].position.to_string(), "a.spec:7:1");
//! ```

mod bcond;
mod branches;
mod changelog;
mod code;
mod condition;
mod origin;
mod sources;
mod subject;
mod tags;
mod undefined;

pub use code::Code;
pub use origin::usual_package;

use serde::Serialize;

use self::bcond::Questions;
use self::subject::Subject;
use crate::{Environment, Evaluated, Macros, Origin, Position};

/// Something that is certainly not as its author meant it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which kind it is of.
    pub code: Code,
    /// The place in the spec, with its column.
    pub position: Position,
    /// What is so, with the names that matter.
    pub message: String,
}

/// Looks at specs that share their macro files, which it reads once.
pub struct Linter {
    questions: Questions,
}

impl Linter {
    /// A linter of specs that are evaluated with `macros`.
    pub fn new(macros: &Macros) -> Linter {
        let mut questions = Questions::default();
        for name in macros.names() {
            if let Some(found) = macros.get(name) {
                questions.read(name);
                questions.read(&found.body);
            }
        }
        Linter { questions }
    }

    /// Everything that is certainly wrong in a spec, in the order of its lines.
    ///
    /// `evaluated` is the answer of [`crate::evaluate`] for the same text and environment, with [`crate::Undefined::Warn`]
    /// so that all undefined macros are found. Without it, what can be seen in the text alone is still found.
    pub fn lint(
        &self,
        text: &str,
        origin: &Origin,
        environment: &Environment,
        evaluated: Option<&Evaluated>,
    ) -> Vec<Finding> {
        let subject = Subject::new(text, origin, environment, evaluated, &self.questions);
        let mut findings = Vec::new();
        let undefined = undefined::found(&subject);
        branches::check(&subject, &mut findings);
        bcond::check(&subject, !undefined.is_empty(), &mut findings);
        changelog::check(&subject, &mut findings);
        sources::check(&subject, &mut findings);
        tags::check(&subject, &mut findings);
        undefined::comments(&subject, &mut findings);
        findings.extend(undefined);
        findings.sort_by(|left, right| {
            let key = |finding: &Finding| (finding.position.line, finding.position.column, finding.code);
            key(left).cmp(&key(right)).then_with(|| left.message.cmp(&right.message))
        });
        findings.dedup();
        findings
    }
}
