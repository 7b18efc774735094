use std::time::Duration;

use host::clock::Stopwatch;
use rpm::{FileEntry, FileKind};

use super::snapshots::{Snapshots, Version, Which};
use crate::context::Context;
use crate::explain::Failure;
use crate::machine::{Answer, Guest, Machine};

/// How long one command may take: an emulated machine is slow.
const PATIENCE: Duration = Duration::from_secs(180);
/// The database, read by a program that is not Slipway.
const DATABASE: &str = "file:/usr/lib/sysimage/rpm/rpmdb.sqlite?mode=ro";

/// A command that was given to the machine, what it answered, and what was proven afterwards.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Step {
    pub(super) command: String,
    pub(super) status: i32,
    pub(super) seconds: f64,
    pub(super) output: String,
    pub(super) proofs: Vec<String>,
}

/// What a user does with packages, done in a machine that runs. The first thing that is not so ends it.
pub(super) struct Rehearsal<'a> {
    machine: &'a mut Machine,
    guest: Guest,
    snapshots: &'a Snapshots,
    context: &'a Context,
    pub(super) steps: Vec<Step>,
}

/// Which restarts there are, and how long one may take.
pub(super) struct Restarts {
    pub(super) limit: Duration,
    pub(super) is_restarted: bool,
    pub(super) is_offline: bool,
}

impl<'a> Rehearsal<'a> {
    pub(super) fn new(
        machine: &'a mut Machine,
        guest: Guest,
        snapshots: &'a Snapshots,
        context: &'a Context,
    ) -> Rehearsal<'a> {
        Rehearsal { machine, guest, snapshots, context, steps: Vec::new() }
    }

    /// Everything in its order.
    pub(super) fn all(&mut self, restarts: &Restarts) -> Result<(), Failure> {
        let Snapshots { old, new, .. } = self.snapshots;
        let name = old.nevra.name.clone();
        self.step("dnf repolist")?;
        self.is_said("skiff", "the repository is configured")?;
        self.is_gone(&[old])?;

        self.step(&format!("dnf install -y {name}"))?;
        self.is_there(old)?;

        self.snapshots.show(Which::Stranger)?;
        self.note("now the repository is one that a stranger signed, with a newer package");
        // The repository may be missing (`skip_if_unavailable`), so the command itself may well succeed.
        self.try_step("dnf upgrade -y --refresh")?;
        self.is_said("signature", "the stranger's signature was noticed")?;
        self.is_there(old)?;

        self.snapshots.show(Which::Newer)?;
        self.note("now the repository is a snapshot that was published after the machine's");
        self.step("dnf upgrade -y --refresh")?;
        self.is_there(new)?;

        if restarts.is_restarted {
            self.restart("systemctl reboot --no-block", restarts.limit)?;
            self.is_there(new)?;
        }

        self.step("dnf history undo last -y")?;
        self.is_there(old)?;

        if restarts.is_offline {
            self.offline(restarts.limit)?;
        }

        self.step(&format!("dnf remove -y {name}"))?;
        self.is_gone(&[old, new])?;

        self.step("dnf history list")?;
        for words in ["install", "upgrade", "history undo", "remove"] {
            self.is_said(words, &format!("`{words}` is in the history"))?;
        }
        Ok(())
    }

    /// Gives a command that has to succeed.
    fn step(&mut self, command: &str) -> Result<(), Failure> {
        let answer = self.try_step(command)?;
        match answer.status {
            0 => Ok(()),
            status => {
                let shown =
                    if self.context.ui.json { format!("\n{}", answer.output.trim_end()) } else { String::new() };
                Err(self.failure(&format!("`{command}` failed in the machine (exit code {status}){shown}")))
            }
        }
    }

    /// Gives a command, and shows it with its answer.
    fn try_step(&mut self, command: &str) -> Result<Answer, Failure> {
        let clock = Stopwatch::start();
        if !self.context.ui.json {
            self.context.ui.data(&format!("# {command}"));
        }
        let answer = self.guest.run(command, PATIENCE, &self.context.host)?;
        if !self.context.ui.json && !answer.output.trim().is_empty() {
            self.context.ui.data(&answer.output);
        }
        self.steps.push(Step {
            command: command.to_owned(),
            status: answer.status,
            seconds: clock.elapsed().as_secs_f64(),
            output: answer.output.clone(),
            proofs: Vec::new(),
        });
        Ok(answer)
    }

    /// An upgrade that waits for the next start, which does it and restarts the machine once more.
    fn offline(&mut self, limit: Duration) -> Result<(), Failure> {
        let Snapshots { old, new, .. } = self.snapshots;
        self.step("dnf upgrade -y --offline")?;
        self.is_there(old)?;
        self.step("dnf offline status")?;
        self.is_said("upgrade -y --offline", "the upgrade waits")?;
        // Two starts: one for the upgrade alone, and an ordinary one.
        self.restart("dnf offline reboot -y", 2 * limit)?;
        self.is_there(new)?;
        self.step("dnf offline log --number=-1")?;
        self.is_said("done, as transaction", "the start did the upgrade")?;
        self.prove("the next start is an ordinary one", "[ ! -e /system-update ] && [ ! -L /system-update ]")?;
        self.step("dnf history undo last -y")?;
        self.is_there(old)
    }

    /// Restarts the machine: what was changed has to be on its disk, and it has to come up as well as before.
    fn restart(&mut self, command: &str, limit: Duration) -> Result<(), Failure> {
        self.machine.serial.forget()?;
        self.step(command)?;
        let check = self.machine.self_check(limit, self.context)?;
        if !self.context.ui.json {
            check.report.iter().for_each(|line| self.context.ui.data(line));
        }
        check.verdict(self.machine)?;
        self.proven("the machine started again and passed its self-check");
        Ok(())
    }

    /// The package is there as it was built: all files with their bytes and owners, the database, and a program that runs.
    fn is_there(&mut self, version: &Version) -> Result<(), Failure> {
        let name = &version.nevra.name;
        let count = version.own().count();
        self.prove(&format!("{count} files of {} are as they were built", version.nevra), &files_script(version))?;
        // Strings of a header end in a zero byte: `-1` must not be found in `-1.1`.
        let release = version.nevra.evr.release.as_bytes();
        let hex: String = release.iter().map(|byte| format!("{byte:02X}")).collect();
        let query = format!(
            "SELECT count(*), sum(instr(blob, X'00{hex}00') > 0) FROM Packages JOIN Name USING (hnum) WHERE key = '{name}'"
        );
        self.prove_output(
            &format!("sqlite3 '{DATABASE}' \"{query}\""),
            "1|1",
            "the database has this version and no other",
        )?;
        self.prove("all that is installed fits together", "dnf check")?;
        if let Some(program) = version.program() {
            self.prove(&format!("{program} runs"), &format!("{program} --version"))?;
        }
        Ok(())
    }

    /// Nothing of the package is there, in any of its versions.
    fn is_gone(&mut self, versions: &[&Version]) -> Result<(), Failure> {
        let name = versions.first().map(|version| version.nevra.name.clone()).unwrap_or_default();
        let paths: Vec<String> =
            versions.iter().flat_map(|version| version.own()).map(|file| quoted(&file.path)).collect();
        let script =
            format!("for f in {}; do [ ! -e \"$f\" ] || {{ echo \"$f is there\"; exit 1; }}; done", paths.join(" "));
        self.prove(&format!("no file of {name} is there"), &script)?;
        let query = format!("SELECT count(*) FROM Name WHERE key = '{name}'");
        self.prove_output(&format!("sqlite3 '{DATABASE}' \"{query}\""), "0", "the database does not know it")?;
        self.prove("all that is installed fits together", "dnf check")
    }

    /// Something is in the answer of the last step.
    fn is_said(&mut self, text: &str, claim: &str) -> Result<(), Failure> {
        if self.steps.last().is_some_and(|step| step.output.contains(text)) {
            self.proven(claim);
            return Ok(());
        }
        Err(self.failure(&format!("{claim}: this is not so, for the machine did not say `{text}`")))
    }

    /// A command that succeeds where the claim holds.
    fn prove(&mut self, claim: &str, command: &str) -> Result<(), Failure> {
        let answer = self.guest.run(command, PATIENCE, &self.context.host)?;
        if answer.status == 0 {
            self.proven(claim);
            return Ok(());
        }
        let said = answer.output.trim_end();
        Err(self.failure(&format!("{claim}: this is not so (exit code {})\n{said}", answer.status)))
    }

    /// A command that answers with `expected` where the claim holds.
    fn prove_output(&mut self, command: &str, expected: &str, claim: &str) -> Result<(), Failure> {
        let answer = self.guest.run(command, PATIENCE, &self.context.host)?;
        if answer.status == 0 && answer.output.trim() == expected {
            self.proven(claim);
            return Ok(());
        }
        let got = answer.output.trim_end();
        Err(self.failure(&format!(
            "{claim}: this is not so\n  asked     {command}\n  expected  {expected}\n  answered  {got}"
        )))
    }

    fn proven(&mut self, claim: &str) {
        self.note(&format!("  proven: {claim}"));
        if let Some(step) = self.steps.last_mut() {
            step.proofs.push(claim.to_owned());
        }
    }

    fn note(&self, text: &str) {
        self.context.ui.note(text);
    }

    fn failure(&self, message: &str) -> Failure {
        let after = self.steps.last().map_or_else(String::new, |step| format!("after `{}`: ", step.command));
        let console = self.machine.serial.path().display();
        Failure::work(format!("{after}{message}")).hint(format!("the whole console is in `{console}`"))
    }
}

/// A script that compares the package's files with what its header says of them.
fn files_script(version: &Version) -> String {
    let of_kind = |kind| version.own().filter(move |file| file.kind == kind);
    let sums: Vec<String> = of_kind(FileKind::Regular)
        .filter_map(|file| Some(format!("{}  {}", file.digest.as_ref()?.hex, file.path)))
        .collect();
    let mut script = format!("set -e\nsha256sum --check --quiet --strict - <<'END'\n{}\nEND\n", sums.join("\n"));
    for file in of_kind(FileKind::Regular) {
        let expected = format!("{:o} {} {}", file.permissions(), file.user, file.group);
        script.push_str(&same(&expected, &format!("stat -c '%a %U %G' {}", quoted(&file.path)), file));
    }
    for file in of_kind(FileKind::Symlink) {
        script.push_str(&same(&file.link_target, &format!("readlink {}", quoted(&file.path)), file));
    }
    script
}

fn same(expected: &str, command: &str, file: &FileEntry) -> String {
    let expected = quoted(expected);
    format!("[ \"$({command})\" = {expected} ] || {{ echo {} is not {expected}; exit 1; }}\n", quoted(&file.path))
}

/// A word of the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
