//! Reads all forms of question files.
//!
//! JSON is read as YAML, of which it is a subset. The form is decided by the outermost names, and the file is then read
//! strictly in that form, so that an error names a misspelt field and its line.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::framework::Framework;
use crate::question::slug;
use crate::{Compliance, Pack, PackQuery, Question, ResultsAre, Variable};

/// A text that is no question pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The text is not YAML or JSON, or a field is missing, unknown, or of another type.
    #[error("{0}")]
    Format(String),
    /// The outermost value has none of the accepted forms.
    #[error(
        "the file contains no questions: expected a list of questions, or an object with `questions` or `requirements`"
    )]
    Form,
}

impl Pack {
    /// Reads the questions of a file in YAML or JSON.
    ///
    /// # Errors
    /// [`PackError`] if the text has none of the accepted forms.
    pub fn parse(text: &str) -> Result<Self, PackError> {
        let questions = match form(text)? {
            Form::Many => read::<Vec<QuestionForm>>(text)?,
            Form::Pack => read::<PackForm>(text)?.questions,
            Form::One => vec![read::<QuestionForm>(text)?],
            Form::Framework => return Ok(read::<Framework>(text)?.into_pack()),
        };
        let mut pack = Self { questions: questions.into_iter().map(QuestionForm::into_question).collect() };
        pack.number_equal_ids();
        Ok(pack)
    }

    /// Makes the ids unique that questions got from equal titles.
    fn number_equal_ids(&mut self) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for question in &mut self.questions {
            let (from_title, times) = (slug(&question.title), seen.entry(question.id.clone()).or_default());
            *times += 1;
            if *times > 1 && question.id == from_title {
                question.id = format!("{from_title}-{times}");
            }
        }
    }
}

/// The form of a file.
enum Form {
    Many,
    Pack,
    One,
    Framework,
}

fn form(text: &str) -> Result<Form, PackError> {
    match read::<Value>(text)? {
        Value::Array(_) => Ok(Form::Many),
        Value::Object(names) if names.contains_key("questions") => Ok(Form::Pack),
        Value::Object(names) if names.contains_key("requirements") => Ok(Form::Framework),
        Value::Object(names) if names.contains_key("queries") => Ok(Form::One),
        _ => Err(PackError::Form),
    }
}

/// Reads YAML. Only `true` and `false` are booleans, so that a query may be named `y` or `no`.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, PackError> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| PackError::Format(error.to_string()))
}

/// Fields that only the service uses are read and left out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PackForm {
    #[serde(default, rename = "integrationDefinitionId")]
    _integration_definition_id: Option<IgnoredAny>,
    #[serde(default, rename = "sourceId")]
    _source_id: Option<IgnoredAny>,
    #[serde(default, rename = "integrations")]
    _integrations: Option<IgnoredAny>,
    questions: Vec<QuestionForm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QuestionForm {
    id: Option<String>,
    title: String,
    #[serde(default, rename = "name")]
    _name: Option<IgnoredAny>,
    #[serde(default)]
    description: Option<String>,
    queries: Queries,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    compliance: Option<Vec<Compliance>>,
    #[serde(default)]
    variables: Option<Vec<Variable>>,
    #[serde(default, rename = "integration")]
    _integration: Option<IgnoredAny>,
    #[serde(default, rename = "category")]
    _category: Option<IgnoredAny>,
    #[serde(default, rename = "showTrend")]
    _show_trend: Option<IgnoredAny>,
    #[serde(default, rename = "pollingInterval")]
    _polling_interval: Option<IgnoredAny>,
    #[serde(default, rename = "widgetId")]
    _widget_id: Option<IgnoredAny>,
}

/// A list of queries, or a map from names to queries.
enum Queries {
    List(Vec<QueryForm>),
    Named(BTreeMap<String, String>),
}

/// Written by hand, because an untagged enum hides the place of an error.
impl<'de> Deserialize<'de> for Queries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Queries;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of queries, or a map from names to queries")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Queries, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(Queries::List)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Queries, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Queries::Named)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QueryForm {
    #[serde(default)]
    name: Option<String>,
    query: String,
    #[serde(default)]
    results_are: Option<ResultsAre>,
    #[serde(default, rename = "version")]
    _version: Option<IgnoredAny>,
    #[serde(default, rename = "includeDeleted")]
    _include_deleted: Option<IgnoredAny>,
}

impl QuestionForm {
    fn into_question(self) -> Question {
        let queries = match self.queries {
            Queries::List(queries) => queries.into_iter().enumerate().map(|(at, query)| query.at(at)).collect(),
            Queries::Named(queries) => queries
                .into_iter()
                .map(|(name, query)| PackQuery { name, query, results_are: ResultsAre::default() })
                .collect(),
        };
        Question {
            id: self.id.unwrap_or_else(|| slug(&self.title)),
            title: self.title,
            description: self.description.unwrap_or_default(),
            queries,
            tags: self.tags.unwrap_or_default(),
            compliance: self.compliance.unwrap_or_default(),
            variables: self.variables.unwrap_or_default(),
        }
    }
}

impl QueryForm {
    fn at(self, position: usize) -> PackQuery {
        PackQuery {
            name: self.name.unwrap_or_else(|| format!("query{position}")),
            query: self.query,
            results_are: self.results_are.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Question {
        let pack = Pack::parse(text).expect("a pack");
        assert_eq!(pack.questions.len(), 1);
        pack.questions.into_iter().next().expect("one question")
    }

    #[test]
    fn every_form_gives_the_same_question() {
        let expected = only("{title: Who?, description: D, queries: [{query: FIND User}], tags: [a]}");
        assert_eq!((expected.id.as_str(), expected.queries[0].name.as_str()), ("who", "query0"));
        for text in [
            "[{title: Who?, description: D, queries: [{query: FIND User, version: v1}], tags: [a]}]",
            "integrationDefinitionId: '${x}'\nsourceId: managed:acme\nquestions:\n  - title: Who?\n    description: D\n    queries: [{query: FIND User}]\n    tags: [a]\n",
            r#"{"integrations": [], "questions": [{"title": "Who?", "description": "D", "queries": {"query0": "FIND User"}, "tags": ["a"], "category": "x"}]}"#,
        ] {
            assert_eq!(only(text), expected, "{text}");
        }
    }

    #[test]
    fn a_misspelt_field_is_an_error_that_names_it() {
        let text = "questions:\n  - id: a\n    titel: Who?\n    queries: [{query: FIND User}]\n";
        let error = Pack::parse(text).expect_err("no title").to_string();
        assert!(error.contains("titel") && error.contains('3'), "{error}");
        let text = "questions:\n  - title: Who?\n    queries:\n      - query: FIND User\n        resultAre: BAD\n";
        let error = Pack::parse(text).expect_err("no such field").to_string();
        assert!(error.contains("resultAre") && error.contains('5'), "{error}");
    }

    #[test]
    fn other_documents_are_not_packs() {
        assert_eq!(Pack::parse("{a: 1}"), Err(PackError::Form));
        assert_eq!(Pack::parse("text"), Err(PackError::Form));
        assert!(matches!(Pack::parse("a: [b"), Err(PackError::Format(_))));
    }

    #[test]
    fn equal_titles_give_different_ids() {
        let pack = Pack::parse("[{title: Who?, queries: []}, {title: Who?, queries: []}]").expect("a pack");
        assert_eq!(pack.questions.iter().map(|q| q.id.as_str()).collect::<Vec<_>>(), ["who", "who-2"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[-{}\\[\\]:a-c \n'\"&*!|>#0-9?,]{0,60}") {
            let _ = Pack::parse(&text);
        }
    }
}
