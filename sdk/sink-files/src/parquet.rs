//! Parquet, compressed with Snappy.
//!
//! | type | Parquet |
//! | --- | --- |
//! | boolean | `BOOLEAN` |
//! | integer | `INT64` |
//! | double | `DOUBLE` |
//! | timestamp | `INT64`, `TIMESTAMP(MILLIS)` in UTC |
//! | text | `BYTE_ARRAY`, `STRING` |
//! | list | `LIST` of the type of its elements |
//!
//! Every column and every element is optional. Rows are collected by column, and written as a row group when they take
//! 16 MiB, so that memory does not depend on the number of rows.

use std::fs::File;
use std::io;
use std::sync::Arc;

use integration_sink::{Batch, Cell, Column, Element, SinkError, Table, TransferKind, ValueType};
use integration_store::SnapshotId;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::output::Output;
use crate::table_format::{TableFormat, TableWriter};

/// The size of the values in memory that end a row group.
const ROW_GROUP: usize = 16 << 20;
/// The size of a value that is no text, with its levels.
const VALUE: usize = 12;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Parquet;

pub(crate) struct ParquetWriter {
    writer: SerializedFileWriter<Output>,
    columns: Vec<Buffer>,
    bytes: usize,
}

impl TableFormat for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn needs_columns(&self) -> bool {
        true
    }

    fn begin(&self, file: File, table: &Table, _: TransferKind) -> io::Result<Box<dyn TableWriter>> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let schema = schema(table)?;
        let writer = SerializedFileWriter::new(Output::new(file), schema, Arc::new(properties))?;
        let columns = table.columns.iter().map(|column| Buffer::of(column.value_type)).collect();
        Ok(Box::new(ParquetWriter { writer, columns, bytes: 0 }))
    }
}

impl TableWriter for ParquetWriter {
    fn write(&mut self, batch: &Batch, snapshot: &SnapshotId, table: &Table) -> Result<(), SinkError> {
        let mut row = Vec::new();
        for record in &batch.records {
            table.fill(record, snapshot, &mut row).map_err(SinkError::target("write", &batch.object_type))?;
            for (buffer, cell) in self.columns.iter_mut().zip(&row) {
                self.bytes += buffer.add(cell);
            }
            if self.bytes >= ROW_GROUP {
                self.end_row_group().map_err(SinkError::target("write", &batch.object_type))?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<u64> {
        self.end_row_group()?;
        // This writes the footer as well.
        self.writer.into_inner()?.finish()
    }
}

impl ParquetWriter {
    fn end_row_group(&mut self) -> Result<(), ParquetError> {
        if self.bytes == 0 {
            return Ok(());
        }
        let mut row_group = self.writer.next_row_group()?;
        for buffer in &mut self.columns {
            let Some(mut column) = row_group.next_column()? else { break };
            let (definitions, repetitions) = (Some(buffer.definitions.as_slice()), buffer.repetitions.as_deref());
            match &buffer.values {
                Values::Boolean(values) => {
                    column.typed::<BoolType>().write_batch(values, definitions, repetitions)?;
                }
                Values::Integer(values) => {
                    column.typed::<Int64Type>().write_batch(values, definitions, repetitions)?;
                }
                Values::Double(values) => {
                    column.typed::<DoubleType>().write_batch(values, definitions, repetitions)?;
                }
                Values::Text(values) => {
                    column.typed::<ByteArrayType>().write_batch(values, definitions, repetitions)?;
                }
            }
            column.close()?;
            buffer.clear();
        }
        row_group.close()?;
        self.bytes = 0;
        Ok(())
    }
}

/// The values of a column since the last row group, with their levels.
struct Buffer {
    values: Values,
    definitions: Vec<i16>,
    /// Whether an element continues the list of the previous one; `None` if the column has no lists.
    repetitions: Option<Vec<i16>>,
}

enum Values {
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Double(Vec<f64>),
    Text(Vec<ByteArray>),
}

impl Buffer {
    fn of(value_type: ValueType) -> Self {
        let values = match value_type.element {
            Element::Boolean => Values::Boolean(Vec::new()),
            Element::Integer | Element::Timestamp => Values::Integer(Vec::new()),
            Element::Double => Values::Double(Vec::new()),
            Element::Text => Values::Text(Vec::new()),
        };
        Self { values, definitions: Vec::new(), repetitions: value_type.is_list.then(Vec::new) }
    }

    fn clear(&mut self) {
        match &mut self.values {
            Values::Boolean(values) => values.clear(),
            Values::Integer(values) => values.clear(),
            Values::Double(values) => values.clear(),
            Values::Text(values) => values.clear(),
        }
        self.definitions.clear();
        self.repetitions.iter_mut().for_each(Vec::clear);
    }

    /// Adds the value of one row. Returns its size in memory.
    ///
    /// The definition level of a list is 0 without a list, 1 if it is empty, 2 for an element without a value, and 3
    /// for another one.
    fn add(&mut self, cell: &Cell<'_>) -> usize {
        match (cell, &mut self.repetitions) {
            (Cell::List(elements), Some(_)) if elements.is_empty() => self.levels(1, 0),
            (Cell::List(elements), Some(_)) => {
                let mut bytes = 0;
                for (at, element) in elements.iter().enumerate() {
                    let definition = if *element == Cell::Null { 2 } else { 3 };
                    bytes += self.levels(definition, i16::from(at > 0)) + self.value(element);
                }
                bytes
            }
            (Cell::Null, _) => self.levels(0, 0),
            (cell, _) => self.levels(1, 0) + self.value(cell),
        }
    }

    fn levels(&mut self, definition: i16, repetition: i16) -> usize {
        self.definitions.push(definition);
        if let Some(repetitions) = &mut self.repetitions {
            repetitions.push(repetition);
        }
        VALUE
    }

    fn value(&mut self, cell: &Cell<'_>) -> usize {
        match (cell, &mut self.values) {
            (Cell::Boolean(value), Values::Boolean(values)) => values.push(*value),
            (Cell::Integer(value) | Cell::Timestamp(value), Values::Integer(values)) => values.push(*value),
            (Cell::Double(value), Values::Double(values)) => values.push(*value),
            (Cell::Text(text), Values::Text(values)) => {
                values.push(ByteArray::from(text.as_bytes().to_vec()));
                return text.len() + size_of::<ByteArray>();
            }
            // `Table::fill` returns cells of the type of their column.
            _ => {}
        }
        0
    }
}

fn schema(table: &Table) -> Result<TypePtr, ParquetError> {
    let fields = table.columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("schema").with_fields(fields).build().map(Arc::new)
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let Column { name, value_type, .. } = column;
    if !value_type.is_list {
        return value(name, value_type.element);
    }
    let elements = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![value("element", value_type.element)?])
        .build()?;
    let list = Type::group_type_builder(name)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(elements)])
        .build()?;
    Ok(Arc::new(list))
}

fn value(name: &str, element: Element) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match element {
        Element::Boolean => (PhysicalType::BOOLEAN, None),
        Element::Integer => (PhysicalType::INT64, None),
        Element::Timestamp => (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        Element::Double => (PhysicalType::DOUBLE, None),
        Element::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    builder.with_logical_type(logical).build().map(Arc::new)
}
