//! Calls of tdnf and yum in shell text, rewritten to dnf's.
//!
//! Text is read as a shell does, as far as that takes: words, quotes, comments, operators, and lines that end in a backslash.
//! Only words of a call of tdnf or yum change; everything else stays to the byte.

/// A word that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    pub(super) line: usize,
    pub(super) from: String,
    pub(super) to: String,
}

/// A word that stayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) line: usize,
    pub(super) word: String,
    pub(super) why: &'static str,
}

/// A text, rewritten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) changes: Vec<Replaced>,
    pub(super) left: Vec<Left>,
}

/// Words behind which a command begins.
const BEFORE_COMMANDS: &[&str] = &[
    "RUN", "then", "do", "else", "elif", "if", "while", "until", "!", "{", "sudo", "exec", "time", "nice", "command",
    "eval", "env",
];

/// Commands of tdnf and yum that dnf calls otherwise.
const COMMANDS: &[(&str, &str)] = &[
    ("update", "upgrade"),
    ("check-update", "check-upgrade"),
    ("erase", "remove"),
    ("autoerase", "autoremove"),
    ("whatprovides", "provides"),
    ("localinstall", "install"),
    ("localupdate", "upgrade"),
    ("groupinstall", "group install"),
    ("groupremove", "group remove"),
    ("grouplist", "group list"),
    ("updateinfo", "advisory"),
    ("update-minimal", "upgrade --minimal"),
    ("upgrade-to", "upgrade"),
    ("update-to", "upgrade"),
    ("distribution-synchronization", "distro-sync"),
    ("deplist", "repoquery --deplist"),
    ("resolvedep", "provides"),
];

/// Options of tdnf and yum that dnf calls otherwise.
const OPTIONS: &[(&str, &str)] = &[
    ("--nogpgcheck", "--no-gpgchecks"),
    ("--enablerepo", "--enable-repo"),
    ("--disablerepo", "--disable-repo"),
    ("--repoid", "--repo"),
    ("--noplugins", "--no-plugins"),
    ("--nobest", "--no-best"),
    ("--disableexcludes", "--setopt=disable_excludes"),
    ("--skipbroken", "--skip-broken"),
    ("--exclude-from", "--exclude"),
];

/// Commands that dnf does not have.
const GONE: &[(&str, &str)] = &[
    ("count", "dnf has no such command; count the lines of `dnf list`"),
    ("shell", "dnf5 has no shell"),
    ("load-transaction", "dnf has `history store` and `replay`"),
    ("fs", "dnf5 has no such command"),
    ("help", "dnf has `--help`"),
];

/// Rewrites a script or Dockerfile.
pub(super) fn rewrite(text: &str) -> Rewritten {
    let mut done = Rewritten::default();
    let mut state = State::Start;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let mut work = Line { number: index + 1, done: &mut done, out: String::new() };
        state = work.rewrite(line, state);
        let out = work.out;
        done.text.push_str(&out);
    }
    done
}

/// Where in a call the next word stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// At a command.
    Start,
    /// In words of another command.
    Elsewhere,
    /// Behind `tdnf`, before its command.
    Called,
    /// Behind `tdnf COMMAND`; the command.
    In(String),
}

struct Line<'a> {
    number: usize,
    done: &'a mut Rewritten,
    out: String,
}

impl Line<'_> {
    fn rewrite(&mut self, line: &str, mut state: State) -> State {
        let body = line.trim_end_matches(['\n', '\r']);
        let mut rest = body;
        let mut continues = false;
        while let Some(c) = rest.chars().next() {
            if c.is_whitespace() {
                self.copy(&mut rest, c.len_utf8());
            } else if c == '#' {
                // A comment to the end of the line. In a Dockerfile a call goes on behind it.
                let is_whole_line = self.out.trim().is_empty();
                self.out.push_str(rest);
                rest = "";
                continues = is_whole_line && state != State::Start;
            } else if rest == "\\" {
                self.copy(&mut rest, 1);
                continues = true;
            } else if ";&|()`".contains(c) {
                self.copy(&mut rest, 1);
                state = State::Start;
            } else {
                let length = word_length(rest);
                let (word, after) = rest.split_at(length);
                state = self.word(word, state);
                rest = after;
            }
        }
        self.out.push_str(&line[body.len()..]);
        if continues { state } else { State::Start }
    }

    fn copy(&mut self, rest: &mut &str, length: usize) {
        self.out.push_str(&rest[..length]);
        *rest = &rest[length..];
    }

    fn word(&mut self, word: &str, state: State) -> State {
        match state {
            State::Start => self.first_word(word),
            State::Elsewhere => {
                self.stray(word);
                self.keep(word, State::Elsewhere)
            }
            State::Called => self.option_or_command(word),
            State::In(command) => self.argument(word, command),
        }
    }

    fn first_word(&mut self, word: &str) -> State {
        let name = word.rsplit('/').next().unwrap_or(word);
        if name == "tdnf" || name == "yum" || name == "microdnf" {
            let to = word.replace(name, "dnf");
            self.replace(word, &to);
            return State::Called;
        }
        let is_assignment = word
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        let is_mount = word.starts_with("--mount") || word.starts_with("--network") || word.starts_with("--security");
        if BEFORE_COMMANDS.contains(&word) || is_assignment || is_mount {
            self.stray(word);
            return self.keep(word, State::Start);
        }
        if word == "yum-config-manager" {
            self.left(word, "write `dnf config-manager addrepo --from-repofile=URL`, or `setopt`");
        } else {
            self.stray(word);
        }
        self.keep(word, State::Elsewhere)
    }

    fn option_or_command(&mut self, word: &str) -> State {
        if word.starts_with('-') {
            self.option(word);
            return State::Called;
        }
        if word.starts_with(['$', '"', '\'']) {
            self.left(word, "the command is not known before it runs");
            return self.keep(word, State::In(String::new()));
        }
        // The value of an option before it, as in `tdnf --releasever 3.0 install`.
        let is_value =
            word.starts_with('/') || word.starts_with(|c: char| c.is_ascii_digit()) || word.contains(['*', ':', '=']);
        if is_value {
            return self.keep(word, State::Called);
        }
        if let Some((_, why)) = GONE.iter().find(|(name, _)| *name == word) {
            self.left(word, why);
            return self.keep(word, State::In(word.to_owned()));
        }
        match COMMANDS.iter().find(|(name, _)| *name == word) {
            Some((_, to)) => self.replace(word, to),
            None => self.out.push_str(word),
        }
        State::In(word.to_owned())
    }

    fn argument(&mut self, word: &str, command: String) -> State {
        if word.starts_with('-') {
            self.option(word);
            return State::In(command);
        }
        let to = match (command.as_str(), word) {
            ("list", "installed" | "available" | "upgrades" | "updates" | "extras" | "autoremove") => {
                let name = if word == "updates" { "upgrades" } else { word };
                Some(format!("--{name}"))
            }
            ("list", "all") => Some(String::new()),
            ("repolist", "all" | "enabled" | "disabled") => Some(format!("--{word}")),
            ("mark", "install") => Some("user".to_owned()),
            ("mark", "remove") => Some("dependency".to_owned()),
            ("clean", "expire-cache" | "metadata" | "packages" | "all" | "dbcache") => None,
            _ => None,
        };
        match to {
            Some(to) if to.is_empty() => {
                self.replace(word, &to);
                // The blank before it is one too many now.
                let trimmed = self.out.trim_end_matches(' ').len();
                self.out.truncate(trimmed);
            }
            Some(to) => self.replace(word, &to),
            None => {
                self.stray(word);
                self.out.push_str(word);
            }
        }
        // Only the first word behind a command is one of its own.
        State::In(if word.starts_with('-') { command } else { format!("{command} ") })
    }

    fn option(&mut self, word: &str) {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if name == "-j" {
            return self.replace(word, "--json");
        }
        if name == "--noautoremove" {
            return self.replace(word, "--setopt=clean_requirements_on_remove=0");
        }
        let to = OPTIONS.iter().find(|(old, _)| *old == name).map(|(_, to)| *to);
        match (to, value) {
            (Some(to), Some(value)) => self.replace(word, &format!("{to}={value}")),
            (Some(to), None) => self.replace(word, to),
            // dnf looks for repositories in the root; tdnf and yum looked on the machine.
            (None, value) if name == "--installroot" => {
                let to = match value {
                    Some(value) => format!("--use-host-config --installroot={value}"),
                    None => "--use-host-config --installroot".to_owned(),
                };
                self.replace(word, &to);
            }
            (None, _) => self.out.push_str(word),
        }
    }

    /// Tells a word that speaks of tdnf or yum and is no call that can be rewritten.
    fn stray(&mut self, word: &str) {
        const PATHS: &[(&str, &str)] = &[
            ("/etc/tdnf", "dnf reads /etc/dnf/dnf.conf"),
            ("/var/cache/tdnf", "dnf keeps its cache elsewhere"),
            ("/etc/yum.conf", "dnf reads /etc/dnf/dnf.conf"),
        ];
        if let Some((_, why)) = PATHS.iter().find(|(path, _)| word.contains(path)) {
            return self.left(word, why);
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let names = word.split(|c: char| !is_part(c));
        let names: Vec<&str> = names.filter(|name| matches!(*name, "tdnf" | "yum")).collect();
        if !names.is_empty() {
            self.left(word, "it is not a call that can be read");
        }
    }

    fn left(&mut self, word: &str, why: &'static str) {
        self.done.left.push(Left { line: self.number, word: word.to_owned(), why });
    }

    fn keep(&mut self, word: &str, state: State) -> State {
        self.out.push_str(word);
        state
    }

    fn replace(&mut self, from: &str, to: &str) {
        self.out.push_str(to);
        let (from, to) = (from.to_owned(), to.to_owned());
        self.done.changes.push(Replaced { line: self.number, from, to });
    }
}

/// Bytes of the word at the start of `text`; quotes and what they hold are part of it.
fn word_length(text: &str) -> usize {
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => {
                // A backslash at the end of the line joins lines and is no part of a word.
                if text[at + 1..].is_empty() && at > 0 {
                    return at;
                }
                characters.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, c) if c.is_whitespace() || ";&|()`".contains(c) => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_rewritten() {
        for (from, to) in [
            ("tdnf install -y vim", "dnf install -y vim"),
            ("RUN tdnf -y update && tdnf clean all", "RUN dnf -y upgrade && dnf clean all"),
            ("sudo /usr/bin/tdnf check-update; echo $?", "sudo /usr/bin/dnf check-upgrade; echo $?"),
            (
                "if ! yum list installed foo; then yum erase bar; fi",
                "if ! dnf list --installed foo; then dnf remove bar; fi",
            ),
            (
                "tdnf install -y --releasever 3.0 --installroot /staging gcc --nogpgcheck",
                "dnf install -y --releasever 3.0 --use-host-config --installroot /staging gcc --no-gpgchecks",
            ),
            ("tdnf --enablerepo=a --disablerepo '*' install x", "dnf --enable-repo=a --disable-repo '*' install x"),
            ("RUN --mount=type=cache,target=/x tdnf makecache", "RUN --mount=type=cache,target=/x dnf makecache"),
            ("tdnf mark install a", "dnf mark user a"),
            ("x=$(tdnf -j repolist all)", "x=$(dnf --json repolist --all)"),
            ("yum groupinstall -y 'Development Tools'", "dnf group install -y 'Development Tools'"),
            ("yum list all", "dnf list"),
            ("# tdnf install", "# tdnf install"),
            ("cat /etc/yum.repos.d/a.repo", "cat /etc/yum.repos.d/a.repo"),
            ("dnf install yum-utils update", "dnf install yum-utils update"),
            ("tdnf install update", "dnf install update"),
        ] {
            assert_eq!(rewrite(from).text, to, "{from}");
        }
    }

    #[test]
    fn calls_go_on_over_lines_and_comments() {
        let from =
            "RUN tdnf install -y \\\n      # editors\n      vim \\\n      --nogpgcheck \\\n && tdnf update\n\ntdnf\n";
        let to =
            "RUN dnf install -y \\\n      # editors\n      vim \\\n      --no-gpgchecks \\\n && dnf upgrade\n\ndnf\n";
        let done = rewrite(from);
        assert_eq!(done.text, to);
        assert_eq!(done.left, []);
        assert_eq!(done.changes.iter().map(|change| change.line).collect::<Vec<_>>(), [1, 4, 5, 5, 7]);
    }

    #[test]
    fn what_cannot_be_rewritten_is_told() {
        for (text, line, word) in [
            ("a\nPM=tdnf\n", 2, "PM=tdnf"),
            ("RUN [\"tdnf\", \"install\"]\n", 1, "[\"tdnf\","),
            ("tdnf $ACTION vim\n", 1, "$ACTION"),
            ("tdnf count\n", 1, "count"),
            ("sed -i s/a/b/ /etc/tdnf/tdnf.conf\n", 1, "/etc/tdnf/tdnf.conf"),
            ("yum-config-manager --add-repo http://x\n", 1, "yum-config-manager"),
            ("command -v tdnf2 || which yum\n", 1, "yum"),
        ] {
            let done = rewrite(text);
            let left = done.left.first().unwrap_or_else(|| panic!("nothing is left of {text:?}: {}", done.text));
            assert_eq!((left.line, left.word.as_str()), (line, word), "{text:?}");
        }
    }

    #[test]
    fn rewriting_twice_changes_nothing_more() {
        for text in [
            "RUN tdnf install -y --installroot=/a --releasever 3 gcc && yum update\r\n",
            "yum localinstall a.rpm | tee log &\ntdnf updateinfo; tdnf autoerase",
            "x=`yum list updates`\n",
        ] {
            let once = rewrite(text).text;
            let twice = rewrite(&once);
            assert_eq!((twice.text, twice.changes), (once, Vec::new()), "{text:?}");
        }
    }
}
