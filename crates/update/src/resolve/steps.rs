//! What the solver found, as steps.

use solve::{Because, PackageId, Solution, Universe};

use super::{Incoming, Outgoing, Step};
use crate::Synced;
use crate::reasons::{Reason, Reasons};

pub(super) fn steps(
    universe: &Universe<'_>,
    solution: &Solution,
    repositories: &[Synced],
    reasons: &Reasons,
) -> Vec<Step> {
    use crate::history::Action;
    let mut steps: Vec<Step> = Vec::new();
    let incoming = |id: PackageId| {
        let from = universe.source(id).and_then(|source| source.name.parse::<usize>().ok());
        let (size, installed_size) = universe.sizes(id);
        Incoming {
            nevra: universe.nevra(id),
            repository: from.map_or("@commandline", |index| &repositories[index].repository.id).to_owned(),
            from,
            location: universe.key(id).to_owned(),
            checksum: universe.checksum(id).to_owned(),
            size,
            installed_size,
        }
    };
    let known = |id: PackageId| reasons.of(&universe.nevra(id));
    let outgoing = |id: PackageId| Outgoing {
        nevra: universe.nevra(id),
        repository: known(id).map(|known| known.from.clone()).unwrap_or_default(),
        installed_size: universe.sizes(id).1,
    };
    let kept = |old: PackageId| known(old).map_or(Reason::External, |known| known.reason);
    let why = |id: PackageId| match solution.because(id) {
        Some(Because::Required { .. }) => Reason::Dependency,
        Some(Because::Recommended { .. } | Because::Supplements) => Reason::WeakDependency,
        _ => Reason::User,
    };
    let mut replaced = Vec::new();
    for change in solution.changes(universe) {
        let (action, new, old, unneeded) = match change {
            solve::Change::Install(new) => (Action::Install, Some(new), None, false),
            solve::Change::Upgrade { new, old } => (Action::Upgrade, Some(new), Some(old), false),
            solve::Change::Downgrade { new, old } => (Action::Downgrade, Some(new), Some(old), false),
            solve::Change::Reinstall { new, old } => (Action::Reinstall, Some(new), Some(old), false),
            solve::Change::Replace { new, old } => {
                replaced.push((new, old));
                continue;
            }
            solve::Change::Erase(old) => (Action::Remove, None, Some(old), false),
            solve::Change::Autoremove(old) => (Action::Remove, None, Some(old), true),
        };
        let reason = old.map_or_else(|| new.map_or(Reason::User, why), kept);
        let stays = |id: &PackageId| universe.is_installed(*id) && !solution.removed().contains(id);
        let beside = new.is_some_and(|new| universe.named(universe.name(new)).iter().any(stays));
        let old = old.map(outgoing).into_iter().collect();
        steps.push(Step { action, new: new.map(incoming), old, reason, unneeded, beside });
    }
    for (new, old) in replaced {
        let nevra = universe.nevra(new);
        let step = steps.iter_mut().find(|step| step.new.as_ref().is_some_and(|new| new.nevra == nevra));
        if let Some(step) = step {
            step.reason = step.reason.min(kept(old));
            step.old.push(outgoing(old));
        }
    }
    let name = |step: &Step| {
        let nevra = step.new.as_ref().map(|new| &new.nevra).or_else(|| step.old.first().map(|old| &old.nevra));
        nevra.map(ToString::to_string)
    };
    steps.sort_by_cached_key(|step| (step.action, name(step)));
    steps
}
