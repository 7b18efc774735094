use rpm::{Header, ScriptletFlags, ScriptletKind, Trigger, TriggerScope, TriggerWhen};

use crate::InstallError;
use crate::lua;
use crate::site::Site;
use crate::transaction::ScriptletRun;
use crate::triggers::Due;

/// Something to be run: a scriptlet or a trigger, resolved to a program and its input.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Script {
    /// As people call it, as in `%post`.
    pub(crate) name: String,
    pub(crate) package: String,
    program: Vec<String>,
    body: Option<String>,
    arguments: Vec<u32>,
    stdin: Vec<String>,
    must_succeed: bool,
}

/// rpm's own interpreter.
const LUA: &str = "<lua>";

impl Script {
    /// The scriptlet `kind` of a package, if it has one; `count` is how many of its name there will be.
    pub(crate) fn scriptlet(header: &Header, kind: ScriptletKind, count: u32) -> Result<Option<Script>, InstallError> {
        let Some(scriptlet) = header.scriptlet(kind) else { return Ok(None) };
        let name = format!("%{}", kind.name());
        let package = header.nevra().to_string();
        check_flags(scriptlet.flags, &name, &package)?;
        let program = program(&scriptlet.program, &name, &package)?;
        let is_critical = matches!(
            kind,
            ScriptletKind::Pre | ScriptletKind::Pretrans | ScriptletKind::Preun | ScriptletKind::Preuntrans
        );
        Ok(Some(Script {
            must_succeed: is_critical || scriptlet.flags.has(ScriptletFlags::CRITICAL),
            name,
            package,
            program,
            body: scriptlet.body,
            arguments: vec![count],
            stdin: Vec::new(),
        }))
    }

    /// A trigger that is due.
    pub(crate) fn trigger(due: Due) -> Result<Script, InstallError> {
        let name = trigger_name(&due.trigger);
        let package = due.facts.nevra.clone();
        check_flags(due.trigger.flags, &name, &package)?;
        let program = program(std::slice::from_ref(&due.trigger.program), &name, &package)?;
        Ok(Script {
            name,
            package,
            program,
            must_succeed: due.trigger.flags.has(ScriptletFlags::CRITICAL),
            body: Some(due.trigger.body),
            arguments: due.arguments,
            stdin: due.paths,
        })
    }

    /// Runs it; a failure of one that need not succeed is part of the answer, as in rpm.
    pub(crate) fn run(&self, site: &mut Site<'_, '_>) -> Result<ScriptletRun, InstallError> {
        let mut output = Vec::new();
        let mut keep = |line: &str| {
            if output.len() < MOST_LINES {
                output.push(line.to_owned());
            }
        };
        let failure = if self.program.first().is_some_and(|program| program == LUA) {
            let body = self.body.as_deref().unwrap_or_default();
            lua::run(&lua::Call { body, arguments: &self.arguments, paths: &self.stdin }, site, &mut keep)?
        } else {
            let mut argv = self.program.clone();
            if self.body.is_some() {
                argv.push("{script}".to_owned());
                argv.extend(self.arguments.iter().map(u32::to_string));
            }
            let stdin: String = self.stdin.iter().map(|path| format!("{path}\n")).collect();
            site.run_program(&argv, self.body.as_deref(), &stdin, &mut keep)?
        };
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
        Some(LUA) => Ok(program.to_vec()),
        Some(path) if path.starts_with('/') => Ok(program.to_vec()),
        None => Ok(vec!["/bin/sh".to_owned()]),
        Some(other) => Err(interpreter(name, package, &format!("`{other}`"))),
    }
}

fn interpreter(scriptlet: &str, package: &str, needs: &str) -> InstallError {
    InstallError::Interpreter { scriptlet: scriptlet.to_owned(), package: package.to_owned(), needs: needs.to_owned() }
}
