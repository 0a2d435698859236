//! Absolute addresses of class schemas, and JSON pointers into them.

/// The base address of class schemas in the registry. It is never fetched.
pub(super) const BASE: &str = "schema:///classes/";

/// Returns the address of a class.
pub(super) fn address(class: &str) -> String {
    format!("{BASE}{class}.json")
}

/// Returns the class at an address.
pub(super) fn class_at(address: &str) -> Option<&str> {
    address.strip_prefix(BASE)?.strip_suffix(".json")
}

/// Escapes a name for a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
