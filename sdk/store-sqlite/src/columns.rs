//! Columns of objects: kinds, partitions, positions, and content.
//!
//! Only this module converts kinds, partitions, and positions to numbers of SQL.

use integration_graph::run::{PartitionId, PartitionRef, Position};
use rusqlite::Row as SqlRow;

use super::sqlite_error::unreadable;
use super::{Kind, StoreError};

/// The column of an object outside of all partitions.
const NO_PARTITION: i64 = 0;
/// The column of a shared object.
pub(super) const SHARED: i64 = -1;

/// The properties of an object, which may be those of the version with the same content.
pub(super) const PROPERTIES: &str = "CASE WHEN object.same_as IS NULL THEN object.properties \
                                     ELSE (SELECT v.properties FROM object v WHERE v.number = object.same_as) END";

/// The raw data of an object, which may be that of the version with the same content.
pub(super) const RAW: &str = "CASE WHEN object.same_as IS NULL THEN object.raw \
                              ELSE (SELECT v.raw FROM object v WHERE v.number = object.same_as) END";

/// Returns the column of a partition.
pub(super) fn partition(partition: PartitionRef) -> i64 {
    match partition {
        PartitionRef::None => NO_PARTITION,
        PartitionRef::Shared => SHARED,
        PartitionRef::Nth(id) => id.get().into(),
    }
}

/// Reads the column of a partition.
pub(super) fn read_partition(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<PartitionRef> {
    match row.get(column)? {
        NO_PARTITION => Ok(PartitionRef::None),
        SHARED => Ok(PartitionRef::Shared),
        number => id(number).map(PartitionRef::Nth),
    }
}

/// Reads the column of a completed partition, which is never shared.
pub(super) fn read_partition_id(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<PartitionId> {
    id(row.get(column)?)
}

fn id(number: i64) -> rusqlite::Result<PartitionId> {
    let id = u32::try_from(number).ok().and_then(PartitionId::new);
    id.ok_or_else(|| unreadable(StoreError::Corrupt(format!("partition {number}"))))
}

/// Returns the column of a position.
pub(super) fn position(position: Position) -> i64 {
    // No row has a greater number.
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// Reads the column of a position.
pub(super) fn read_position(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Position> {
    let number: i64 = row.get(column)?;
    let position = u64::try_from(number).map(Position::new);
    position.map_err(|_| unreadable(StoreError::Corrupt(format!("row number {number}"))))
}

/// Reads the column of a kind.
pub(super) fn read_kind(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Kind> {
    let number: i64 = row.get(column)?;
    let all = [Kind::Entity, Kind::Relationship, Kind::MappedRelationship];
    let found = all.into_iter().find(|kind| *kind as i64 == number);
    found.ok_or_else(|| unreadable(StoreError::Corrupt(format!("object kind {number}"))))
}
