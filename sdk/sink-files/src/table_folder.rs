//! A folder with one file for each type.
//!
//! ```text
//!   DIR/entities/<type>.parquet
//!      /relationships/<type>.parquet
//!      /mapped_relationships/<type>.parquet
//!      /_manifest.json          the snapshots, gaps, tables, and columns
//! ```
//!
//! The columns of the earlier contents of the folder stay, with the same or a wider type, and so do tables whose last
//! object is gone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use integration_files::owner_only::Folder;
use integration_files::staging::Staging;
use integration_graph::ObjectType;
use integration_graph::history::ChangeCounts;
use integration_sink::{Batch, BlockingSink, Capabilities, Columns, Manifest, ManifestType, Report, SinkError, Table};
use integration_store::Kind;

use crate::csv::Csv;
use crate::folder_manifest::{self, Earlier, TableEntry};
use crate::ndjson::Ndjson;
use crate::parquet::Parquet;
use crate::table_format::{TableFormat, TableWriter};

/// The maximum length of a type in a file name.
const NAME: usize = 200;

/// A sink that writes a folder of tables.
pub struct TableFolder {
    path: PathBuf,
    format: Box<dyn TableFormat>,
    transfer: Option<Transfer>,
}

struct Transfer {
    staging: Staging,
    root: Folder,
    folders: BTreeMap<&'static str, Folder>,
    manifest: Manifest,
    earlier: Earlier,
    open: Option<OpenTable>,
    tables: Vec<TableEntry>,
    report: Report,
    bytes: u64,
}

struct OpenTable {
    table: Table,
    file: String,
    rows: u64,
    writer: Box<dyn TableWriter>,
}

impl TableFolder {
    /// Creates a sink that writes Parquet files.
    pub fn parquet(path: &Path) -> Self {
        Self::new(path, Parquet)
    }

    /// Creates a sink that writes CSV files.
    pub fn csv(path: &Path) -> Self {
        Self::new(path, Csv)
    }

    /// Creates a sink that writes NDJSON files.
    pub fn ndjson(path: &Path) -> Self {
        Self::new(path, Ndjson)
    }

    pub(crate) fn new(path: &Path, format: impl TableFormat + 'static) -> Self {
        Self { path: path.to_owned(), format: Box::new(format), transfer: None }
    }
}

impl Transfer {
    fn begin_table(&mut self, format: &dyn TableFormat, kind: Kind, object_type: &ObjectType) -> Result<(), SinkError> {
        let earlier = self.earlier.properties(kind, object_type);
        let without_objects = || ManifestType {
            kind,
            object_type: object_type.clone(),
            objects: 0,
            stale: 0,
            changes: ChangeCounts::default(),
            confirmed: 0,
            columns: Columns::default(),
        };
        let of_type = self.manifest.of_type(kind, object_type).cloned().unwrap_or_else(without_objects);
        let table = Table::new(&of_type, self.manifest.transfer, self.manifest.with_raw, &earlier);
        let folder = folder_manifest::folder(kind);
        let name = format!("{}.{}", file_name(object_type), format.name());
        let file = format!("{folder}/{name}");
        let failed = || SinkError::target::<io::Error>("write", &file);
        if !self.folders.contains_key(folder) {
            self.folders.insert(folder, self.root.create_folder(folder).map_err(failed())?);
        }
        let created = self.folders[folder].create_new(&name);
        let writer = created.and_then(|file| format.begin(file, &table, self.manifest.transfer)).map_err(failed())?;
        self.open = Some(OpenTable { table, file, rows: 0, writer });
        Ok(())
    }

    fn end_table(&mut self) -> Result<(), SinkError> {
        let Some(OpenTable { table, file, rows, writer }) = self.open.take() else { return Ok(()) };
        self.bytes += writer.finish().map_err(SinkError::target("write", &file))?;
        self.tables.push(TableEntry::new(file, &table, rows));
        Ok(())
    }

    /// Returns the earlier tables of the transferred types that have no objects any more.
    fn vanished(&self) -> Vec<TableEntry> {
        let is_written = |entry: &TableEntry| {
            self.tables.iter().any(|of| of.object_type == entry.object_type && of.kind() == entry.kind())
        };
        let vanished = self
            .earlier
            .tables
            .iter()
            .filter(|entry| self.manifest.scope.is_whole(&entry.object_type) && !is_written(entry));
        vanished.cloned().collect()
    }
}

impl BlockingSink for TableFolder {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: self.format.needs_columns(), changes: true, raw: true }
    }

    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError> {
        let staging = Staging::open(&self.path).map_err(SinkError::target("write to", self.path.display()))?;
        let earlier = Earlier::read(&staging, &self.path.display().to_string())?;
        let root = staging.create_folder().map_err(SinkError::target("write to", self.path.display()))?;
        self.transfer = Some(Transfer {
            staging,
            root,
            folders: BTreeMap::new(),
            manifest: manifest.clone(),
            earlier,
            open: None,
            tables: Vec::new(),
            report: Report::default(),
            bytes: 0,
        });
        Ok(())
    }

    fn add(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let Some(transfer) = &mut self.transfer else { return Err(SinkError::Stopped) };
        let is_open = |open: &OpenTable| (open.table.kind, &open.table.object_type) == (batch.kind, &batch.object_type);
        if !transfer.open.as_ref().is_some_and(is_open) {
            transfer.end_table()?;
            transfer.begin_table(self.format.as_ref(), batch.kind, &batch.object_type)?;
        }
        let Transfer { open: Some(open), manifest, report, .. } = transfer else { return Err(SinkError::Stopped) };
        open.writer.write(batch, &manifest.snapshots[batch.snapshot].id, &open.table)?;
        open.rows += batch.records.len() as u64;
        report.of(batch.kind, &batch.object_type).written += batch.records.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<Report, SinkError> {
        let Some(mut transfer) = self.transfer.take() else { return Err(SinkError::Stopped) };
        transfer.end_table()?;
        for entry in transfer.vanished() {
            let Some(kind) = entry.kind() else { continue };
            transfer.begin_table(self.format.as_ref(), kind, &entry.object_type)?;
            transfer.end_table()?;
        }
        let Transfer { staging, root, folders, manifest, tables, mut report, bytes, .. } = transfer;
        let target = self.path.display().to_string();
        let failed = || SinkError::target::<io::Error>("write to", &target);
        folder_manifest::write(&root, self.format.name(), &manifest, &tables, &[]).map_err(failed())?;
        folders.values().chain([&root]).try_for_each(Folder::sync).map_err(failed())?;
        // Other files may have been added while the new result was written.
        Earlier::read(&staging, &target)?;
        staging.publish_folder().map_err(failed())?;
        report.bytes = Some(bytes);
        report.files = Some(tables.len() as u64 + 1);
        Ok(report)
    }

    fn discard(&mut self) {
        // Dropping the staging folder discards the new result.
        self.transfer = None;
    }
}

/// Returns a type as a file name. A long one is cut, and gets a digest so that it stays unique.
pub(crate) fn file_name(object_type: &ObjectType) -> String {
    let name = object_type.as_str();
    if name.len() <= NAME {
        return name.to_owned();
    }
    // FNV-1a, whose results do not depend on the version of a library.
    let digest = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{}_{digest:016x}", &name[..NAME - 17])
}
