//! Which system calls do not exist inside: a deny-list for what neither a build nor a scriptlet needs and what reaches
//! the kernel rather than the sandbox. Denied calls fail with EPERM, those of foreign instruction sets with ENOSYS.
//!
//! The program is classic BPF over `struct seccomp_data`, by seccomp(2): number at 0, architecture at 4, the low half of
//! the first argument at 16.

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO,
    sock_filter,
};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64

/// First number of the x32 calls on x86_64; no other architecture has numbers that high.
const X32: u32 = 0x4000_0000;

/// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME is a flag of unshare only.
const NEW_NAMESPACES: u32 = 0x7e02_0000;

const DENIED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// Calls whose first argument may not ask for new namespaces. (clone3 hides its flags from a filter; there, the missing
/// capabilities and the limit of zero user namespaces do it.)
const NO_NAMESPACES: [libc::c_long; 2] = [libc::SYS_clone, libc::SYS_unshare];

/// The filter program.
pub(crate) fn filter() -> Vec<sock_filter> {
    let deny = SECCOMP_RET_ERRNO | libc::EPERM.cast_unsigned();
    let absent = SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
    let mut program = vec![
        load(4),
        jump(BPF_JEQ, ARCHITECTURE, 1, 0),
        answer(absent),
        load(0),
        jump(BPF_JGE, X32, 0, 1),
        answer(absent),
    ];
    for number in DENIED {
        program.extend([jump(BPF_JEQ, call(*number), 0, 1), answer(deny)]);
    }
    for number in NO_NAMESPACES {
        // not this call: over load, test and both answers
        program.extend([
            jump(BPF_JEQ, call(number), 0, 4),
            load(16),
            jump(BPF_JSET, NEW_NAMESPACES, 0, 1),
            answer(deny),
            answer(SECCOMP_RET_ALLOW),
        ]);
    }
    program.push(answer(SECCOMP_RET_ALLOW));
    program
}

fn call(number: libc::c_long) -> u32 {
    u32::try_from(number).expect("system call numbers are small")
}

fn load(offset: u32) -> sock_filter {
    sock_filter { code: code(BPF_LD | BPF_W | BPF_ABS), jt: 0, jf: 0, k: offset }
}

fn jump(test: u32, value: u32, if_true: u8, if_false: u8) -> sock_filter {
    sock_filter { code: code(BPF_JMP | test | BPF_K), jt: if_true, jf: if_false, k: value }
}

fn answer(value: u32) -> sock_filter {
    sock_filter { code: code(BPF_RET | BPF_K), jt: 0, jf: 0, k: value }
}

fn code(bits: u32) -> u16 {
    u16::try_from(bits).expect("BPF opcodes have 16 bits")
}
