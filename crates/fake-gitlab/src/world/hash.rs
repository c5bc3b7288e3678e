//! Numbers and digests that look random and depend on nothing but their input.

/// Mixes a number (splitmix64), so that neighbours look unrelated.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 40 hexadecimal digits, as git and GitLab's discussions use them.
pub fn hex40(kind: u64, id: u64) -> String {
    let a = mix(kind.wrapping_mul(0x1_0000_0001) ^ id);
    let b = mix(a ^ id);
    let c = mix(b) as u32;
    format!("{a:016x}{b:016x}{c:08x}")
}

/// What a digest stands for; one number per kind keeps their digests apart.
pub mod kind {
    pub const DISCUSSION: u64 = 1;
    pub const HEAD: u64 = 2;
    pub const MERGE_COMMIT: u64 = 3;
    pub const SQUASH_COMMIT: u64 = 4;
    pub const BASE: u64 = 5;
    pub const BOT: u64 = 6;
    pub const COMMIT: u64 = 7;
    pub const PIPELINE: u64 = 8;
}
