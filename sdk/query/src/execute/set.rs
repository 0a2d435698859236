//! Sets of dense numbers.

use std::ops::Range;

/// A set of node or edge numbers, one bit for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NumberSet {
    words: Vec<u64>,
}

impl NumberSet {
    /// Creates an empty set for numbers below a bound.
    pub(crate) fn new(bound: u32) -> Self {
        Self { words: vec![0; (bound as usize).div_ceil(64)] }
    }

    /// The memory of a set for numbers below a bound, in bytes.
    pub(crate) fn bytes(bound: u32) -> usize {
        (bound as usize).div_ceil(64) * 8
    }

    pub(crate) fn insert(&mut self, number: u32) {
        self.words[number as usize / 64] |= 1 << (number % 64);
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        self.words[number as usize / 64] >> (number % 64) & 1 == 1
    }

    /// Inserts all numbers of a range.
    pub(crate) fn insert_range(&mut self, range: Range<u32>) {
        let (mut at, end) = (range.start, range.end);
        while at < end && at % 64 != 0 {
            self.insert(at);
            at += 1;
        }
        while at + 64 <= end {
            self.words[at as usize / 64] = u64::MAX;
            at += 64;
        }
        while at < end {
            self.insert(at);
            at += 1;
        }
    }

    /// Inserts all numbers of another set.
    pub(crate) fn union(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Removes all numbers that another set lacks.
    pub(crate) fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Removes all numbers of another set.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// The number of elements.
    pub(crate) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Returns the numbers in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.within(0..u32::try_from(self.words.len() * 64).unwrap_or(u32::MAX))
    }

    /// Returns the numbers within a range in ascending order.
    pub(crate) fn within(&self, range: Range<u32>) -> impl Iterator<Item = u32> + '_ {
        let (first, last) = (range.start / 64, range.end.div_ceil(64));
        let words = self.words.get(first as usize..last as usize).unwrap_or_default();
        (first..).zip(words).flat_map(move |(position, word)| {
            let mut rest = *word;
            if position * 64 < range.start {
                rest &= u64::MAX << (range.start - position * 64);
            }
            if range.end - position * 64 < 64 {
                rest &= !(u64::MAX << (range.end - position * 64));
            }
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(position * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_numbers_are_equal() {
        for range in [0..0, 0..1, 3..64, 63..65, 0..200, 64..128, 190..200] {
            let (mut whole, mut single) = (NumberSet::new(200), NumberSet::new(200));
            whole.insert_range(range.clone());
            range.clone().for_each(|number| single.insert(number));
            assert_eq!(whole, single);
            assert_eq!(whole.iter().collect::<Vec<_>>(), range.clone().collect::<Vec<_>>());
            assert_eq!(whole.count(), range.len() as u64);
            let mut all = NumberSet::new(200);
            all.insert_range(0..200);
            assert_eq!(all.within(range.clone()).collect::<Vec<_>>(), range.clone().collect::<Vec<_>>());
        }
    }

    #[test]
    fn sets_combine() {
        let of = |numbers: &[u32]| {
            let mut set = NumberSet::new(100);
            numbers.iter().for_each(|number| set.insert(*number));
            set
        };
        let (mut union, mut both, mut rest) = (of(&[1, 70]), of(&[1, 70]), of(&[1, 70]));
        union.union(&of(&[2]));
        both.intersect(&of(&[70, 99]));
        rest.subtract(&of(&[70, 99]));
        assert_eq!((union, both, rest), (of(&[1, 2, 70]), of(&[70]), of(&[1])));
    }
}
