//! Labels of nodes that have got another type or other classes.

use std::collections::BTreeMap;

use integration_store::SnapshotId;
use neo4rs::Row;

use crate::cypher::{labels, node, plain};
use crate::marker::place;
use crate::server::{Server, ServerError, list};

/// Keys by the labels of their nodes, besides the common one.
pub(crate) type ByLabels = BTreeMap<Vec<String>, Vec<String>>;

/// Removes the labels that the stored type and classes of nodes require, and that the new ones do not.
///
/// Labels that other programs added stay. This must precede the writing of the properties.
pub(crate) async fn remove_old(server: &Server, id: &SnapshotId, new: &ByLabels) -> Result<(), ServerError> {
    let statement = format!(
        "UNWIND $keys AS key MATCH {} RETURN n._key AS key, n._type AS type, n._class AS class",
        node("n", "key")
    );
    let mut removed = ByLabels::new();
    for (wanted, keys) in new {
        let named = [("keys", list(keys.iter().map(String::as_str)))];
        let rows = server.rows(statement.clone(), place(id).into_iter().chain(named)).await?;
        for row in &rows {
            let old: Vec<String> = stored(row)?.into_iter().filter(|label| !wanted.contains(label)).collect();
            if !old.is_empty() {
                removed.entry(old).or_default().push(row.get("key")?);
            }
        }
    }
    for (old, keys) in removed {
        change(server, id, "REMOVE", &old, &keys).await?;
    }
    Ok(())
}

/// Adds labels to nodes.
pub(crate) async fn add(server: &Server, id: &SnapshotId, new: &ByLabels) -> Result<(), ServerError> {
    for (wanted, keys) in new {
        change(server, id, "SET", wanted, keys).await?;
    }
    Ok(())
}

async fn change(
    server: &Server,
    id: &SnapshotId,
    action: &str,
    names: &[String],
    keys: &[String],
) -> Result<(), ServerError> {
    let names = labels(names.iter().map(String::as_str));
    let statement = format!("UNWIND $keys AS key MATCH {} {action} n{names}", node("n", "key"));
    let named = [("keys", list(keys.iter().map(String::as_str)))];
    server.run(statement, place(id).into_iter().chain(named)).await
}

/// Returns the labels that the stored type and classes of a node require.
fn stored(row: &Row) -> Result<Vec<String>, ServerError> {
    let object_type: Option<String> = row.get("type")?;
    let classes: Option<Vec<String>> = row.get("class")?;
    Ok(object_type.into_iter().chain(classes.unwrap_or_default()).map(|label| plain(&label)).collect())
}
