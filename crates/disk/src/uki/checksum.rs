/// The checksum of a PE program: its 16-bit words added up with the carry, the checksum's own four bytes left out, plus its
/// length. `at` is the offset of those four bytes. Source: `CheckSumMappedFile` as everybody computes it.
pub fn checksum(image: &[u8], at: usize) -> u32 {
    let mut sum = 0_u64;
    for (index, pair) in image.chunks(2).enumerate() {
        let offset = index * 2;
        if offset < at || offset >= at + 4 {
            sum += u64::from(u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (sum as u32).wrapping_add(image.len() as u32)
}

#[cfg(test)]
mod tests {
    use super::checksum;

    #[test]
    fn carries_are_added_and_the_field_is_left_out() {
        assert_eq!(checksum(&[0xff, 0xff, 9, 9, 9, 9, 2, 0], 2), 2 + 8);
        assert_eq!(checksum(&[1, 0, 9, 9, 9, 9, 3], 2), 4 + 7);
    }
}
