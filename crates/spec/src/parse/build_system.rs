//! `BuildSystem`: build sections that macros bring.

use super::Parser;
use super::section::BUILD;
use crate::ErrorKind;
use crate::macros::Outcome;

impl Parser {
    /// The tag's value must name a build system that macro files define.
    pub(super) fn check_build_system(&self, name: &str) -> Outcome {
        let problem = |problem: String| self.engine.fail(ErrorKind::Tag { tag: "BuildSystem".to_owned(), problem });
        let defined = |section: &str| self.is_parametric(&format!("buildsystem_{name}_{section}"));
        if !BUILD.iter().any(|section| defined(section)) {
            return Err(problem(format!(
                "no macro file defines the build system `{name}` (as in `%buildsystem_{name}_build`)"
            )));
        }
        for section in ["build", "install"] {
            if !defined(section) {
                return Err(problem(format!(
                    "the build system `{name}` lacks its macro `%buildsystem_{name}_{section}()`"
                )));
            }
        }
        Ok(())
    }

    /// The sections that the build system adds where the spec has none.
    pub(super) fn build_system_text(&self) -> Outcome<Option<String>> {
        let name = self.engine.expand_text("%{?buildsystem}")?;
        if name.is_empty() {
            return Ok(None);
        }
        let mut text = String::new();
        for (index, section) in BUILD.iter().enumerate() {
            if self.scripts.get(&index).is_some_and(super::script::Parts::has_body) {
                continue;
            }
            let own = format!("buildsystem_{name}_{section}");
            let default = format!("buildsystem_default_{section}");
            let Some(found) = [own, default].into_iter().find(|found| self.is_parametric(found)) else { continue };
            let options =
                self.build_options.get(&index).map(|options| format!("-- {}", options.join(" "))).unwrap_or_default();
            text.push_str(&format!("%{section}\n%{found} {options}\n"));
        }
        Ok(Some(text))
    }

    fn is_parametric(&self, name: &str) -> bool {
        self.engine.find(name).is_some_and(|found| found.options.is_some())
    }
}
