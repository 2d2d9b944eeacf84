//! Which partition PostgreSQL puts an int4 key into: its `hashint4extended` with the partitioning
//! seed, stable across versions.

const SEED: u64 = 0x7A5B_2236_7996_DCFD;
const COMBINE: u64 = 0x49a0_f4dd_15e5_a8e3;

/// Remainder of `key` among `modulus` hash partitions.
pub fn remainder(key: i32, modulus: u64) -> u64 {
    // A single column: combined with zero.
    hash_extended(key.cast_unsigned(), SEED).wrapping_add(COMBINE) % modulus
}

/// Bob Jenkins' mixing as PostgreSQL has it.
fn hash_extended(key: u32, seed: u64) -> u64 {
    let start = 0x9e37_79b9u32.wrapping_add(4).wrapping_add(3_923_095);
    let (high, low) = ((seed >> 32) as u32, (seed & 0xffff_ffff) as u32);
    let (mut a, mut b, mut c) = mix(start.wrapping_add(high), start.wrapping_add(low), start);
    a = a.wrapping_add(key);
    for (turn_c, turn_a, turn_b) in [(14, 11, 25), (16, 4, 14)] {
        c = (c ^ b).wrapping_sub(b.rotate_left(turn_c));
        a = (a ^ c).wrapping_sub(c.rotate_left(turn_a));
        b = (b ^ a).wrapping_sub(a.rotate_left(turn_b));
    }
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    (u64::from(b) << 32) | u64::from(c)
}

fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    for (turn_c, turn_a, turn_b) in [(4, 6, 8), (16, 19, 4)] {
        a = a.wrapping_sub(c) ^ c.rotate_left(turn_c);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(turn_a);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(turn_b);
        b = b.wrapping_add(a);
    }
    (a, b, c)
}
