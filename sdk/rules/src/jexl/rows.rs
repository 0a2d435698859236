//! Properties of the rows of query results.

use serde_json::Value;

/// Returns a property of a row.
///
/// A row of entities has the objects `properties` and `entity`, which are searched in this order; both are members of the
/// row as well. A row of a table is a flat object.
pub(crate) fn row_property<'v>(row: &'v Value, name: &str) -> Option<&'v Value> {
    let part = |part: &str| row.get(part).filter(|part| part.is_object());
    if let ("properties" | "entity", Some(whole)) = (name, part(name)) {
        return Some(whole);
    }
    let of = |at: &str| part(at).and_then(|part| part.get(name));
    of("properties").or_else(|| of("entity")).or_else(|| row.get(name))
}
