use rpm::{Header, ScriptletFlags, ScriptletKind, Trigger, TriggerScope, TriggerWhen};

use crate::InstallError;
use crate::transaction::ScriptletRun;
use crate::workspace::Workspace;

/// Something to be run: a scriptlet or a trigger, resolved to a program and its input.
pub(crate) struct Script {
    /// As people call it, as in `%post`.
    pub(crate) name: String,
    pub(crate) package: String,
    program: Vec<String>,
    body: Option<String>,
    arguments: Vec<u32>,
    pub(crate) stdin: String,
    must_succeed: bool,
}

impl Script {
    /// The scriptlet `kind` of a package that is being installed, if it has one.
    pub(crate) fn scriptlet(header: &Header, kind: ScriptletKind) -> Result<Option<Script>, InstallError> {
        let Some(scriptlet) = header.scriptlet(kind) else { return Ok(None) };
        let name = format!("%{}", kind.name());
        let package = header.nevra().to_string();
        check_flags(scriptlet.flags, &name, &package)?;
        let program = program(&scriptlet.program, &name, &package)?;
        Ok(Some(Script {
            must_succeed: matches!(kind, ScriptletKind::Pre | ScriptletKind::Pretrans),
            name,
            package,
            program,
            body: scriptlet.body,
            // The count of instances after this one is installed, in a root that had none.
            arguments: vec![1],
            stdin: String::new(),
        }))
    }

    /// A trigger of `header`, set off by `paths` (file triggers) or by a package (others).
    pub(crate) fn trigger(header: &Header, trigger: &Trigger, paths: &[String]) -> Result<Script, InstallError> {
        let name = trigger_name(trigger);
        let package = header.nevra().to_string();
        check_flags(trigger.flags, &name, &package)?;
        let program = program(std::slice::from_ref(&trigger.program), &name, &package)?;
        Ok(Script {
            name,
            package,
            program,
            body: Some(trigger.body.clone()),
            arguments: match trigger.scope {
                TriggerScope::Package => vec![1, 1],
                TriggerScope::File => vec![1],
                TriggerScope::TransactionFile => vec![0],
            },
            stdin: paths.iter().map(|path| format!("{path}\n")).collect(),
            must_succeed: false,
        })
    }

    /// Runs it; a failure of one that need not succeed is part of the answer, as in rpm.
    pub(crate) fn run(&self, workspace: &Workspace, host: &host::Host) -> Result<ScriptletRun, InstallError> {
        let mut argv = self.program.clone();
        if self.body.is_some() {
            argv.push("{script}".to_owned());
            argv.extend(self.arguments.iter().map(u32::to_string));
        }
        let mut output = Vec::new();
        let failure = workspace.run(host, &argv, self.body.as_deref(), &self.stdin, &mut |line| {
            if output.len() < MOST_LINES {
                output.push(line.to_owned());
            }
        })?;
        if let (Some(outcome), true) = (&failure, self.must_succeed) {
            return Err(InstallError::Scriptlet {
                scriptlet: self.name.clone(),
                package: self.package.clone(),
                outcome: outcome.clone(),
                output: output.join("\n"),
            });
        }
        Ok(ScriptletRun { package: self.package.clone(), scriptlet: self.name.clone(), failure, output })
    }
}

/// Lines of a scriptlet's output that are kept.
const MOST_LINES: usize = 200;

fn trigger_name(trigger: &Trigger) -> String {
    let when = match trigger.when {
        TriggerWhen::PreIn => "prein",
        TriggerWhen::In => "in",
        TriggerWhen::Un => "un",
        TriggerWhen::PostUn => "postun",
    };
    match trigger.scope {
        TriggerScope::Package => format!("%trigger{when}"),
        TriggerScope::File => format!("%filetrigger{when}"),
        TriggerScope::TransactionFile => format!("%transfiletrigger{when}"),
    }
}

fn check_flags(flags: ScriptletFlags, name: &str, package: &str) -> Result<(), InstallError> {
    for (flag, needs) in [
        (ScriptletFlags::EXPAND, "macro expansion at install time (`-e`)"),
        (ScriptletFlags::QUERY_FORMAT, "query formats at install time (`-q`)"),
    ] {
        if flags.has(flag) {
            return Err(interpreter(name, package, needs));
        }
    }
    Ok(())
}

fn program(program: &[String], name: &str, package: &str) -> Result<Vec<String>, InstallError> {
    match program.first().map(String::as_str) {
        Some("<lua>") => Err(interpreter(name, package, "`<lua>`, rpm's own interpreter")),
        Some(path) if path.starts_with('/') => Ok(program.to_vec()),
        None => Ok(vec!["/bin/sh".to_owned()]),
        Some(other) => Err(interpreter(name, package, &format!("`{other}`"))),
    }
}

fn interpreter(scriptlet: &str, package: &str, needs: &str) -> InstallError {
    InstallError::Interpreter { scriptlet: scriptlet.to_owned(), package: package.to_owned(), needs: needs.to_owned() }
}

/// The paths below `prefixes`, as file triggers name them.
pub(crate) fn matching(trigger: &Trigger, paths: &[String]) -> Vec<String> {
    let is_below = |path: &String| trigger.conditions.iter().any(|condition| path.starts_with(&condition.name));
    paths.iter().filter(|path| is_below(path)).cloned().collect()
}
