//! Deletion of objects: observed removals, and objects that a whole transfer lacks.
//!
//! Every transfer has its own name, and each object has the name of the transfer that last wrote it. After a whole
//! transfer, objects with another name are absent from the graph.

use integration_graph::ObjectType;
use integration_sink::{Action, Manifest, Record, Report};
use integration_store::{Kind, SnapshotId};
use neo4rs::Row;

use crate::cypher::{ENTITY, node, nodes_of_instance};
use crate::marker::{Markers, place};
use crate::server::{Server, ServerError, list};

/// The number of objects that one statement deletes.
const AT_ONCE: usize = 1_000;
/// The separator of the parts of a relationship's place.
const SEPARATOR: &str = "\n";

/// Deletes entities by their keys. An entity that has got another type in the meantime stays.
pub(crate) async fn entities(
    server: &Server,
    id: &SnapshotId,
    object_type: &ObjectType,
    keys: &[String],
) -> Result<u64, ServerError> {
    let statement = format!(
        "UNWIND $keys AS key MATCH {} WHERE n._type = $type DETACH DELETE n RETURN count(*) AS count",
        node("n", "key")
    );
    let mut deleted = 0;
    for keys in keys.chunks(AT_ONCE) {
        let named = [("type", object_type.as_str().into()), ("keys", list(keys.iter().map(String::as_str)))];
        deleted += server.count(statement.clone(), place(id).into_iter().chain(named)).await?;
    }
    Ok(deleted)
}

/// Deletes the objects of a snapshot's instance that a whole transfer lacks, as far as the manifest permits it.
pub(crate) async fn absent(
    server: &Server,
    manifest: &Manifest,
    snapshot: usize,
    transfer: &str,
    report: &mut Report,
) -> Result<(), ServerError> {
    let id = &manifest.snapshots[snapshot].id;
    for kind in [Kind::Relationship, Kind::Entity] {
        let (matching, object, delete) = match kind {
            Kind::Entity => (nodes_of_instance(), "n", "DETACH DELETE n"),
            _ => (relationships_of_instance(), "r", "DELETE r"),
        };
        // An import from files gives objects another name, and other programs may have removed it.
        let others = format!("{matching} AND ({object}._transfer IS NULL OR {object}._transfer <> $transfer)");
        let parameters = || place(id).into_iter().chain([("transfer", transfer.into())]);
        let types = format!("{others} RETURN DISTINCT {object}._type AS type");
        let types = server.rows(types, parameters()).await?;
        for object_type in types.iter().filter_map(named) {
            if !manifest.may_delete_absent(snapshot, &object_type) {
                continue;
            }
            Markers::check_writer(server, id, transfer).await?;
            let statement = format!(
                "{others} AND {object}._type = $type WITH {object} LIMIT {AT_ONCE} {delete} RETURN count(*) AS count"
            );
            loop {
                let named = [("type", object_type.as_str().into())];
                let deleted = server.count(statement.clone(), parameters().chain(named)).await?;
                if deleted == 0 {
                    break;
                }
                report.of(kind, &object_type).deleted += deleted;
            }
        }
    }
    Ok(())
}

/// Deletes the relationships that some changed ones were before: with another type, or between other nodes.
///
/// `kept` are the new types and ends. A relationship is found by its key, which has no index, so this is for changes.
pub(crate) async fn former(server: &Server, id: &SnapshotId, kept: Vec<Former<'_>>) -> Result<(), ServerError> {
    let keys = list(kept.iter().map(|of| of.key));
    let texts = list(kept.iter().map(Former::text));
    let text = String::from("r._key + $separator + type(r) + $separator + n._key + $separator + m._key");
    let matching = relationships_of_instance().replace("->()", "->(m)");
    let statement = format!("{matching} AND r._key IN $keys AND NOT ({text}) IN $kept DELETE r");
    let named = [("keys", keys), ("kept", texts), ("separator", SEPARATOR.into())];
    server.run(statement, place(id).into_iter().chain(named)).await
}

/// The place of a relationship in the graph.
pub(crate) struct Former<'a> {
    pub(crate) key: &'a str,
    pub(crate) name: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
}

impl<'a> Former<'a> {
    /// Returns the new place of a changed relationship; `None` of others.
    pub(crate) fn of(record: &'a Record, name: &'a str) -> Option<Self> {
        let (from, to) = record.object.ends.as_ref().filter(|_| record.action == Action::Changed)?;
        Some(Self { key: record.object.key.as_str(), name, from: from.as_str(), to: to.as_str() })
    }

    fn text(&self) -> String {
        [self.key, self.name, self.from, self.to].join(SEPARATOR)
    }
}

fn named(row: &Row) -> Option<ObjectType> {
    // A type of another program, which no transfer writes.
    ObjectType::new(row.get::<String>("type").ok()?).ok()
}

fn relationships_of_instance() -> String {
    format!(
        "MATCH (n:{ENTITY} {{_integrationType: $integration, _integrationInstanceID: $instance}})-[r]->() \
         WHERE n._key IS NOT NULL AND r._integrationType = $integration AND r._integrationInstanceID = $instance"
    )
}
