//! `%setup` and `%patch`: the shell text that they stand for.

use super::words::{self, Options};
use crate::ErrorKind;
use crate::macros::{Engine, KnownSource, Level, Outcome, Output};

/// Behind each unpacking: a failure ends the script.
const CHECK: &str = "\nSTATUS=$?\nif [ $STATUS -ne 0 ]; then\n  exit $STATUS\nfi\n";

impl Engine {
    /// `%setup -q -n NAME -c -C -D -T -a N -b N`.
    pub(crate) fn setup_sources(&self, arguments: &[String], output: &mut Output) -> Outcome {
        let options = self.prep_options("setup", arguments, "a:b:cCDn:Tq")?;
        let quiet = options.has('q');
        let (mut before, mut after) = (String::new(), String::new());
        for (letter, value) in &options.options {
            let target = match letter {
                'a' => &mut after,
                'b' => &mut before,
                _ => continue,
            };
            target.push_str(&self.unpack(self.number("setup", value)?, quiet, false)?);
        }
        let directory = match options.value('n') {
            Some(name) => name.to_owned(),
            None => self.expand_text("%{NAME}-%{VERSION}")?,
        };
        self.set("buildsubdir", &directory, Level::SPEC);
        let text = &mut output.text;
        text.push_str(&self.expand_text("cd '%{_builddir}'\n")?);
        if !options.has('D') {
            text.push_str(&self.expand_text("rm -rf '%{buildsubdir}'\n")?);
        }
        text.push_str(&before);
        let enter = self.expand_text("cd '%{buildsubdir}'\n")?;
        if options.has('c') {
            text.push_str(&self.expand_text("%{__mkdir_p} '%{buildsubdir}'\n")?);
            text.push_str(&enter);
        }
        if !options.has('T') {
            text.push_str(&self.unpack(0, quiet, options.has('C'))?);
        }
        if !options.has('c') {
            text.push_str(&enter);
        }
        text.push_str(&after);
        let permissions = self.expand_text("%{_fixperms} .")?;
        if !permissions.starts_with('%') {
            text.push_str(&permissions);
            text.push('\n');
        }
        Ok(())
    }

    /// `%patch -P N -p N -b SUFFIX ..`, `%patch N`.
    pub(crate) fn apply_patches(&self, arguments: &[String], output: &mut Output) -> Outcome {
        let options = self.prep_options("patch", arguments, "P:p:REb:z:F:d:o:Z")?;
        let mut numbers: Vec<&str> =
            options.options.iter().filter(|(letter, _)| *letter == 'P').map(|(_, value)| value.as_str()).collect();
        numbers.extend(options.names.iter().map(String::as_str));
        if numbers.is_empty() {
            return Err(
                self.fail(ErrorKind::Argument { name: "patch".to_owned(), problem: "it names no patch".to_owned() })
            );
        }
        let strip = options.value('p').map_or(Ok(0), |value| self.number("patch", value))?;
        let fuzz = match options.value('F') {
            Some(value) => i64::from(self.number("patch", value)?),
            None => self.expand_number("%{_default_patch_fuzz}")?,
        };
        let mut flags = format!("{} -p{strip} ", self.expand_text("%{?_default_patch_flags}")?);
        if let Some(suffix) = options.value('b').or_else(|| options.value('z')) {
            flags.push_str(&format!("-b --suffix {suffix}"));
        }
        if fuzz >= 0 {
            flags.push_str(&format!(" --fuzz={fuzz}"));
        }
        for (letter, option) in [('d', " -d "), ('o', " -o ")] {
            if let Some(value) = options.value(letter) {
                flags.push_str(option);
                flags.push_str(value);
            }
        }
        for (letter, option) in [('R', " -R"), ('E', " -E"), ('Z', " -Z")] {
            if options.has(letter) {
                flags.push_str(option);
            }
        }
        for number in numbers {
            let number = self.number("patch", number)?;
            let patch = self.known_source(true, number)?;
            // Whether the file is compressed is not looked at: rpmuncompress passes on what is not.
            let command = self.expand_text(&format!(
                "{{ %{{__rpmuncompress}} {} || echo patch_fail ; }} | %{{__patch}} {flags}",
                patch.path
            ))?;
            output.text.push_str(&format!("echo \"Patch #{number} ({}):\"\n{command}\n\n", patch.name));
        }
        Ok(())
    }

    fn prep_options(&self, name: &str, arguments: &[String], known: &str) -> Outcome<Options> {
        let wrong = |problem: String| self.fail(ErrorKind::Argument { name: name.to_owned(), problem });
        // rpm joins the words and splits them by popt's rules once more.
        let words =
            words::split(&format!("{name} {}", arguments.join(" "))).map_err(|problem| wrong(problem.to_owned()))?;
        Options::read(&words, known).map_err(wrong)
    }

    fn number(&self, name: &str, text: &str) -> Outcome<u32> {
        text.parse().map_err(|_| {
            self.fail(ErrorKind::Argument { name: name.to_owned(), problem: format!("`{text}` is no number") })
        })
    }

    fn known_source(&self, is_patch: bool, number: u32) -> Outcome<KnownSource> {
        let found =
            self.sources.borrow().iter().find(|known| known.is_patch == is_patch && known.number == number).cloned();
        found.ok_or_else(|| {
            let (name, kind) = if is_patch { ("patch", "patch") } else { ("setup", "source") };
            self.fail(ErrorKind::Argument { name: name.to_owned(), problem: format!("there is no {kind} {number}") })
        })
    }

    fn unpack(&self, number: u32, quiet: bool, into_own: bool) -> Outcome<String> {
        let source = self.known_source(false, number)?;
        let mut text = self.expand_text(&format!(
            "%{{__rpmuncompress}} -x {}{}%{{shescape:{}}}",
            if quiet { "" } else { "-v " },
            if into_own { "-C %{buildsubdir} " } else { "" },
            source.path
        ))?;
        text.push_str(CHECK);
        Ok(text)
    }
}
