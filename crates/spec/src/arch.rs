//! Architectures: which can be built on which.

/// Whether packages for `wanted` can be built on a machine of architecture `machine`.
///
/// Source: rpm's `rpmrc`, `buildarch_compat`: a machine builds for itself and its predecessors, and everything builds `noarch`.
pub(crate) fn can_build(machine: &str, wanted: &str) -> bool {
    if wanted == "noarch" || machine == wanted {
        return true;
    }
    let chain: &[&str] = match machine {
        "x86_64_v4" => &["x86_64_v3", "x86_64_v2", "x86_64"],
        "x86_64_v3" => &["x86_64_v2", "x86_64"],
        "x86_64_v2" | "amd64" | "ia32e" | "em64t" => &["x86_64"],
        "athlon" | "geode" | "pentium4" | "pentium3" => &["i686", "i586", "i486", "i386", "fat"],
        "i686" => &["i586", "i486", "i386", "fat"],
        "i586" => &["i486", "i386", "fat"],
        "i486" => &["i386", "fat"],
        "i386" => &["fat"],
        "armv7hnl" => &["armv7hl"],
        "ppc64p7" => &["ppc64"],
        _ => &[],
    };
    chain.contains(&wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_build_for_their_own() {
        for (machine, wanted, expected) in [
            ("x86_64", "noarch", true),
            ("x86_64", "i686", false),
            ("i686", "i386", true),
            ("aarch64", "aarch64", true),
            ("aarch64", "x86_64", false),
        ] {
            assert_eq!(can_build(machine, wanted), expected, "{wanted} on {machine}");
        }
    }
}
