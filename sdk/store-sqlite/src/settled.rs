//! The previous versions that a publication has settled.

/// The versions of a snapshot, each with a bit that tells whether the next job confirmed or replaced it.
///
/// One bit for each version instead of a second list of numbers: a graph of a million objects has nearly as many settled
/// versions.
#[derive(Debug)]
pub(super) struct Settled {
    /// Sorted.
    versions: Vec<i64>,
    /// A bit for each version, 64 in a word.
    bits: Vec<u64>,
}

impl Settled {
    /// Takes the numbers of the versions, which are sorted.
    pub(super) fn of(versions: Vec<i64>) -> Self {
        let bits = vec![0; versions.len().div_ceil(64)];
        Self { versions, bits }
    }

    /// Settles a version. Returns whether it belongs to the snapshot.
    pub(super) fn settle(&mut self, version: i64) -> bool {
        let Ok(at) = self.versions.binary_search(&version) else { return false };
        self.bits[at / 64] |= 1 << (at % 64);
        true
    }

    /// Returns whether a version belongs to the snapshot and is settled.
    pub(super) fn is_settled(&self, version: i64) -> bool {
        self.versions.binary_search(&version).is_ok_and(|at| self.bit(at))
    }

    /// Returns the versions that are not settled, sorted.
    pub(super) fn missing(&self) -> impl Iterator<Item = i64> {
        self.versions.iter().enumerate().filter(|(at, _)| !self.bit(*at)).map(|(_, version)| *version)
    }

    fn bit(&self, at: usize) -> bool {
        self.bits[at / 64] & (1 << (at % 64)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_of_the_snapshot_are_settled() {
        let versions: Vec<i64> = (0..200).map(|number| number * 3).collect();
        let mut settled = Settled::of(versions.clone());
        for version in [0, 189, 192, 195, 597] {
            assert!(settled.settle(version) && settled.settle(version));
        }
        assert!(!settled.settle(1) && !settled.settle(600) && !settled.settle(-3));
        let missing: Vec<i64> = settled.missing().collect();
        assert_eq!(missing.len(), versions.len() - 5);
        for version in versions {
            assert_ne!(settled.is_settled(version), missing.contains(&version), "{version}");
        }
        assert!(!settled.is_settled(1));
    }
}
