//! Questions as plain data.

use serde::{Deserialize, Serialize};

/// The questions of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pack {
    /// The questions, in the order of the file.
    pub questions: Vec<Question>,
}

/// A question with its queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The id. Questions without one in the file get it from their title.
    pub id: String,
    /// The question for people.
    pub title: String,
    /// The explanation.
    pub description: String,
    /// The queries. There is at least one.
    pub queries: Vec<PackQuery>,
    /// The tags.
    pub tags: Vec<String>,
    /// The requirements of standards that the question concerns.
    pub compliance: Vec<Compliance>,
    /// The variables of the queries.
    pub variables: Vec<Variable>,
}

/// One query of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackQuery {
    /// The name. Queries without one are named `query0`, `query1`, and so on, by their position.
    pub name: String,
    /// The text of the query.
    pub query: String,
    /// The meaning of the results.
    pub results_are: ResultsAre,
}

/// The meaning of the results of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ResultsAre {
    /// Each result fulfils the requirement.
    Good,
    /// Each result needs a remedy.
    Bad,
    /// Each result needs a review.
    Unknown,
    /// The results are an answer without judgement.
    #[default]
    Informative,
}

/// The relation of a question to a standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Compliance {
    /// The name of the standard.
    pub standard: String,
    /// The numbers of its requirements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// The numbers of its controls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
}

/// A variable `{{name}}` in the queries of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variable {
    /// The name between the braces.
    pub name: String,
    /// Whether a value must be given.
    #[serde(default)]
    pub required: bool,
    /// The value if none is given.
    #[serde(default)]
    pub default: Option<String>,
}

/// Returns a title as an id: lower-case words joined by dashes.
pub(crate) fn slug(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}
