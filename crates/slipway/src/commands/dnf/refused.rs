use std::ffi::OsString;

use crate::explain::Failure;

/// Commands of dnf5 that are not here, and why.
const REFUSED: &[(&str, &str)] = &[
    ("advisory", "advisories of repositories (updateinfo) are not read yet"),
    ("updateinfo", "advisories of repositories (updateinfo) are not read yet"),
    ("automatic", "unattended upgrades are not made yet"),
    ("builddep", "build dependencies are those of a component: `slipway build`"),
    ("config-manager", "repository files are not edited yet; they are text files in /etc/yum.repos.d"),
    ("copr", "Copr is Fedora's; add its address as a repository file"),
    ("debuginfo-install", "debug packages are not looked for yet; install them by name"),
    ("environment", "groups of repositories (comps) are not read yet"),
    ("group", "groups of repositories (comps) are not read yet"),
    ("module", "modules were given up by their makers; no repository of ours has any"),
    ("needs-restarting", "running programs are not looked at yet"),
    ("offline", "transactions at the next boot are not made yet"),
    ("offline-upgrade", "transactions at the next boot are not made yet"),
    ("replay", "stored transactions are not replayed yet"),
    ("reposync", "repositories are not copied yet"),
    ("system-upgrade", "transactions at the next boot are not made yet"),
];

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
