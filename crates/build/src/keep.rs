use std::collections::BTreeSet;

use store::{Keep, Store};

use crate::root::{rpm_key, rpms_key};
use crate::run::recorded;
use crate::stage0::{layer_key, unpacked_key};
use crate::{BuildError, Job};

/// What the store has to keep so that `jobs` cost nothing the next time: their packages, logs and sources, and the layers of their roots.
pub fn keep(jobs: &[Job], store: &Store) -> Result<Keep, BuildError> {
    let mut keep = Keep::default();
    // Small, and the only witness of which version was chosen.
    for kind in ["stage0", "source", "source-signature", "duration"] {
        keep.records.insert(kind.to_owned(), store.keys(kind)?.into_iter().collect());
    }
    let mut directory = |kind: &str, key| {
        keep.directories.entry(kind.to_owned()).or_insert_with(BTreeSet::new).insert(key);
    };
    for job in jobs {
        directory("stage0", job.stage0.id);
        for deb in job.stage0.lock.debs() {
            directory("deb", unpacked_key(deb));
            keep.objects.insert(deb.sha256);
        }
        directory("layer", layer_key(&job.stage0.added(&job.packages)?));
        directory("rpms", rpms_key(&job.rpms));
        for digest in &job.rpms {
            directory("rpm", rpm_key(digest));
            keep.objects.insert(*digest);
        }
        keep.objects.extend(job.sources.values());
        if let Some(built) = recorded(job, store)? {
            keep.records.entry("build".to_owned()).or_default().insert(built.id);
            keep.objects.insert(built.log);
            keep.objects.extend(built.packages.iter().map(|package| package.digest));
        }
    }
    Ok(keep)
}
