//! What is done with a definition: rendering, updates and locks, questions. Each test makes its own, and its repositories of git.

mod query;
mod render;
mod run;
mod update;
