//! What values are drawn from: the same for the same number, every time.

/// A well mixed number out of a small one (splitmix64).
pub(super) fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub(super) fn pick(id: i64, salt: u64) -> u64 {
    mixed(
        id.cast_unsigned()
            .wrapping_mul(1_000_003)
            .wrapping_add(salt),
    )
}

pub(super) fn choose<'a>(from: &[&'a str], id: i64, salt: u64) -> &'a str {
    usize::try_from(pick(id, salt) % from.len() as u64)
        .ok()
        .and_then(|i| from.get(i))
        .copied()
        .unwrap_or_default()
}

pub(super) fn money(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

pub(super) fn instant(id: i64) -> String {
    let p = pick(id, 2);
    format!(
        "2025-{:02}-{:02} {:02}:{:02}:{:02}+00",
        1 + p % 12,
        1 + (p >> 8) % 28,
        (p >> 16) % 24,
        (p >> 24) % 60,
        (p >> 32) % 60
    )
}
