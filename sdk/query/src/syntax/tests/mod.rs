//! Tests of the whole parser.

mod errors;
mod generate;
mod golden;
mod properties;
mod reference;

use super::tree::Query;

/// Returns the tree as text without the places.
fn shape(query: &Query) -> String {
    let debug = format!("{query:?}");
    let mut pieces = debug.split("Span { start: ");
    let mut shape = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        shape.push('_');
        shape.push_str(piece.split_once('}').expect("a span ends with a brace").1);
    }
    shape
}
