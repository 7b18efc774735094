use std::time::Duration;

use super::Machine;
use crate::context::Context;
use crate::explain::Failure;

/// What the self-check writes around its lines.
const BEGIN: &str = "SKIFF-SELFCHECK begin";
const SUCCESS: &str = "SKIFF-SELFCHECK ok";
const FAILED: &str = "SKIFF-SELFCHECK failed";

/// What a machine says of its own start.
pub(crate) struct SelfCheck {
    pub(crate) passed: bool,
    pub(crate) report: Vec<String>,
}

impl SelfCheck {
    /// An error where it did not pass.
    pub(crate) fn verdict(&self, machine: &Machine) -> Result<(), Failure> {
        match self.passed {
            true => Ok(()),
            false => Err(Failure::work("the machine's self-check failed")
                .hint(format!("the whole console is in `{}`", machine.serial.path().display()))),
        }
    }
}

impl Machine {
    /// Waits for the login prompt and until the self-check has ended, `limit` at most.
    pub(crate) fn self_check(&mut self, limit: Duration, context: &Context) -> Result<SelfCheck, Failure> {
        let clock = host::clock::Stopwatch::start();
        let terminal = context.ui.terminal;
        self.wait_for(&["login: ", "SKIFF-SELFCHECK "], limit, &context.host, &mut |line| {
            if !terminal && !context.ui.json {
                context.ui.note(&format!("  | {line}"));
            }
        })?;
        let ended = |text: &str| text.contains(SUCCESS) || text.contains(FAILED);
        while !ended(&self.serial.read()?) {
            if context.host.interrupted() {
                return Err(Failure::interrupted());
            }
            if clock.elapsed() > limit {
                let limit = host::clock::human(limit);
                return Err(Failure::work(format!("the self-check did not end within {limit}"))
                    .hint(format!("the whole console is in `{}`", self.serial.path().display())));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        let report = report(&self.serial.read()?);
        Ok(SelfCheck { passed: report.iter().any(|line| line.contains(SUCCESS)), report })
    }
}

/// The lines that the self-check wrote. Others may write to the console at the same time: it marks its own.
fn report(console: &str) -> Vec<String> {
    let lines = console.lines().skip_while(|line| !line.contains(BEGIN));
    let own = lines.filter_map(|line| line.find("SKIFF-SELFCHECK").map(|at| line[at..].to_owned()));
    own.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_the_self_checks_lines() {
        let console =
            "[ OK ] Started x\nSKIFF-SELFCHECK begin\nSKIFF-SELFCHECK kernel 6.12\nskiff login: SKIFF-SELFCHECK ok\n";
        assert_eq!(report(console), ["SKIFF-SELFCHECK begin", "SKIFF-SELFCHECK kernel 6.12", "SKIFF-SELFCHECK ok"]);
    }
}
