//! A set of identities that takes little memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// The digest of an identity: 96 of 128 bits, with random keys of this process.
///
/// Among a hundred million identities, the probability of two equal digests is 1 in 10¹³.
type Digest = [u8; 12];

/// A set of identities with the latest form of each.
///
/// It stores digests, which take 16 bytes per identity of any length.
#[derive(Debug, Default)]
pub(super) struct SeenSet {
    keys: (RandomState, RandomState),
    met: HashMap<Digest, u32>,
}

impl SeenSet {
    /// Adds an identity, and returns `false` if it is already present.
    pub(super) fn insert(&mut self, identity: &str) -> bool {
        self.insert_form(identity, "")
    }

    /// Adds an identity with its latest form, and returns `false` if the form is unchanged.
    pub(super) fn insert_form(&mut self, identity: &str, form: &str) -> bool {
        let (high, low) = (self.keys.0.hash_one(identity).to_le_bytes(), self.keys.1.hash_one(identity).to_le_bytes());
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&high);
        digest[8..].copy_from_slice(&low[..4]);
        let form = checksum(form.as_bytes());
        self.met.insert(digest, form) != Some(form)
    }
}

/// Returns a checksum that distinguishes the forms of one identity.
///
/// The function must be fast, because it reads every element of a list.
fn checksum(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mix = |sum: u64, word: u64| (sum.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let sum = rest.iter().fold(sum, |sum, byte| mix(sum, u64::from(*byte)));
    (sum >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once() {
        let mut met = SeenSet::default();
        assert!((0..10_000).all(|number| met.insert(&number.to_string())));
        assert!((0..10_000).all(|number| !met.insert(&number.to_string())));
    }

    #[test]
    fn an_identity_is_new_in_another_form() {
        let mut met = SeenSet::default();
        assert!(met.insert_form("a", "one") && !met.insert_form("a", "one"));
        assert!(met.insert_form("a", "other") && met.insert_form("b", "one"));
        assert!(!met.insert_form("a", "other"));
        let forms = ["name: x", "name: y", "name: xxxxxxxxx", "xame: n", "name: x "];
        assert!(forms.iter().all(|form| met.insert_form("c", form)));
    }
}
