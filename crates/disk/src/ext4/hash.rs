use crate::Uuid;

/// The hash by which large directories are indexed: half of MD4, as `s_def_hash_version` 1 ("half_md4") means it.
///
/// Letters are taken as signed bytes, and the superblock says so. The lowest bit is always 0. Source: the documentation of
/// ext4's on-disk format, "Hash Tree Directories"; MD4 is RFC 1320.
pub(super) fn half_md4(name: &[u8], seed: Uuid) -> u32 {
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let (words, _) = seed.as_bytes().as_chunks::<4>();
    if words.iter().any(|word| *word != [0; 4]) {
        for (state, word) in state.iter_mut().zip(words) {
            *state = u32::from_le_bytes(*word);
        }
    }
    let mut rest = name;
    while !rest.is_empty() {
        transform(&mut state, &block(rest));
        rest = &rest[rest.len().min(32)..];
    }
    let hash = state[1] & !1;
    // The largest hash is the mark behind the last one.
    if hash == 0xffff_fffe { 0xffff_fffc } else { hash }
}

/// The next 32 bytes of a name as eight numbers; what is missing is filled with its length.
fn block(name: &[u8]) -> [u32; 8] {
    let length = name.len() as u32 & 0xff;
    let padding = length * 0x0101_0101;
    let mut words = [padding; 8];
    for (word, bytes) in words.iter_mut().zip(name.chunks(4)) {
        for byte in bytes {
            *word = (*word << 8).wrapping_add(i32::from(*byte as i8) as u32);
        }
    }
    words
}

fn transform(state: &mut [u32; 4], words: &[u32; 8]) {
    type Mix = fn(u32, u32, u32) -> u32;
    let rounds: [(Mix, u32, [usize; 8], [u32; 4]); 3] = [
        (|x, y, z| z ^ (x & (y ^ z)), 0, [0, 1, 2, 3, 4, 5, 6, 7], [3, 7, 11, 19]),
        (|x, y, z| (x & y).wrapping_add((x ^ y) & z), 0x5a82_7999, [1, 3, 5, 7, 0, 2, 4, 6], [3, 5, 9, 13]),
        (|x, y, z| x ^ y ^ z, 0x6ed9_eba1, [3, 7, 2, 6, 1, 5, 0, 4], [3, 9, 11, 15]),
    ];
    let [mut a, mut b, mut c, mut d] = *state;
    for (mix, constant, order, shifts) in rounds {
        for (step, index) in order.into_iter().enumerate() {
            let sum = a.wrapping_add(mix(b, c, d)).wrapping_add(words[index]).wrapping_add(constant);
            (a, b, c, d) = (d, sum.rotate_left(shifts[step % 4]), b, c);
        }
    }
    for (state, value) in state.iter_mut().zip([a, b, c, d]) {
        *state = state.wrapping_add(value);
    }
}
