//! `%files`.

use super::reader::Strip;
use super::{Next, Parser};
use crate::Located;
use crate::answer::FileList;
use crate::macros::{Level, Outcome};

impl Parser {
    pub(super) fn files(&mut self) -> Outcome<Next> {
        // `%license` is a directive here, elsewhere the tag's value.
        self.engine.set_literal("license", "%license", Level::SPEC);
        let (options, index) = self.heading("n:f:")?;
        let position = self.reader.position();
        if self.packages[index].files.is_some() {
            let name = self.packages[index].name().to_owned();
            self.engine.warn(format!("a second `%files` for package `{name}` replaces the first"));
        }
        let lists = options.options.iter().filter(|(letter, _)| *letter == 'f').map(|(_, list)| list.clone()).collect();
        let mut files = FileList { lines: Vec::new(), lists, position };
        let engine = self.engine.clone();
        let next = self.lines(Strip::Comments, |line| {
            let line = line.trim();
            if !line.is_empty() {
                files.lines.push(Located { value: line.to_owned(), position: engine.position() });
            }
        })?;
        self.engine.pop("license");
        self.packages[index].files = Some(files);
        Ok(next)
    }
}
