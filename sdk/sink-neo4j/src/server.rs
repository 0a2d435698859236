//! Statements with parameters, and their results.

use integration_store::SnapshotId;
use neo4rs::{BoltList, BoltMap, BoltString, BoltType, Graph, Query, Row};

use crate::value::PropertyValue;

/// A connection.
pub(crate) struct Server {
    graph: Graph,
}

/// An error of the server or of the connection.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ServerError(String);

impl ServerError {
    /// The error of a transfer during which another one has begun.
    pub(crate) fn overtaken(id: &SnapshotId) -> Self {
        Self(format!(
            "another export has begun to write the instance {} into this database; repeat this one after its end",
            id.instance
        ))
    }
}

impl From<neo4rs::Error> for ServerError {
    fn from(error: neo4rs::Error) -> Self {
        Self(match error {
            neo4rs::Error::Neo4j(refused) => format!("{} ({})", refused.message(), refused.code()),
            other => other.to_string(),
        })
    }
}

impl From<neo4rs::DeError> for ServerError {
    fn from(error: neo4rs::DeError) -> Self {
        Self(format!("the answer has another form: {error}"))
    }
}

/// The name and value of a parameter.
pub(crate) type Parameter = (&'static str, BoltType);

impl Server {
    pub(crate) fn new(graph: Graph) -> Self {
        Self { graph }
    }

    /// Runs a statement. Errors that the server calls transient are repeated, so statements are idempotent.
    pub(crate) async fn run(
        &self,
        statement: String,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<(), ServerError> {
        self.graph.run(Query::new(statement).params(parameters)).await?;
        Ok(())
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(
        &self,
        statement: String,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<Vec<Row>, ServerError> {
        let mut stream = self.graph.execute(Query::new(statement).params(parameters)).await?;
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await? {
            rows.push(row);
        }
        Ok(rows)
    }

    /// Runs a statement that returns one number.
    pub(crate) async fn count(
        &self,
        statement: String,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<u64, ServerError> {
        let rows = self.rows(statement, parameters).await?;
        let counts = rows.iter().map(|row| row.get::<i64>("count"));
        let counts: Vec<i64> = counts.collect::<Result<_, _>>()?;
        Ok(counts.into_iter().map(i64::unsigned_abs).sum())
    }
}

/// Returns a list as a parameter.
pub(crate) fn list(values: impl IntoIterator<Item = impl Into<BoltType>>) -> BoltType {
    BoltType::List(values.into_iter().map(Into::into).collect::<Vec<BoltType>>().into())
}

/// Returns a map as a parameter.
pub(crate) fn map<'a>(members: impl IntoIterator<Item = (&'a str, BoltType)>) -> BoltType {
    BoltType::Map(members.into_iter().map(|(name, value)| (BoltString::from(name), value)).collect::<BoltMap>())
}

impl From<PropertyValue> for BoltType {
    fn from(value: PropertyValue) -> Self {
        match value {
            PropertyValue::Boolean(value) => value.into(),
            PropertyValue::Integer(value) => value.into(),
            PropertyValue::Float(value) => value.into(),
            PropertyValue::Text(value) => value.into(),
            PropertyValue::List(values) => {
                Self::List(BoltList::from(values.into_iter().map(Self::from).collect::<Vec<_>>()))
            }
        }
    }
}
