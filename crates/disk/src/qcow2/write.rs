use std::io::{self, Read, Seek, SeekFrom, Write};

use super::compress::Compressor;
use super::{Compression, Options, Qcow2Error};

const CLUSTER_BITS: u32 = 16;
/// QEMU's own default: large enough for short tables, small enough for sparse images.
const CLUSTER: u64 = 1 << CLUSTER_BITS;
const SECTOR: u64 = 512;
/// The largest guest disk: keeps the level 1 table small, and is the most that older disks of other hypervisors have too.
const SIZE_MAX: u64 = 1 << 41;
/// Entries of 8 bytes in a level 2 table.
const L2_ENTRIES: u64 = CLUSTER / 8;
/// Refcounts have 16 bits.
const REFCOUNT_ORDER: u32 = 4;
const REFCOUNTS_PER_BLOCK: u64 = CLUSTER / 2;
/// The cluster is used once and may be written in place.
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;
/// Bit of a compressed entry at which its number of further sectors begins.
const SECTORS_AT: u32 = 62 - (CLUSTER_BITS - 8);
/// Clusters that are read, compressed and written at a time.
const BATCH: usize = 128;

/// Writes the raw disk `source` as a qcow2 image and returns its bytes. `out` is written from its start.
pub fn write<R, W>(source: &mut R, options: &Options, out: &mut W) -> Result<u64, Qcow2Error>
where
    R: Read + ?Sized,
    W: Write + Seek + ?Sized,
{
    let size = options.size;
    if size == 0 || !size.is_multiple_of(SECTOR) || size > SIZE_MAX {
        return Err(Qcow2Error::Size(size));
    }
    match options.compression {
        Compression::Deflate(level) if !(1..=9).contains(&level) => return Err(Qcow2Error::Level(options.compression)),
        Compression::Zstd(level) if !(1..=19).contains(&level) => return Err(Qcow2Error::Level(options.compression)),
        _ => {}
    }
    let mut compressors = Vec::new();
    for _ in 0..options.threads.clamp(1, BATCH) {
        compressors.push(Compressor::new(options.compression)?);
    }
    let clusters = size.div_ceil(CLUSTER);
    out.seek(SeekFrom::Start(CLUSTER))?;
    let mut image =
        Image { out: io::BufWriter::with_capacity(1 << 20, out), at: CLUSTER, used: vec![1], entries: Vec::new() };
    let mut batch = vec![0; BATCH * CLUSTER as usize];
    let mut left = size;
    while left > 0 {
        let length = (batch.len() as u64).min(left) as usize;
        read(source, &mut batch[..length]).map_err(|error| match error {
            Stopped::Early(read) => Qcow2Error::Length { read: size - left + read, size },
            Stopped::Io(error) => Qcow2Error::Io(error),
        })?;
        let whole = length.next_multiple_of(CLUSTER as usize);
        batch[length..whole].fill(0);
        let packed = compress(&mut compressors, &batch[..whole])?;
        for (cluster, packed) in batch[..whole].chunks(CLUSTER as usize).zip(packed) {
            image.cluster(cluster, packed)?;
        }
        left -= length as u64;
    }
    if source.read(&mut [0])? != 0 {
        return Err(Qcow2Error::Length { read: size + 1, size });
    }
    debug_assert_eq!(image.entries.len() as u64, clusters);
    Ok(image.finish(options)?)
}

enum Stopped {
    Early(u64),
    Io(io::Error),
}

/// Fills `bytes`, or says after how many bytes the source ended.
fn read<R: Read + ?Sized>(source: &mut R, bytes: &mut [u8]) -> Result<(), Stopped> {
    let mut filled = 0;
    while filled < bytes.len() {
        match source.read(&mut bytes[filled..]) {
            Ok(0) => return Err(Stopped::Early(filled as u64)),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stopped::Io(error)),
        }
    }
    Ok(())
}

/// What becomes of a cluster.
enum Packed {
    Zero,
    Whole,
    Compressed(Vec<u8>),
}

/// Compresses the clusters of a batch, shared out among threads; the results are in order.
fn compress(compressors: &mut [Compressor], batch: &[u8]) -> io::Result<Vec<Packed>> {
    let pack = |compressor: &mut Compressor, part: &[u8]| -> io::Result<Vec<Packed>> {
        let packed = part.chunks(CLUSTER as usize).map(|cluster| {
            if is_zero(cluster) {
                return Ok(Packed::Zero);
            }
            Ok(compressor.compress(cluster)?.map_or(Packed::Whole, Packed::Compressed))
        });
        packed.collect()
    };
    let clusters = batch.len() / CLUSTER as usize;
    let share = clusters.div_ceil(compressors.len()).max(1) * CLUSTER as usize;
    if let [compressor] = compressors {
        return pack(compressor, batch);
    }
    std::thread::scope(|scope| {
        let parts = batch.chunks(share).zip(compressors);
        let running: Vec<_> = parts.map(|(part, compressor)| scope.spawn(move || pack(compressor, part))).collect();
        let mut all = Vec::with_capacity(clusters);
        for thread in running {
            let part = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.extend(part?);
        }
        Ok(all)
    })
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(64).all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) == 0)
}

/// An image on its way: everything in it is written in the order of its place.
struct Image<W: Write + Seek> {
    out: io::BufWriter<W>,
    /// Where the next byte goes.
    at: u64,
    /// How often each host cluster is used.
    used: Vec<u16>,
    /// The level 2 entry of every guest cluster so far.
    entries: Vec<u64>,
}

impl<W: Write + Seek> Image<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Goes on at the next cluster and returns its place.
    fn align(&mut self) -> io::Result<u64> {
        let padding = self.at.next_multiple_of(CLUSTER) - self.at;
        self.put(&vec![0; padding as usize])?;
        Ok(self.at)
    }

    /// Counts one more use of every host cluster that `at..at + length` touches.
    fn count(&mut self, at: u64, length: u64) {
        let last = (at + length - 1) / CLUSTER;
        self.used.resize(self.used.len().max(last as usize + 1), 0);
        for cluster in at / CLUSTER..=last {
            self.used[cluster as usize] += 1;
        }
    }

    fn cluster(&mut self, bytes: &[u8], packed: Packed) -> io::Result<()> {
        let entry = match packed {
            Packed::Zero => 0,
            Packed::Whole => self.align()? | COPIED,
            Packed::Compressed(bytes) => {
                let at = self.at;
                let sectors = (at + bytes.len() as u64 - 1) / SECTOR - at / SECTOR;
                self.count(at, bytes.len() as u64);
                self.put(&bytes)?;
                self.entries.push(at | sectors << SECTORS_AT | COMPRESSED);
                return Ok(());
            }
        };
        if entry != 0 {
            self.count(self.at, CLUSTER);
            self.put(bytes)?;
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Writes a table of 64-bit numbers in clusters of its own and returns its place.
    fn table(&mut self, numbers: &[u64]) -> io::Result<u64> {
        let at = self.align()?;
        for number in numbers {
            self.out.write_all(&number.to_be_bytes())?;
        }
        self.at += numbers.len() as u64 * 8;
        self.align()?;
        self.count(at, self.at - at);
        Ok(at)
    }

    /// Writes tables and header; returns the bytes of the image.
    fn finish(mut self, options: &Options) -> io::Result<u64> {
        let entries = std::mem::take(&mut self.entries);
        let mut level1 = Vec::new();
        for table in entries.chunks(L2_ENTRIES as usize) {
            let is_empty = table.iter().all(|entry| *entry == 0);
            level1.push(if is_empty { 0 } else { self.table(table)? | COPIED });
        }
        let level1_at = self.table(&level1)?;

        // Refcount blocks and their table count themselves: add some until all are covered.
        let used = self.at / CLUSTER;
        let (mut blocks, mut table_clusters) = (1, 1);
        while (blocks * REFCOUNTS_PER_BLOCK) < used + blocks + table_clusters {
            blocks += 1;
            table_clusters = (blocks * 8).div_ceil(CLUSTER);
        }
        let blocks_at = self.at;
        let end = blocks_at + (blocks + table_clusters) * CLUSTER;
        self.count(blocks_at, end - blocks_at);
        for count in std::mem::take(&mut self.used) {
            self.out.write_all(&count.to_be_bytes())?;
        }
        let written = (end / CLUSTER) * 2;
        self.at += written;
        self.align()?;
        let places: Vec<u64> = (0..blocks).map(|block| blocks_at + block * CLUSTER).collect();
        let refcounts_at = self.table(&places)?;
        debug_assert_eq!(self.at, end);

        let header = header(options, level1.len() as u32, level1_at, refcounts_at, table_clusters as u32);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.flush()?;
        Ok(end)
    }
}

fn header(
    options: &Options,
    level1_entries: u32,
    level1_at: u64,
    refcounts_at: u64,
    refcount_clusters: u32,
) -> Vec<u8> {
    const HEADER_SIZE: u32 = 112;
    /// Incompatible feature: the compression type is not deflate.
    const OTHER_COMPRESSION: u64 = 1 << 3;
    let is_zstd = matches!(options.compression, Compression::Zstd(_));
    let mut header = Vec::new();
    let mut put = |bytes: &[u8]| header.extend_from_slice(bytes);
    put(b"QFI\xfb");
    put(&3_u32.to_be_bytes());
    // No backing file.
    put(&[0; 12]);
    put(&CLUSTER_BITS.to_be_bytes());
    put(&options.size.to_be_bytes());
    // Not encrypted.
    put(&0_u32.to_be_bytes());
    put(&level1_entries.to_be_bytes());
    put(&level1_at.to_be_bytes());
    put(&refcounts_at.to_be_bytes());
    put(&refcount_clusters.to_be_bytes());
    // No snapshots.
    put(&[0; 12]);
    put(&if is_zstd { OTHER_COMPRESSION } else { 0 }.to_be_bytes());
    put(&[0; 16]);
    put(&REFCOUNT_ORDER.to_be_bytes());
    put(&HEADER_SIZE.to_be_bytes());
    put(&[u8::from(is_zstd), 0, 0, 0, 0, 0, 0, 0]);
    // The end of the header extensions.
    put(&[0; 8]);
    header
}
