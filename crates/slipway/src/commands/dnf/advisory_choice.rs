use clap::Args;
use update::query::advisories::{self, Advisory, Choice};
use update::{Sack, SackError};

use super::session::{Session, failed};
use crate::explain::Failure;

/// Options that name advisories; several of them mean the advisories of any.
#[derive(Args, Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "dnf has a switch for each")]
pub(super) struct Advisories {
    /// What advisories of this kind speak of.
    #[arg(long)]
    security: bool,
    /// What advisories of this kind speak of.
    #[arg(long)]
    bugfix: bool,
    /// What advisories of this kind speak of.
    #[arg(long)]
    enhancement: bool,
    /// What advisories of this kind speak of.
    #[arg(long)]
    newpackage: bool,
    /// What these advisories speak of.
    #[arg(long, value_name = "ADVISORY,..", value_delimiter = ',', alias = "advisory")]
    advisories: Vec<String>,
    /// What advisories of these severities speak of: critical, important, moderate, low, none.
    #[arg(
        long,
        value_name = "SEVERITY,..",
        value_delimiter = ',',
        aliases = ["sec-severity", "secseverity"],
        value_parser = ["critical", "important", "moderate", "low", "none"],
        ignore_case = true
    )]
    advisory_severities: Vec<String>,
    /// What advisories that close these bugs speak of.
    #[arg(long, value_name = "BUG,..", value_delimiter = ',', alias = "bz")]
    bzs: Vec<String>,
    /// What advisories that fix these CVEs speak of.
    #[arg(long, value_name = "CVE,..", value_delimiter = ',', alias = "cve")]
    cves: Vec<String>,
}

impl Advisories {
    pub(super) fn choice(&self) -> Choice {
        let kinds = [
            (self.security, "security"),
            (self.bugfix, "bugfix"),
            (self.enhancement, "enhancement"),
            (self.newpackage, "newpackage"),
        ];
        Choice {
            names: self.advisories.clone(),
            kinds: kinds.iter().filter(|(on, _)| *on).map(|(_, kind)| (*kind).to_owned()).collect(),
            severities: self.advisory_severities.clone(),
            bugs: self.bzs.clone(),
            cves: self.cves.clone(),
        }
    }

    /// What is chosen where `--minimal` is given: advisories of every kind, if nothing else is said.
    pub(super) fn or_any(&self) -> Advisories {
        match self.choice().is_empty() {
            true => Advisories {
                security: true,
                bugfix: true,
                enhancement: true,
                newpackage: true,
                ..Advisories::default()
            },
            false => self.clone(),
        }
    }

    /// The document beside primary that answers.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        if self.choice().is_empty() { Vec::new() } else { vec!["updateinfo"] }
    }
}

/// All advisories of the repositories of `sack`.
pub(super) fn all(sack: &Sack, session: &Session) -> Result<Vec<Advisory>, Failure> {
    let loaded: Result<_, SackError> = session.with(|machine| advisories::load(sack.repositories(), machine));
    loaded.map_err(failed)
}

/// The advisories that a choice means; what was named and is not there is told.
pub(super) fn chosen<'a>(choice: &Choice, all: &'a [Advisory], session: &Session) -> Vec<&'a Advisory> {
    let chosen = choice.of(all);
    let unmet = choice.unmet(all);
    unmet.iter().for_each(|line| session.ui.note(line));
    if chosen.is_empty() && unmet.is_empty() && !choice.is_empty() {
        session.ui.note("no advisory found matching the specified filters");
    }
    chosen
}
