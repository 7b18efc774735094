//! File capabilities: rpm's text to the extended attribute that the kernel reads.
//!
//! Source: capabilities(7), cap_from_text(3), and `struct vfs_cap_data` in `linux/capability.h`.

/// Names in the order of their numbers, without `cap_`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

const VFS_CAP_REVISION_2: u32 = 0x0200_0000;
const VFS_CAP_FLAGS_EFFECTIVE: u32 = 1;

/// The value of `security.capability` for a text such as `cap_net_raw,cap_net_admin=ep`; `None` if it means nothing.
pub(crate) fn attribute(text: &str) -> Option<Vec<u8>> {
    let (mut permitted, mut inheritable, mut effective) = (0u64, 0u64, 0u64);
    for clause in text.split_whitespace() {
        let at = clause.find(['=', '+', '-'])?;
        let (names, mut actions) = clause.split_at(at);
        let mut mask = 0u64;
        for name in names.split(',').filter(|name| !name.is_empty()) {
            mask |= match name.to_ascii_lowercase().as_str() {
                "all" => (1 << NAMES.len()) - 1,
                name => 1 << NAMES.iter().position(|known| Some(*known) == name.strip_prefix("cap_"))?,
            };
        }
        if names.is_empty() {
            mask = (1 << NAMES.len()) - 1;
        }
        while let Some(operator) = actions.chars().next() {
            let rest = &actions[1..];
            let end = rest.find(['=', '+', '-']).unwrap_or(rest.len());
            let flags = &rest[..end];
            if operator == '=' {
                for set in [&mut permitted, &mut inheritable, &mut effective] {
                    *set &= !mask;
                }
            }
            for flag in flags.chars() {
                let set = match flag {
                    'p' => &mut permitted,
                    'i' => &mut inheritable,
                    'e' => &mut effective,
                    _ => return None,
                };
                if operator == '-' { *set &= !mask } else { *set |= mask }
            }
            actions = &rest[end..];
        }
    }
    let magic = VFS_CAP_REVISION_2 | if effective == 0 { 0 } else { VFS_CAP_FLAGS_EFFECTIVE };
    let mut value = magic.to_le_bytes().to_vec();
    for shift in [0, 32] {
        for set in [permitted, inheritable] {
            value.extend_from_slice(&((set >> shift) as u32).to_le_bytes());
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attribute_is_what_setcap_writes() {
        // getfattr -n security.capability -e hex after `setcap cap_net_raw+ep`, `cap_setuid=ep`, `cap_bpf=p`.
        for (text, expected) in [
            ("cap_net_raw+ep", "0100000200200000000000000000000000000000"),
            ("cap_setuid=ep", "0100000280000000000000000000000000000000"),
            ("cap_bpf=p", "0000000200000000000000008000000000000000"),
            ("cap_net_admin,cap_net_raw=ep", "0100000200300000000000000000000000000000"),
        ] {
            let hex: String = attribute(text).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected, "{text}");
        }
        for text in ["cap_nothing=ep", "cap_net_raw", "cap_net_raw=x"] {
            assert_eq!(attribute(text), None, "{text}");
        }
    }
}
