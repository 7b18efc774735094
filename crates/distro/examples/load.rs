//! Loads a definition and says what was found: `load ROOT_FILE`. For measuring the loader alone.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let root = std::env::args_os().nth(1).unwrap_or_else(|| "distro/distro.toml".into());
    let mut out = std::io::stdout().lock();
    match distro::load(std::path::Path::new(&root), distro::Locks::Required) {
        Ok(distro) => {
            for warning in &distro.warnings {
                writeln!(out, "warning: {warning}\n")?;
            }
            let overlays: usize = distro.components.values().map(|component| component.overlays.len()).sum();
            let packages: usize = distro.package_groups.values().map(|group| group.packages.len()).sum();
            writeln!(
                out,
                "{} files, {} components, {overlays} overlays, {packages} packages in {} groups, {} images",
                distro.files.len(),
                distro.components.len(),
                distro.package_groups.len(),
                distro.image_facts.len(),
            )
        }
        Err(problems) => writeln!(out, "error: {problems}"),
    }
}
