//! Partitions and positions: places of objects within a job.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// The number of a partition within its step, in the order in which partitions start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartitionId(NonZeroU32);

impl PartitionId {
    /// The first partition of a step.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Returns the id with this number; `None` for zero.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Returns the number, which is at least one.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// Returns the id after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The partition that added an object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PartitionRef {
    /// The step added the object outside of all partitions.
    #[default]
    None,
    /// Several partitions or steps added the object. Discarding one of them does not remove the object.
    Shared,
    /// One partition added the object.
    Nth(PartitionId),
}

impl From<Option<PartitionId>> for PartitionRef {
    fn from(id: Option<PartitionId>) -> Self {
        id.map_or(Self::None, Self::Nth)
    }
}

/// The position of an object in the order in which the objects of a job were added.
///
/// Positions grow, but are not consecutive. They are valid in every process that reads the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position(u64);

impl Position {
    /// The position before the first object.
    pub const START: Self = Self(0);

    /// Returns the position with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }
}
