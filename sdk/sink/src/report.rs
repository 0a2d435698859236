//! The result of a transfer.

use std::collections::BTreeMap;

use integration_graph::ObjectType;
use integration_graph::run::NamedCount;
use integration_store::Kind;
use serde::Serialize;

use crate::manifest::kind_name;

/// The objects that a target has written, deleted, skipped, and refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The results by type.
    pub types: BTreeMap<(Kind, ObjectType), TypeReport>,
    /// The number of bytes that were written or sent, if the target counts them.
    pub bytes: Option<u64>,
    /// The number of files, if the target consists of files.
    pub files: Option<u64>,
    /// Remarks for users, such as the id of a remote job.
    pub remarks: Vec<String>,
}

/// The result for one type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeReport {
    /// The objects that were written: those that the target lacked, and those that differed.
    pub written: u64,
    /// The objects that the target contained in this form already; zero if it does not compare them.
    #[serde(skip_serializing_if = "crate::manifest::is_zero")]
    pub unchanged: u64,
    /// The objects that were deleted from the target.
    pub deleted: u64,
    /// The written objects of which a value is not exactly that of the graph, by reason, with some of their keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub altered: BTreeMap<String, NamedCount>,
    /// The objects that were omitted on purpose, by reason, with some of their keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, NamedCount>,
    /// The objects that the target refused, by reason, with some of their keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, NamedCount>,
}

impl Report {
    /// Returns the result for a type, to be changed.
    pub fn of(&mut self, kind: Kind, object_type: &ObjectType) -> &mut TypeReport {
        self.types.entry((kind, object_type.clone())).or_default()
    }

    /// The number of written objects of all types.
    pub fn written(&self) -> u64 {
        self.types.values().map(|of_type| of_type.written).sum()
    }

    /// The number of objects of all types that the target contained already.
    pub fn unchanged(&self) -> u64 {
        self.types.values().map(|of_type| of_type.unchanged).sum()
    }

    /// The number of deleted objects of all types.
    pub fn deleted(&self) -> u64 {
        self.types.values().map(|of_type| of_type.deleted).sum()
    }

    /// The number of skipped objects of all types.
    pub fn skipped(&self) -> u64 {
        self.types.values().flat_map(|of_type| of_type.skipped.values()).map(|named| named.count).sum()
    }

    /// The number of refused objects of all types.
    pub fn refused(&self) -> u64 {
        self.types.values().flat_map(|of_type| of_type.refused.values()).map(|named| named.count).sum()
    }

    /// The number of altered objects of all types.
    pub fn altered(&self) -> u64 {
        self.types.values().flat_map(|of_type| of_type.altered.values()).map(|named| named.count).sum()
    }

    /// Returns the report as JSON.
    pub fn document(&self) -> ReportDocument<'_> {
        let types = self.types.iter().map(|((kind, object_type), report)| ReportedType {
            kind: kind_name(*kind),
            object_type,
            report,
        });
        ReportDocument {
            written: self.written(),
            unchanged: self.unchanged(),
            deleted: self.deleted(),
            altered: self.altered(),
            skipped: self.skipped(),
            refused: self.refused(),
            bytes: self.bytes,
            files: self.files,
            remarks: &self.remarks,
            types: types.collect(),
        }
    }
}

impl TypeReport {
    /// Counts a skipped object.
    pub fn skip(&mut self, reason: impl Into<String>, key: impl Into<String>) {
        self.skipped.entry(reason.into()).or_default().add(key.into());
    }

    /// Counts a written object that differs from the graph.
    pub fn alter(&mut self, reason: impl Into<String>, key: impl Into<String>) {
        self.altered.entry(reason.into()).or_default().add(key.into());
    }

    /// Counts a refused object.
    pub fn refuse(&mut self, reason: impl Into<String>, key: impl Into<String>) {
        self.refused.entry(reason.into()).or_default().add(key.into());
    }
}

/// A [`Report`] as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportDocument<'a> {
    written: u64,
    #[serde(skip_serializing_if = "crate::manifest::is_zero")]
    unchanged: u64,
    deleted: u64,
    #[serde(skip_serializing_if = "crate::manifest::is_zero")]
    altered: u64,
    skipped: u64,
    refused: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    remarks: &'a [String],
    types: Vec<ReportedType<'a>>,
}

#[derive(Debug, Serialize)]
struct ReportedType<'a> {
    kind: &'static str,
    #[serde(rename = "type")]
    object_type: &'a ObjectType,
    #[serde(flatten)]
    report: &'a TypeReport,
}
