//! Deletion of objects: observed removals, and objects that a whole transfer lacks.
//!
//! Every transfer has its own name, and each object has the name of the transfer that last wrote it. After a whole
//! transfer, objects with another name are absent from the graph.

use integration_graph::ObjectType;
use integration_sink::{Manifest, Report};
use integration_store::{Kind, SnapshotId};
use neo4rs::Row;

use crate::cypher::{ENTITY, node, nodes_of_instance};
use crate::marker::place;
use crate::server::{Server, ServerError, list};

/// The number of objects that one statement deletes.
const AT_ONCE: usize = 1_000;

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
        let others = format!("{matching} AND {object}._transfer <> $transfer");
        let parameters = || place(id).into_iter().chain([("transfer", transfer.into())]);
        let types = format!("{others} RETURN DISTINCT {object}._type AS type");
        let types = server.rows(types, parameters()).await?;
        for object_type in types.iter().filter_map(named) {
            if !manifest.may_delete_absent(snapshot, &object_type) {
                continue;
            }
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
