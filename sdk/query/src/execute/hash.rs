//! Hash maps of dense numbers.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map with numbers as keys.
pub(crate) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;
/// A set of numbers, of which each caller knows the range.
pub(crate) type HashedNumbers<K> = HashSet<K, BuildHasherDefault<NumberHasher>>;

/// A multiplicative hash. Its keys are numbers of objects and values, which nobody outside chooses.
#[derive(Debug, Default, Clone)]
pub(crate) struct NumberHasher(u64);

/// 2^64 divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl NumberHasher {
    fn add(&mut self, number: u64) {
        // The maps use the lowest and the highest bits, and a product spreads upwards only.
        self.0 = (self.0 ^ number).wrapping_mul(FACTOR).rotate_left(32);
    }
}

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.add(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }
}

/// Numbers pairs of numbers, and so tuples: the number of a pair is the first part of the next one.
#[derive(Debug, Default)]
pub(crate) struct Tuples {
    numbers: NumberMap<u64, u32>,
}

impl Tuples {
    /// Returns the number of a pair, and whether it is new.
    pub(crate) fn pair(&mut self, first: u32, second: u32) -> (u32, bool) {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let mut is_new = false;
        let key = u64::from(first) << 32 | u64::from(second);
        let number = *self.numbers.entry(key).or_insert_with(|| {
            is_new = true;
            next
        });
        (number, is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_pairs_have_one_number() {
        let mut tuples = Tuples::default();
        assert_eq!(tuples.pair(1, 2), (0, true));
        assert_eq!(tuples.pair(2, 1), (1, true));
        assert_eq!(tuples.pair(1, 2), (0, false));
    }
}
