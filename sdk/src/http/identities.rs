//! What was met before, in little memory.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Remembers a text by a hash of 128 bits, under keys of this process: 16 bytes for each, however long they are. That
/// two of a billion texts are taken for one is as likely as 1 in 10²⁰.
#[derive(Debug, Default)]
pub(super) struct Identities {
    keys: (RandomState, RandomState),
    met: HashSet<u128>,
}

impl Identities {
    /// Remembers the text; `false` where it was met before.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        let (high, low) = (self.keys.0.hash_one(text), self.keys.1.hash_one(text));
        self.met.insert(u128::from(high) << 64 | u128::from(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once() {
        let mut met = Identities::default();
        assert!((0..10_000).all(|number| met.insert(&number.to_string())));
        assert!((0..10_000).all(|number| !met.insert(&number.to_string())));
    }
}
