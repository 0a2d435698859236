//! The document in a folder of tables: its tables, their columns, and the transfer that wrote them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};

use integration_files::input;
use integration_files::owner_only::{Folder, Kind as EntryKind};
use integration_files::staging::Staging;
use integration_graph::ObjectType;
use integration_sink::{Manifest, ManifestDocument, SinkError, Table, ValueType};
use integration_store::Kind;
use serde::{Deserialize, Serialize};

use crate::MANIFEST;

/// The version of the document.
const FORMAT: &str = "integration-graph-files/1";

/// The folder with the tables of a kind.
pub(crate) fn folder(kind: Kind) -> &'static str {
    match kind {
        Kind::Entity => "entities",
        Kind::Relationship => "relationships",
        Kind::MappedRelationship => "mapped_relationships",
    }
}

fn kind(folder: &str) -> Option<Kind> {
    [Kind::Entity, Kind::Relationship, Kind::MappedRelationship].into_iter().find(|kind| self::folder(*kind) == folder)
}

/// The document as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FolderManifest<'a> {
    format: &'static str,
    layout: &'a str,
    #[serde(flatten)]
    transfer: ManifestDocument<'a>,
    tables: &'a [TableEntry],
    /// Files without columns.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    files: &'a [String],
}

/// A table of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableEntry {
    /// The path in the folder.
    pub(crate) file: String,
    #[serde(rename = "type")]
    pub(crate) object_type: ObjectType,
    pub(crate) rows: u64,
    pub(crate) columns: Vec<ColumnEntry>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnEntry {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) value_type: ValueType,
    /// The property that the column contains.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) property: Option<String>,
}

impl TableEntry {
    pub(crate) fn new(file: String, table: &Table, rows: u64) -> Self {
        let columns = table.columns.iter().map(|column| ColumnEntry {
            name: column.name.clone(),
            value_type: column.value_type,
            property: column.origin.property().map(str::to_owned),
        });
        Self { file, object_type: table.object_type.clone(), rows, columns: columns.collect() }
    }

    /// Returns the properties with their types.
    pub(crate) fn properties(&self) -> BTreeMap<String, ValueType> {
        let property = |column: &ColumnEntry| Some((column.property.clone()?, column.value_type));
        self.columns.iter().filter_map(property).collect()
    }

    /// Returns the kind of the objects, which the path contains.
    pub(crate) fn kind(&self) -> Option<Kind> {
        kind(self.file.split_once('/')?.0)
    }
}

/// Writes the document. It is the last file of a folder.
pub(crate) fn write(
    folder: &Folder,
    layout: &str,
    manifest: &Manifest,
    tables: &[TableEntry],
    files: &[String],
) -> io::Result<()> {
    let document = FolderManifest { format: FORMAT, layout, transfer: manifest.document(), tables, files };
    let mut file = folder.create_new(MANIFEST)?;
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.sync_all()
}

/// The document of an earlier transfer.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Earlier {
    format: String,
    #[serde(default)]
    pub(crate) tables: Vec<TableEntry>,
    #[serde(default)]
    files: Vec<String>,
}

impl Earlier {
    /// Reads the document of the target, and checks that it contains nothing else than the files of the document.
    ///
    /// # Errors
    /// [`SinkError::Unsuitable`] if the target contains other files, which would be lost.
    pub(crate) fn read(staging: &Staging, target: &str) -> Result<Self, SinkError> {
        let foreign = |name: &str| {
            SinkError::Unsuitable(format!("{target} contains {name}, which no export wrote; choose another folder"))
        };
        let failed = || SinkError::target::<io::Error>("read", target);
        match staging.target().map_err(failed())? {
            None => return Ok(Self::default()),
            Some(EntryKind::Folder) => {}
            Some(_) => return Err(SinkError::Unsuitable(format!("{target} is not a folder; choose another name"))),
        }
        let root = staging.target_folder().map_err(failed())?;
        let earlier = Self::document(&root).map_err(failed())?;
        let known: BTreeSet<String> = match &earlier {
            Some(earlier) if earlier.format == FORMAT => {
                let files = earlier.tables.iter().map(|table| table.file.clone()).chain(earlier.files.iter().cloned());
                files.chain([MANIFEST.to_owned()]).collect()
            }
            Some(_) => return Err(foreign(MANIFEST)),
            None => BTreeSet::new(),
        };
        match unknown(&root, "", &known).map_err(failed())? {
            Some(name) => Err(foreign(&name)),
            None => Ok(earlier.unwrap_or_default()),
        }
    }

    fn document(root: &Folder) -> io::Result<Option<Self>> {
        let file = match root.read(MANIFEST) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        file.take(input::DOCUMENT).read_to_end(&mut text)?;
        // A document of another program is not an earlier one.
        Ok(Some(serde_json::from_slice(&text).unwrap_or_default()))
    }

    /// Returns the properties of the table with a type.
    pub(crate) fn properties(&self, kind: Kind, object_type: &ObjectType) -> BTreeMap<String, ValueType> {
        let found = self.tables.iter().find(|table| table.object_type == *object_type && table.kind() == Some(kind));
        found.map(TableEntry::properties).unwrap_or_default()
    }
}

/// Returns the path of an entry that is not known.
fn unknown(folder: &Folder, path: &str, known: &BTreeSet<String>) -> io::Result<Option<String>> {
    for name in folder.names()? {
        let shown = format!("{path}{}", name.to_string_lossy());
        match folder.look(&name)?.map(|found| found.kind) {
            Some(EntryKind::Folder) => {
                let inner = unknown(&folder.folder(&name)?, &format!("{shown}/"), known)?;
                if inner.is_some() {
                    return Ok(inner);
                }
            }
            Some(EntryKind::File) if known.contains(&shown) && name == OsStr::new(&shown[path.len()..]) => {}
            _ => return Ok(Some(shown)),
        }
    }
    Ok(None)
}
