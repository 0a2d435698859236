//! The members of an object in JSON formats: its properties, its place, and its history.

use std::borrow::Cow;
use std::io::{self, Write};

use integration_graph::Values;
use integration_sink::{Record, TransferKind};
use integration_store::SnapshotId;

use crate::output::json_text;

/// The members that are no properties. A property of such a name gets the ending `_2`.
const OWN: [&str; 7] = [
    "\"_integration\"",
    "\"_instance\"",
    "\"_change\"",
    "\"_stale\"",
    "\"_firstSeenOn\"",
    "\"_changedOn\"",
    "\"_rawData\"",
];

/// Writes an object as one JSON object without spaces.
pub(crate) fn write(
    record: &Record,
    snapshot: &SnapshotId,
    transfer: TransferKind,
    out: &mut impl Write,
) -> io::Result<()> {
    let object = &record.object;
    out.write_all(b"{\"_integration\":")?;
    json_text(&snapshot.integration, out)?;
    out.write_all(b",\"_instance\":")?;
    json_text(snapshot.instance.as_str(), out)?;
    if transfer == TransferKind::Changes {
        write!(out, ",\"_change\":\"{}\"", record.action.as_str())?;
    }
    for (name, value) in properties(&object.properties) {
        write!(out, ",{name}:{value}")?;
    }
    let (stale, first, last) = (object.is_stale, object.created.millis(), object.began.millis());
    write!(out, ",\"_stale\":{stale},\"_firstSeenOn\":{first},\"_changedOn\":{last}")?;
    if let Some(raw) = &object.raw {
        write!(out, ",\"_rawData\":{raw}")?;
    }
    out.write_all(b"}")
}

/// Returns the properties as JSON texts of names and values. Names of other members are changed.
pub(crate) fn properties(properties: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut tokens = Values::within(properties);
    std::iter::from_fn(move || {
        let (name, value) = (tokens.next()?, tokens.next()?);
        let name = match OWN.contains(&name) {
            true => Cow::Owned(format!("{}_2\"", &name[..name.len() - 1])),
            false => Cow::Borrowed(name),
        };
        Some((name, value))
    })
}
