//! The walk over the relationships of a job by their ends.

use integration_graph::ObjectType;
use rusqlite::{Connection, Row, params};

use super::Kind;
use super::columns::PROPERTIES;
use super::sqlite_error::unreadable;

/// Passes every relationship of which an end satisfies `condition` to `visit`, with its type.
///
/// `condition` follows the name of an end, as in `IN (SELECT ...)`. `?1` in it is the job. The target of a mapped
/// relationship is no end. The walk reads type by type, so that entities are skipped. The columns of a row are those of
/// [`column`].
pub(super) fn visit(
    connection: &Connection,
    job: i64,
    condition: &str,
    mut visit: impl FnMut(&ObjectType, &Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut types = connection.prepare("SELECT DISTINCT type FROM object WHERE job = ?1")?;
    let types: Vec<String> = types.query_map([job], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let source = format!("json_extract({PROPERTIES}, '$._mapping.sourceEntityKey')");
    let sql = format!(
        "SELECT rowid, step, key, part, CASE kind WHEN ?4 THEN {source} ELSE from_key END, to_key FROM object \
         WHERE job = ?1 AND type = ?2 AND CASE kind \
         WHEN ?3 THEN from_key {condition} OR to_key {condition} \
         WHEN ?4 THEN {source} {condition} ELSE 0 END"
    );
    let mut statement = connection.prepare(&sql)?;
    let (direct, mapped) = (Kind::Relationship as i64, Kind::MappedRelationship as i64);
    for object_type in types {
        let object_type = ObjectType::new(object_type).map_err(unreadable)?;
        let mut rows = statement.query(params![job, object_type.as_str(), direct, mapped])?;
        while let Some(row) = rows.next()? {
            visit(&object_type, row)?;
        }
    }
    Ok(())
}

/// The columns of a relationship.
pub(super) mod column {
    /// The row number.
    pub(in super::super) const ROW: usize = 0;
    /// The step that added the relationship.
    pub(in super::super) const STEP: usize = 1;
    /// The key.
    pub(in super::super) const KEY: usize = 2;
    /// The partition.
    pub(in super::super) const PARTITION: usize = 3;
    /// The keys of the source and the target. The target of a mapped relationship is null.
    pub(in super::super) const ENDS: [usize; 2] = [4, 5];
}
