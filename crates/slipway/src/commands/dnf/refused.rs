use std::ffi::OsString;

use crate::explain::Failure;

/// Commands of dnf5 that are not here, and why.
const REFUSED: &[(&str, &str)] = &[
    ("automatic", "unattended upgrades are a timer and `slipway dnf -y upgrade --security` in it"),
    ("changelog", "`slipway dnf repoquery --changelogs` shows changelogs"),
    ("copr", "Copr is Fedora's; `slipway dnf config-manager addrepo` adds any repository by its address"),
    ("do", "one transaction has one kind of change; `slipway dnf swap` has two"),
    ("manifest", "the packages of a definition are locked by `slipway lock`"),
    ("module", "modules were given up by their makers; no repository of ours has any"),
    ("repomanage", "a snapshot that is published never changes; `slipway repo publish` makes another"),
];

/// Why what the solver was asked is not written down.
pub(super) fn debug_solver() -> Failure {
    Failure::usage("`--debugsolver` is not done here: there is no file format that another solver could read")
        .hint("a request that cannot be met is answered with the reasons; `--assumeno` shows what a request comes to")
}

/// Why a command that is not here is refused.
pub(super) fn failure(words: &[OsString]) -> Failure {
    let name = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    match REFUSED.iter().find(|(refused, _)| *refused == name) {
        Some((_, why)) => Failure::usage(format!("`{name}` is not done here: {why}")),
        None => Failure::usage(format!("there is no command `{name}`")).hint("`slipway dnf --help` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_are_not_here_say_why() {
        let failure = failure(&["module".into(), "list".into()]);
        assert_eq!(failure.code, 2);
        assert!(failure.to_string().contains("`module` is not done here"), "{failure}");
        assert!(super::failure(&["nonsense".into()]).to_string().contains("there is no command `nonsense`"));
    }
}
