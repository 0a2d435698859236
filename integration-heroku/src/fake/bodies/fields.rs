//! Fields that many bodies have.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fake::ids::{created_at, later_than, uuid_of};

pub(in crate::fake) fn dates(id: Uuid) -> (String, String) {
    let created = created_at(id);
    (text(created), text(later_than(created, id)))
}

pub(super) fn text(moment: Timestamp) -> String {
    moment.to_string()
}

pub(super) fn named(kind: &str, name: &str) -> Value {
    json!({"id": uuid_of(kind, name).to_string(), "name": name})
}

pub(super) fn with_type(mut reference: Value, kind: &str) -> Value {
    reference["type"] = kind.into();
    reference
}
