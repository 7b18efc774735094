use std::cell::OnceCell;
use std::rc::Rc;

use crate::macros::{Engine, Interpreter};
use crate::{Environment, Evaluated, Origin, Position, SpecError};

/// Evaluates one spec after the other, sooner than [`evaluate`] does it: it keeps a Lua interpreter and the code of the scripts
/// that it has met. Answers are the same, whatever it evaluated before.
///
/// One belongs to one thread; threads share the [`Environment`].
///
/// ```
/// let environment = spec::Environment::new(spec::Macros::builtin().into(), spec::Target::linux("x86_64"));
/// let mut evaluator = spec::Evaluator::default();
/// for (text, expanded) in [("%{lua: x = 1}%{lua: print(x)}", "1"), ("%{lua: print(x)}", "nil")] {
///     assert_eq!(evaluator.expand(text, &spec::Origin::new("text"), &environment)?, expanded);
/// }
/// # Ok::<(), spec::SpecError>(())
/// ```
#[derive(Default)]
pub struct Evaluator {
    lua: Rc<OnceCell<Interpreter>>,
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").finish_non_exhaustive()
    }
}

impl Evaluator {
    /// Evaluates a spec, as [`evaluate`] does it.
    ///
    /// # Errors
    /// The first thing that is not so, with its place and the macros that led there.
    pub fn evaluate(&mut self, text: &str, origin: &Origin, environment: &Environment) -> Result<Evaluated, SpecError> {
        let engine = Engine::new(environment, origin, &self.lua);
        crate::parse::evaluate_with(&engine, text, origin).map_err(|error| *error)
    }

    /// Evaluates a spec, then expands `text` by the macros that hold at the spec's end, as `rpmspec --eval` does it.
    ///
    /// # Errors
    /// The first thing that is not so, in the spec or in the text.
    pub fn evaluate_and_expand(
        &mut self,
        spec: &str,
        origin: &Origin,
        environment: &Environment,
        text: &str,
    ) -> Result<(Evaluated, String), SpecError> {
        let engine = Engine::new(environment, origin, &self.lua);
        let evaluated = crate::parse::evaluate_with(&engine, spec, origin).map_err(|error| *error)?;
        engine.set_position(Position::line(Origin::new("--eval"), 1));
        let expanded = engine.expand_text(text).map_err(|error| *error)?;
        Ok((evaluated, expanded))
    }

    /// Expands a text by the environment's macros, as `rpm -E` does it.
    ///
    /// # Errors
    /// The first thing that is not so, with its place and the macros that led there.
    pub fn expand(&mut self, text: &str, origin: &Origin, environment: &Environment) -> Result<String, SpecError> {
        let engine = Engine::new(environment, origin, &self.lua);
        let start = Position::line(origin.clone(), 1);
        engine.set_position(start.clone());
        engine.expand_text(text).map_err(|mut error| {
            // A text that is expanded by itself is one line to people.
            if error.position == start && !text.contains('\n') {
                error.position.column = u32::try_from(engine.offset.get() + 1).unwrap_or(0);
            }
            *error
        })
    }
}

/// Evaluates a spec.
///
/// The answers are rpm's (6.x) for the same text, macro files and target. Nothing beside the arguments counts: no file, clock,
/// process or variable of the machine. Whoever evaluates many does it with an [`Evaluator`] a thread.
///
/// # Errors
/// The first thing that is not so, with its place and the macros that led there.
pub fn evaluate(text: &str, origin: &Origin, environment: &Environment) -> Result<Evaluated, SpecError> {
    Evaluator::default().evaluate(text, origin, environment)
}

/// Expands a text by the environment's macros, as `rpm -E` does it.
///
/// # Errors
/// The first thing that is not so, with its place and the macros that led there.
pub fn expand(text: &str, origin: &Origin, environment: &Environment) -> Result<String, SpecError> {
    Evaluator::default().expand(text, origin, environment)
}
