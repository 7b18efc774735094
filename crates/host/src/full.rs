//! Disks that are full, as errors tell it.

use std::io;

/// Whether a disk, or somebody's share of it, is used up: its owner has to make room, and then the work can be done.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::is_full;

    #[test]
    fn a_full_disk_and_a_used_up_quota_are_told_from_other_errors() {
        for (errno, full) in [(Errno::NOSPC, true), (Errno::DQUOT, true), (Errno::IO, false), (Errno::FBIG, false)] {
            assert_eq!(is_full(&io::Error::from(errno)), full, "{errno}");
        }
    }
}
