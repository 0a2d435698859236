//! Custom compliance frameworks: requirements with controls, whose tests are queries.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::question::slug;
use crate::{Compliance, Pack, PackQuery, Question, ResultsAre};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Framework {
    name: String,
    #[serde(default, rename = "description")]
    _description: Option<IgnoredAny>,
    requirements: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Requirement {
    display_name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, rename = "sequence")]
    _sequence: Option<IgnoredAny>,
    #[serde(default, rename = "title")]
    _title: Option<IgnoredAny>,
    #[serde(default)]
    identifier: Option<String>,
    #[serde(default)]
    controls: Vec<Control>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Control {
    display_name: String,
    #[serde(default)]
    control_tests: Vec<ControlTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ControlTest {
    name: String,
    query: String,
    results_are: ResultsAre,
}

impl Framework {
    /// Returns one question for each control.
    pub(crate) fn into_pack(self) -> Pack {
        let standard = self.name;
        let mut questions = Vec::new();
        for requirement in self.requirements {
            let number = requirement.identifier.unwrap_or_else(|| requirement.display_name.clone());
            for control in requirement.controls {
                let query =
                    |test: ControlTest| PackQuery { name: test.name, query: test.query, results_are: test.results_are };
                questions.push(Question {
                    id: slug(&format!("{number} {}", control.display_name)),
                    title: control.display_name.clone(),
                    description: requirement.description.clone().unwrap_or_default(),
                    queries: control.control_tests.into_iter().map(query).collect(),
                    tags: Vec::new(),
                    compliance: vec![Compliance {
                        standard: standard.clone(),
                        requirements: vec![number.clone()],
                        controls: vec![control.display_name],
                    }],
                    variables: Vec::new(),
                });
            }
        }
        Pack { questions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_a_question() {
        let text = r#"{"name": "House rules", "description": "x", "requirements": [{"displayName": "Access",
            "description": "d", "identifier": "H-1", "controls": [{"displayName": "MFA", "controlTests": [
            {"name": "without", "query": "FIND User", "resultsAre": "BAD"}]}]}]}"#;
        let pack = Pack::parse(text).expect("a framework");
        let question = &pack.questions[0];
        assert_eq!((question.id.as_str(), question.title.as_str()), ("h-1-mfa", "MFA"));
        assert_eq!(question.queries[0].results_are, ResultsAre::Bad);
        assert_eq!(question.compliance[0].requirements, ["H-1"]);
    }
}
