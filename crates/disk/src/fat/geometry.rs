use std::fmt;

use super::FatError;

/// Bytes in a sector.
pub(super) const SECTOR: u64 = 512;
/// Entries of the root directory of FAT16: the number that the specification recommends.
pub(super) const ROOT_ENTRIES: u64 = 512;
/// Fewer clusters than this make a FAT12, whatever else is written; the specification, section 3.5.
const FAT16_CLUSTERS_MIN: u64 = 4085;
/// From this number of clusters on it is a FAT32.
const FAT32_CLUSTERS_MIN: u64 = 65525;
/// Cluster numbers have 28 bits, the last ones are marks.
const FAT32_CLUSTERS_MAX: u64 = 0x0fff_fff5;
/// The specification asks to keep off the limits, since many programs are off by a few.
const MARGIN: u64 = 16;

/// Which FAT: how many bits a cluster number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 4085 to 65524 clusters.
    Fat16,
    /// 65525 clusters and more.
    Fat32,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Fat16 => "FAT16",
            Kind::Fat32 => "FAT32",
        })
    }
}

/// Where the parts of a file system lie; sectors, unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) kind: Kind,
    pub(super) sectors: u64,
    pub(super) sectors_per_cluster: u64,
    pub(super) reserved: u64,
    pub(super) table_sectors: u64,
    pub(super) clusters: u64,
}

impl Geometry {
    /// The geometry for `size` bytes: the largest clusters up to 4 KiB that leave a FAT32 enough of them, for FAT16 the
    /// smallest that do not give it too many.
    pub(super) fn new(size: u64, kind: Option<Kind>) -> Result<Geometry, FatError> {
        let sectors = size / SECTOR;
        let fits = |kind, per_cluster| Geometry::with(sectors, kind, per_cluster).filter(Geometry::is_of_its_kind);
        let fat32 = || [8, 4, 2, 1, 16, 32, 64].into_iter().find_map(|per_cluster| fits(Kind::Fat32, per_cluster));
        let fat16 = || [1, 2, 4, 8, 16, 32, 64].into_iter().find_map(|per_cluster| fits(Kind::Fat16, per_cluster));
        let found = match kind {
            Some(Kind::Fat32) => fat32(),
            Some(Kind::Fat16) => fat16(),
            None => fat32().or_else(fat16),
        };
        found.ok_or_else(|| {
            let kind = kind.unwrap_or(if size < 1 << 30 { Kind::Fat16 } else { Kind::Fat32 });
            let few = kind == Kind::Fat32 && size < 1 << 30 || kind == Kind::Fat16 && size < 16 << 20;
            FatError::Size { size, kind, extreme: if few { "few" } else { "many" } }
        })
    }

    fn with(sectors: u64, kind: Kind, sectors_per_cluster: u64) -> Option<Geometry> {
        // The boot sector counts sectors in 32 bits.
        u32::try_from(sectors).ok()?;
        let (entry_size, least_reserved, root) = match kind {
            Kind::Fat16 => (2, 1, ROOT_ENTRIES * 32 / SECTOR),
            Kind::Fat32 => (4, 32, 0),
        };
        // Every cluster takes its sectors and one entry in each of two tables; rounding up wastes less than a sector.
        let free = sectors.checked_sub(least_reserved + root)?;
        let clusters_most = free / sectors_per_cluster;
        let table_sectors = ((clusters_most + 2) * entry_size).div_ceil(SECTOR);
        let in_front = least_reserved + 2 * table_sectors + root;
        // Clusters begin at a multiple of their size, which flash disks like.
        let reserved = least_reserved + (in_front.next_multiple_of(sectors_per_cluster) - in_front);
        let clusters = sectors.checked_sub(reserved + 2 * table_sectors + root)? / sectors_per_cluster;
        Some(Geometry { kind, sectors, sectors_per_cluster, reserved, table_sectors, clusters })
    }

    fn is_of_its_kind(&self) -> bool {
        match self.kind {
            Kind::Fat16 => (FAT16_CLUSTERS_MIN + MARGIN..FAT32_CLUSTERS_MIN - MARGIN).contains(&self.clusters),
            Kind::Fat32 => (FAT32_CLUSTERS_MIN + MARGIN..FAT32_CLUSTERS_MAX).contains(&self.clusters),
        }
    }

    /// Bytes in a cluster.
    pub(super) fn cluster_size(&self) -> u64 {
        self.sectors_per_cluster * SECTOR
    }

    /// The byte at which table `copy` (0 or 1) begins.
    pub(super) fn table_at(&self, copy: u64) -> u64 {
        (self.reserved + copy * self.table_sectors) * SECTOR
    }

    /// The byte at which the root directory of a FAT16 begins.
    pub(super) fn root_at(&self) -> u64 {
        self.table_at(2)
    }

    /// The byte at which `cluster` begins; the first one is 2.
    pub(super) fn cluster_at(&self, cluster: u64) -> u64 {
        let root = if self.kind == Kind::Fat16 { ROOT_ENTRIES * 32 } else { 0 };
        self.table_at(2) + root + (cluster - 2) * self.cluster_size()
    }
}
