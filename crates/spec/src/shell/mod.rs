//! `%(command)` without a shell.
//!
//! Specs call the shell for little things: to cut a commit's hash, to add numbers, to turn dots into underscores. This is a
//! small POSIX shell of its own: it knows variables, pipes, `&&`, `||`, `if`, `for`, `case`, and the commands that only turn
//! text into text. Whatever would look at the machine is refused, so that an answer never depends on where it was given.
//!
//! Source: POSIX.1-2017, "Shell Command Language"; `${name:from:length}` and `${name/pattern/text}` are bash's.

mod commands;
mod pattern;
mod run;
mod sed;
mod syntax;
mod test;

use std::collections::BTreeMap;

use crate::Shell;

/// The shell that asks nobody: it answers the harmless idioms of spec files itself and refuses the rest.
#[derive(Clone, Debug, Default)]
pub struct NativeShell {
    answers: BTreeMap<String, String>,
}

impl NativeShell {
    /// The same shell, which answers `command` (compared after expansion, white space around it aside) with `output`.
    ///
    /// For commands that ask the machine, as in `pkg-config --modversion zlib`: the definition says what they are to answer.
    #[must_use]
    pub fn with_answer(mut self, command: impl AsRef<str>, output: impl Into<String>) -> NativeShell {
        self.answers.insert(command.as_ref().trim().to_owned(), output.into());
        self
    }
}

impl Shell for NativeShell {
    fn run(&self, command: &str, clock: pkg::SourceDateEpoch) -> Result<String, String> {
        if let Some(answer) = self.answers.get(command.trim()) {
            return Ok(answer.clone());
        }
        let script = syntax::parse(command)?;
        run::run(&script, clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idioms_of_specs() {
        let shell = NativeShell::default().with_answer("gcc -dumpversion", "14\n");
        for (command, output) in [
            ("c=0123456789abcdef; echo ${c:0:7}", "0123456\n"),
            ("echo 1.2.3 | cut -d. -f1-2", "1.2\n"),
            ("echo 1.2.3 | tr . _", "1_2_3\n"),
            ("echo '1.2~rc1' | sed -e 's/~//' -e 's|\\.|-|g'", "1-2rc1\n"),
            ("echo abc | sed -E 's/(a)(b)/\\2\\1/'", "bac\n"),
            ("echo -n x", "x"),
            ("printf '%s-%02d' a 7", "a-07"),
            ("echo 1.2.3 | awk -F. '{print $1\".\"$2}'", "1.2\n"),
            ("v=1.2.3; echo ${v%.*} ${v##*.} ${v//./_}", "1.2 3 1_2_3\n"),
            ("[ 3 -gt 2 ] && echo yes || echo no", "yes\n"),
            ("if test 3 -ge 50 -o \\( 5 -eq 5 -a 95 -ge 90 \\) ; then echo unstable; fi", "unstable\n"),
            ("if test a = b; then echo 1; else echo 0; fi", "0\n"),
            ("for i in 1 2 3; do echo -n $i,; done", "1,2,3,"),
            ("date -u +%Y-%m-%d", "2001-09-09\n"),
            ("expr 3 + 4", "7\n"),
            ("echo $((2 * (3 + 4)))", "14\n"),
            ("echo \"a  b\" c   d", "a  b c d\n"),
            ("x=$(echo hi); echo `echo $x`", "hi\n"),
            ("echo one two | head -c 3", "one"),
            ("case 10.5 in 10*) echo ten;; *) echo other;; esac", "ten\n"),
            ("basename /usr/lib/x.so .so", "x\n"),
            ("false || true && echo fine 2>/dev/null", "fine\n"),
            (" gcc -dumpversion ", "14\n"),
            ("echo b a | tr ' ' '\\n' | sort | tail -n1", "b\n"),
            ("echo abc | grep -q b && echo found", "found\n"),
            ("echo 20240131 | rev", "13104202\n"),
            ("# nothing", ""),
        ] {
            assert_eq!(shell.run(command, pkg::SourceDateEpoch(1_000_000_000)).as_deref(), Ok(output), "{command}");
        }
    }

    #[test]
    fn what_asks_the_machine_is_refused() {
        for command in [
            "uname -r",
            "cat /etc/os-release",
            "ls *",
            "echo x > file",
            "echo *",
            "echo $(id)",
            "while :; do :; done",
            "echo 'a",
        ] {
            assert!(NativeShell::default().run(command, pkg::SourceDateEpoch(0)).is_err(), "{command}");
        }
    }
}
