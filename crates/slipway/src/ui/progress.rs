use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use build::{Event, Progress, State};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::ui::Ui;

/// Work shorter than this shows nothing.
const DELAY: Duration = Duration::from_millis(250);

/// Progress of work that goes step by step: a line that is redrawn, or nothing without a terminal.
pub(crate) struct Steps {
    bar: ProgressBar,
}

impl Steps {
    pub(crate) fn new(ui: &Ui) -> Steps {
        let bar = if ui.terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_style(spinner());
        if ui.terminal {
            bar.enable_steady_tick(DELAY);
        }
        Steps { bar }
    }

    pub(crate) fn say(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Progress of many builds: on a terminal a line for each that runs, and for each that ended a line that stays.
pub(crate) struct BuildProgress {
    ui: Ui,
    bars: MultiProgress,
    state: Mutex<Builds>,
    total: usize,
}

#[derive(Default)]
struct Builds {
    running: BTreeMap<String, ProgressBar>,
    preparing: Option<(String, ProgressBar)>,
    done: usize,
    cached: usize,
}

impl BuildProgress {
    pub(crate) fn new(ui: &Ui, total: usize) -> BuildProgress {
        BuildProgress { ui: ui.clone(), bars: MultiProgress::new(), state: Mutex::default(), total }
    }

    fn line(&self, text: &str) {
        if self.ui.quiet {
            return;
        }
        if self.ui.terminal {
            let _ = self.bars.println(text);
        } else {
            self.ui.note(text);
        }
    }

    /// How many components were there already.
    pub(crate) fn cached(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).cached
    }

    fn prepare(&self, builds: &mut Builds, what: &str, done: usize, total: usize) {
        let known = builds.preparing.as_ref().is_some_and(|(current, _)| current == what);
        if !known {
            if let Some((_, bar)) = builds.preparing.take() {
                bar.finish_and_clear();
            }
            if !self.ui.terminal && total > 0 {
                self.ui.note(&format!("preparing: {what} ({total})"));
            }
            let bar =
                if self.ui.terminal { self.bars.add(ProgressBar::new(total as u64)) } else { ProgressBar::hidden() };
            let style = ProgressStyle::with_template("preparing: {msg} {pos}/{len} {wide_bar}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(what.to_owned());
            builds.preparing = Some((what.to_owned(), bar));
        }
        if let Some((_, bar)) = &builds.preparing {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            if done >= total {
                bar.finish_and_clear();
            }
        }
    }

    fn running(&self, builds: &mut Builds, name: &str, what: &str) {
        let bar = builds.running.entry(name.to_owned()).or_insert_with(|| {
            if !self.ui.terminal {
                return ProgressBar::hidden();
            }
            let bar = self.bars.add(ProgressBar::new_spinner());
            let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(DELAY);
            bar
        });
        bar.set_message(format!("{name}: {what}"));
    }

    fn ended(&self, builds: &mut Builds, name: &str, what: &str) {
        builds.done += 1;
        if let Some(bar) = builds.running.remove(name) {
            bar.finish_and_clear();
        }
        self.line(&format!("[{:>3}/{}] {name:<18} {what}", builds.done, self.total));
    }
}

impl Progress for BuildProgress {
    fn event(&self, event: Event<'_>) {
        let mut builds = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Preparing { what, done, total } => self.prepare(&mut builds, what, done, total),
            Event::Component { name, state, elapsed } => {
                let took = host::clock::human(elapsed);
                match state {
                    State::Root => self.running(&mut builds, name, "root"),
                    State::Stage(stage) => self.running(&mut builds, name, &stage.to_string()),
                    State::Cached => {
                        builds.cached += 1;
                        self.ended(&mut builds, name, "cached");
                    }
                    State::Built => self.ended(&mut builds, name, &format!("built in {took}")),
                    State::Failed => self.ended(&mut builds, name, &format!("failed after {took}")),
                    State::Waiting { on } => self.ended(&mut builds, name, &format!("not tried: waits for {on}")),
                }
            }
        }
    }
}
