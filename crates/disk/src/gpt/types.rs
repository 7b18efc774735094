use crate::Uuid;

/// What a partition is for: its type UUID.
///
/// Sources: UEFI 2.10 table 5.7 (ESP, BIOS boot is GRUB's) and the Discoverable Partitions Specification of the UAPI group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionType(pub Uuid);

const fn kind(number: u128) -> PartitionType {
    PartitionType(Uuid::from_number(number))
}

impl PartitionType {
    /// The EFI system partition: FAT, read by the firmware.
    pub const ESP: PartitionType = kind(0xc12a7328_f81f_11d2_ba4b_00a0c93ec93b);
    /// The extended boot loader partition.
    pub const XBOOTLDR: PartitionType = kind(0xbc13c2ff_59e6_4262_a352_b275fd6f7172);
    /// Where GRUB keeps its second stage on a machine without UEFI.
    pub const BIOS_BOOT: PartitionType = kind(0x21686148_6449_6e6f_744e_656564454649);
    /// Any Linux file system.
    pub const LINUX: PartitionType = kind(0x0fc63daf_8483_4772_8e79_3d69d8477de4);
    /// Swap space.
    pub const SWAP: PartitionType = kind(0x0657fd6d_a4ab_43c4_84e5_0933c84b4f4f);
    /// `/home`.
    pub const HOME: PartitionType = kind(0x933ac7e1_2eb4_4f13_b844_0e14e2aef915);
    /// `/srv`.
    pub const SRV: PartitionType = kind(0x3b8f8425_20e0_4f3b_907f_1a25a76f98e8);
    /// `/var`; its UUID should be derived from the machine id.
    pub const VAR: PartitionType = kind(0x4d21b016_b534_45c2_a9fb_5c16e091fd2d);
    /// `/var/tmp`.
    pub const TMP: PartitionType = kind(0x7ec6f557_3bc5_4aca_b293_16ef5df639d1);
    /// The root file system of a 64-bit x86 machine.
    pub const ROOT_X86_64: PartitionType = kind(0x4f68bce3_e8cd_4db1_96e7_fbcaf984b709);
    /// Verity hashes of [`PartitionType::ROOT_X86_64`].
    pub const ROOT_VERITY_X86_64: PartitionType = kind(0x2c7357ed_ebd2_46d9_aec1_23d437ec2bf5);
    /// Signature of the root hash of [`PartitionType::ROOT_VERITY_X86_64`].
    pub const ROOT_VERITY_SIGNATURE_X86_64: PartitionType = kind(0x41092b05_9fc8_4523_994f_2def0408b176);
    /// `/usr` of a 64-bit x86 machine.
    pub const USR_X86_64: PartitionType = kind(0x8484680c_9521_48c6_9c11_b0720656f69e);
    /// Verity hashes of [`PartitionType::USR_X86_64`].
    pub const USR_VERITY_X86_64: PartitionType = kind(0x77ff5f63_e7b6_4633_acf4_1565b864c0e6);
    /// The root file system of a 64-bit Arm machine.
    pub const ROOT_AARCH64: PartitionType = kind(0xb921b045_1df0_41c3_af44_4c6f280d3fae);
    /// Verity hashes of [`PartitionType::ROOT_AARCH64`].
    pub const ROOT_VERITY_AARCH64: PartitionType = kind(0xdf3300ce_d69f_4c92_978c_9bfb0f38d820);
    /// `/usr` of a 64-bit Arm machine.
    pub const USR_AARCH64: PartitionType = kind(0xb0e01050_ee5f_4390_949a_9101b17104e9);
    /// Verity hashes of [`PartitionType::USR_AARCH64`].
    pub const USR_VERITY_AARCH64: PartitionType = kind(0x6e11a4e7_fbca_4ded_b9e9_e1a512bb664e);
}
