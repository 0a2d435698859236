//! `--allow`: rules that a graph may violate, for all objects or for one type.

use std::str::FromStr;

use clap::ValueEnum;

use crate::report::Rule;

/// A permitted violation, such as `schema` or `schema:heroku_account_member`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Allowance {
    rule: Rule,
    /// The only type that may violate the rule, if one is given.
    object_type: Option<String>,
}

impl Allowance {
    /// Returns whether an object of this type may violate the rule.
    pub(super) fn covers(&self, rule: Rule, object_type: &str) -> bool {
        self.rule == rule && self.object_type.as_deref().is_none_or(|only| only == object_type)
    }

    /// The help text of the option, with all rules.
    pub(super) fn help() -> String {
        let width = Rule::OF_DATA.map(|rule| rule.id().len()).into_iter().max().unwrap_or_default() + 1;
        let line = |rule: Rule| format!("- {:width$} {}", format!("{}:", rule.id()), rule.title());
        let head = "Comma-separated rules that the graph may violate, for all objects or for one type";
        format!("{head}:\n{}", Rule::OF_DATA.map(line).join("\n"))
    }

    #[cfg(test)]
    pub(super) fn of(rule: Rule) -> Self {
        Self { rule, object_type: None }
    }
}

fn rules() -> String {
    Rule::OF_DATA.map(Rule::id).join(", ")
}

impl FromStr for Allowance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, object_type) = match text.split_once(':') {
            Some((name, object_type)) => (name, Some(object_type.to_owned())),
            None => (text, None),
        };
        let rule = Rule::from_str(name, false)
            .map_err(|_| format!("there is no rule {name:?}; the rules are: {}", rules()))?;
        match object_type {
            Some(name) if name.is_empty() => Err("the type after the colon is missing".to_owned()),
            object_type => Ok(Self { rule, object_type }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_may_be_violated_by_all_types_or_by_one() {
        let all: Allowance = "time-unit".parse().unwrap();
        assert!(all.covers(Rule::TimeUnit, "acme_user") && !all.covers(Rule::Schema, "acme_user"));
        let one: Allowance = "schema:acme_user".parse().unwrap();
        assert!(one.covers(Rule::Schema, "acme_user") && !one.covers(Rule::Schema, "acme_team"));
    }

    #[test]
    fn an_unknown_rule_is_reported_with_the_known_rules() {
        let error = "shema".parse::<Allowance>().unwrap_err();
        assert!(error.starts_with("there is no rule \"shema\"; the rules are: schema, unreadable, "), "{error}");
        assert!("schema:".parse::<Allowance>().is_err());
    }
}
