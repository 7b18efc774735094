//! What a new distribution starts from: Skiff's macros and build root under another name.

/// The macros of Skiff Linux, which fit any distribution once the names are changed.
const MACROS: &str = include_str!("../../../distro/macros/macros.skiff");
/// The build root of Skiff Linux.
const STAGE0: &str = include_str!("../../../distro/stage0.toml");

/// Paths and target for specs whose definition names no macros of its own: without vendor and identity.
pub(crate) fn base_macros() -> String {
    let identity =
        ["%dist ", "%skiff ", "%skiff_version ", "%vendor", "%distribution", "%_vendor", "%_buildhost", "%bugurl"];
    let kept = MACROS.lines().filter(|line| !identity.iter().any(|start| line.starts_with(start)));
    kept.map(|line| line.replace("skiff", "pc") + "\n").collect()
}

/// The macros of a distribution of this short name, title and release suffix.
pub(crate) fn macros(name: &str, title: &str, dist: &str) -> String {
    MACROS.replace("Skiff Linux", title).replace(".sk1", dist).replace("skiff", name)
}

/// The build root of a new distribution.
pub(crate) fn stage0(name: &str, title: &str) -> String {
    STAGE0.replace("skiff", name).replace("Skiff", title)
}
