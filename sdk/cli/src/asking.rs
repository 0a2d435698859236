//! Asks one query of the account graph, with its parameters and limits.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use integration_query::diagnostic::Diagnostics;
use integration_query::graph::AccountGraph;
use integration_query::syntax::{substitute, texts};
use integration_query::{Answer, Catalogue, Options};
use integration_sdk::input;
use serde_json::Value;

use crate::account_graph;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Flag;
use crate::limits::Limits;

/// The values and the limits of queries.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// The values of `${param.name}` and `{{name}}`.
    pub(crate) parameters: BTreeMap<String, Value>,
    /// The number of rows of a query without `LIMIT`.
    pub(crate) default_limit: Option<u64>,
    /// The maximum duration of one query.
    pub(crate) timeout: Duration,
    pub(crate) catalogue: Arc<Catalogue>,
    /// Set by Ctrl-C.
    pub(crate) stop: Arc<Flag>,
}

impl Asking {
    /// Creates the values and limits of a command. The names that the integrations declare are known to its queries.
    pub(crate) fn new(context: &Context<'_>, parameters: &[(String, Value)], timeout: Duration) -> Self {
        Self {
            parameters: parameters.iter().cloned().collect(),
            default_limit: None,
            timeout,
            catalogue: Arc::new(account_graph::catalogue(context.offers.iter().map(|offer| &offer.integration))),
            stop: Arc::new(Flag::listen(context.console.clone())),
        }
    }

    /// Fills in the variables of a query, and answers it.
    pub(crate) async fn ask(&self, graph: &AccountGraph, text: &str) -> Result<Answer, Failure> {
        self.answer(graph, &self.filled(text)?).await
    }

    /// Returns a query with the values of its variables.
    pub(crate) fn filled(&self, text: &str) -> Result<String, Failure> {
        let filled = substitute(text, &texts(&self.parameters));
        Ok(filled.map_err(|missing| Failure::query(text, Diagnostics::from(missing).into()))?.into_owned())
    }

    /// Answers a query without variables. Ctrl-C ends it with an error.
    pub(crate) async fn answer(&self, graph: &AccountGraph, text: &str) -> Result<Answer, Failure> {
        self.answer_within(&self.limits(), graph, text).await
    }

    /// The limits of one query, which starts now.
    pub(crate) fn limits(&self) -> Limits {
        Limits::new(Arc::clone(&self.stop.is_set), self.timeout)
    }

    /// Answers a query without variables, within limits that also hold for the output of its result.
    pub(crate) async fn answer_within(
        &self,
        limits: &Limits,
        graph: &AccountGraph,
        text: &str,
    ) -> Result<Answer, Failure> {
        let options = Options {
            parameters: self.parameters.clone(),
            default_limit: self.default_limit,
            deadline: limits.deadline(),
            catalogue: Arc::clone(&self.catalogue),
            cancelled: limits.cancelled(),
            ..Options::default()
        };
        let answer = integration_query::run(text, graph, &options).await;
        answer.map_err(|error| Failure::query(text, error))
    }
}

/// Reads a bounded text from stdin.
pub(crate) fn stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(input::DOCUMENT).read_to_string(&mut text);
    read.map_err(Failure::file("read", "stdin"))?;
    Ok(text)
}

/// Parses `NAME=VALUE`. JSON keeps its type; everything else is a text.
pub(crate) fn parameter(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name before = is empty".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_parameter_keeps_the_type_of_json() {
        let value = |text: &str| parameter(text).expect("a parameter").1;
        assert_eq!(value("n=5"), json!(5));
        assert_eq!(value("n=\"5\""), json!("5"));
        assert_eq!(value("n=shop"), json!("shop"));
        assert_eq!(value("n=[1,\"a\"]"), json!([1, "a"]));
        assert_eq!(value("n=a=b"), json!("a=b"));
        assert!(parameter("shop").is_err() && parameter("=5").is_err());
    }
}
