use super::{ENTRY_SIZE, Partition, PartitionType, SECTOR};
use crate::Uuid;

/// One row of the table: type, UUID, first and last sector, attributes, name.
pub(super) fn encode(partition: &Partition) -> [u8; ENTRY_SIZE] {
    let mut entry = [0; ENTRY_SIZE];
    entry[..16].copy_from_slice(&partition.kind.0.to_guid());
    entry[16..32].copy_from_slice(&partition.id.to_guid());
    entry[32..40].copy_from_slice(&(partition.range.start / SECTOR).to_le_bytes());
    entry[40..48].copy_from_slice(&(partition.range.end / SECTOR - 1).to_le_bytes());
    entry[48..56].copy_from_slice(&partition.attributes.to_le_bytes());
    for (place, unit) in entry[56..].chunks_exact_mut(2).zip(partition.name.encode_utf16()) {
        place.copy_from_slice(&unit.to_le_bytes());
    }
    entry
}

/// The partition of a row; none if its type is zero, which marks a free row, or its sectors are no range.
pub(super) fn decode(entry: &[u8; ENTRY_SIZE]) -> Option<Partition> {
    let guid = |at: usize| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&entry[at..at + 16]);
        Uuid::from_guid(bytes)
    };
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&entry[at..at + 8]);
        u64::from_le_bytes(bytes)
    };
    if entry[..16] == [0; 16] {
        return None;
    }
    let start = number(32).checked_mul(SECTOR)?;
    let end = number(40).checked_add(1)?.checked_mul(SECTOR)?;
    let units = entry[56..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let name = char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Some(Partition { kind: PartitionType(guid(0)), id: guid(16), name, attributes: number(48), range: start..end })
}
