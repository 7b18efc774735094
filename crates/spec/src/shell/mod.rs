//! `%(command)` without a shell.
//!
//! Specs call the shell for little things: to cut a commit's hash, to add numbers, to turn dots into underscores. This is a
//! small POSIX shell of its own: it knows variables, pipes, `&&`, `||`, `if`, `for`, `case`, and the commands that only turn
//! text into text. Whatever would look at the machine is refused, so that an answer never depends on where it was given.
//!
//! Source: POSIX.1-2017, "Shell Command Language"; `${name:from:length}` and `${name/pattern/text}` are bash's.

mod arithmetic;
mod commands;
mod date;
mod machine;
mod pattern;
mod run;
mod sed;
mod syntax;
mod test;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::machine::Machine;
use crate::{Files, Reply, Shell};

/// The shell that asks nobody: it answers the harmless idioms of spec files itself and refuses the rest.
///
/// [`NativeShell::default`] refuses whatever would look at the machine. [`NativeShell::of_bare_root`] answers for a machine that
/// has nothing but the given files.
#[derive(Clone, Default)]
pub struct NativeShell {
    answers: BTreeMap<String, String>,
    files: Option<Arc<dyn Files>>,
}

impl std::fmt::Debug for NativeShell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NativeShell").field("answers", &self.answers).finish_non_exhaustive()
    }
}

impl NativeShell {
    /// The shell of a root that holds a shell, its text tools and `files`, and else nothing: another program is not found, a
    /// variable that nobody set is empty, no package is installed, and there are as many processors as
    /// [`Environment`](crate::Environment) has at first.
    ///
    /// This is how rpm answers where only it and the macro files are installed: as on a machine that was made to read specs.
    #[must_use]
    pub fn of_bare_root(files: Arc<dyn Files>) -> NativeShell {
        NativeShell { answers: BTreeMap::new(), files: Some(files) }
    }

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
        self.reply(command, clock).map(|reply| reply.output)
    }

    fn reply(&self, command: &str, clock: pkg::SourceDateEpoch) -> Result<Reply, String> {
        if let Some(answer) = self.answers.get(command.trim()) {
            return Ok(Reply { output: answer.clone(), supposed: None });
        }
        let script = syntax::parse(command)?;
        let machine = Machine::new(clock, self.files.as_deref(), &self.answers);
        let output = run::run(&script, &machine)?;
        Ok(Reply { output, supposed: machine.supposed.into_inner() })
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
    fn idioms_of_bash_and_of_newer_specs() {
        for (command, output) in [
            ("tr . _ <<< 2.9.3", "2_9_3\n"),
            ("sed 's/\\.//g' <<<9.2.4", "924\n"),
            ("eval echo 2.41.3 | cut -d. -f1", "2\n"),
            ("bash -c 'x=7; echo $x'; echo ${x:-gone}", "7\ngone\n"),
            ("echo 3.8.12 | grep -m1 -o '[0-9]*\\.[0-9]*' | head -1", "3.8\n"),
            ("echo 1.5.7.2 | cut -d. -f1,2,3 --output-delimiter -", "1-5-7\n"),
            ("echo C 059 | tr --delete ' '", "C059\n"),
            ("printf '%.4f' 0.72", "0.7200"),
            ("date -u +%F -d '2 years ago'", "1999-09-09\n"),
            ("date +%s -d '1 week ago'", "999395200\n"),
            ("echo a b | xargs echo", "a b\n"),
            ("echo a-b | tr -- - _", "a_b\n"),
            ("printf -- '--skip %s ' a b", "--skip a --skip b "),
            ("echo $(($(wc -c <<< /usr) + 1))", "6\n"),
        ] {
            let answer = NativeShell::default().run(command, pkg::SourceDateEpoch(1_000_000_000));
            assert_eq!(answer.as_deref(), Ok(output), "{command}");
        }
    }

    #[test]
    fn a_bare_root_has_nothing_but_its_files() {
        let files = BTreeMap::from([
            ("/etc/os-release".to_owned(), Arc::from("ID=skiff\nVERSION_ID=4.2\n")),
            ("/usr/lib/rpm/macros.d/macros.x".to_owned(), Arc::from("%x y\n")),
        ]);
        let shell = NativeShell::of_bare_root(Arc::new(files)).with_answer("ghc --numeric-version", "9.8.4\n");
        for (command, output) in [
            ("ghc --numeric-version", "9.8.4\n"),
            ("pkg-config --modversion zlib 2>/dev/null || echo 0", "0\n"),
            ("/usr/bin/python3 -c 'print(1)'", ""),
            (". /etc/os-release; echo $ID-${VERSION_ID%.*}", "skiff-4\n"),
            ("grep ^ID= /etc/os-release | sed -e 's/^ID=//'", "skiff\n"),
            ("sed -n 's/^ID=//p' /etc/os-release", "skiff\n"),
            ("cut -d= -f2 < /etc/os-release | head -n1", "skiff\n"),
            ("head -n1 /etc/os-release", "ID=skiff\n"),
            ("cat /usr/include/httpd/.mmn 2>/dev/null || echo 0-0", "0-0\n"),
            ("d=/usr/lib/rpm/macros.d; [ -d $d ] || d=/etc/rpm; echo $d", "/usr/lib/rpm/macros.d\n"),
            ("[ -f /usr/lib/rpm/macros.d ] || echo directory", "directory\n"),
            ("test -r /src/archive.tar.gz && date +%Y", ""),
            ("[ -z \"$RPM_BUILD_NCPUS\" ] && nproc", "2\n"),
            ("rpm -q --qf '%{version}' expat | sed 's/.*not installed/none/'", "none\n"),
            ("echo expat zlib | xargs -r rpm -q", "package expat is not installed\npackage zlib is not installed\n"),
        ] {
            assert_eq!(shell.run(command, pkg::SourceDateEpoch(0)).as_deref(), Ok(output), "{command}");
        }
        for command in ["uname -r", "ls /", "echo x > /etc/os-release", "eval 'eval \"echo `id`\"'"] {
            assert!(shell.run(command, pkg::SourceDateEpoch(0)).is_err(), "{command}");
        }
    }

    #[test]
    fn what_asks_the_machine_is_refused() {
        for command in [
            "uname -r",
            "pkg-config --modversion zlib",
            "echo $HOME",
            ". /etc/os-release",
            "cut -c1 < /etc/os-release",
            "grep ID /etc/os-release",
            "sed p /etc/os-release",
            "[ -e /etc/os-release ]",
            "rpm -q zlib",
            "mktemp -d",
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
