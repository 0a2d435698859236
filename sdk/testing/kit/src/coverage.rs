//! Coverage: the declared items of an integration that runs have covered. Untested declarations would otherwise go
//! unnoticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use integration_sdk::graph::{ObjectType, StepId};
use integration_sdk::runtime::{StepReport, StepStatus};
use integration_sdk::{Integration, Summary};
use serde_json::Value;

/// A declared item of an integration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Declared {
    /// A step, which is covered if it ran to its end.
    Step(StepId),
    /// A type, which is covered if an object of it exists.
    Type(ObjectType),
    /// A property of a type, which is covered if an object has it.
    Property(ObjectType, String),
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(id) => write!(f, "{id}"),
            Self::Type(object_type) => write!(f, "{object_type}"),
            Self::Property(object_type, name) => write!(f, "{object_type}.{name}"),
        }
    }
}

/// The declared items, and whether one or several runs covered them.
///
/// ```text
/// fetch-events: disabled (user_config)
/// acme_project.archivedOn: in none of 3 objects
/// ```
///
/// Consequences of another gap are omitted: types of steps that did not run, properties of types without objects.
#[derive(Debug, Clone)]
pub struct Coverage {
    items: BTreeMap<Declared, Item>,
    exceptions: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Item {
    /// The reason why the item is not covered; absent if it is covered.
    unmet: Option<String>,
    /// The items without which this one cannot be covered.
    needs: BTreeSet<Declared>,
}

impl Coverage {
    pub(crate) fn of<'a>(
        integration: &Integration,
        summary: &Summary,
        objects: impl Iterator<Item = &'a Value>,
    ) -> Self {
        let met = met_properties(objects);
        let mut coverage = Self { items: BTreeMap::new(), exceptions: BTreeSet::new() };
        for step in integration.steps() {
            let declaration = step.declaration();
            let report = summary.integration_step_results.iter().find(|report| report.id == declaration.id);
            let this = Declared::Step(declaration.id.clone());
            coverage.declare(this.clone(), unmet_step(report), None);
            let entities = declaration.entities.iter().map(|declared| (&declared.object_type, Some(&declared.schema)));
            let relationships =
                declaration.relationships.iter().map(|declared| (&declared.object_type, Some(&declared.schema)));
            let mapped = declaration.mapped_relationships.iter().map(|declared| (&declared.object_type, None));
            for (object_type, schema) in entities.chain(relationships).chain(mapped) {
                coverage.declare_type(object_type, schema, &this, met.get(object_type.as_str()));
            }
        }
        coverage
    }

    fn declare_type(
        &mut self,
        object_type: &ObjectType,
        schema: Option<&Value>,
        step: &Declared,
        met: Option<&Met<'_>>,
    ) {
        let this = Declared::Type(object_type.clone());
        let none = met.is_none().then(|| "no object".to_owned());
        self.declare(this.clone(), none, Some(step));
        let properties = schema.and_then(|schema| schema["properties"].as_object()).into_iter().flatten();
        for (name, _) in properties.filter(|(name, _)| !name.starts_with('_')) {
            let unmet = match met {
                Some(met) if met.properties.contains(name.as_str()) => None,
                Some(met) => Some(format!("in none of {} objects", met.objects)),
                None => Some("no object".to_owned()),
            };
            self.declare(Declared::Property(object_type.clone(), name.clone()), unmet, Some(&this));
        }
    }

    fn declare(&mut self, declared: Declared, unmet: Option<String>, need: Option<&Declared>) {
        let item = self.items.entry(declared).or_insert(Item { unmet, needs: BTreeSet::new() });
        item.needs.extend(need.cloned());
    }

    /// Combines two runs: an item is covered if either run covered it.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for (declared, item) in other.items {
            match self.items.get_mut(&declared) {
                Some(known) if item.unmet.is_none() => known.unmet = None,
                Some(_) => {}
                None => {
                    self.items.insert(declared, item);
                }
            }
        }
        self.exceptions.extend(other.exceptions);
        self
    }

    /// Excludes items by the names in the report: `fetch-events`, `acme_event`, `acme_user.lastLoginOn`.
    #[must_use]
    pub fn except<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.exceptions.extend(names.into_iter().map(Into::into));
        self
    }

    /// Returns the uncovered items without exceptions and consequences.
    pub fn unmet(&self) -> Vec<&Declared> {
        self.gaps().map(|(declared, _)| declared).collect()
    }

    /// Asserts that every item except the exceptions is covered, and that no exception is.
    ///
    /// # Panics
    /// Panics if the assertion fails.
    #[track_caller]
    pub fn assert_whole(&self) {
        let (unmet, stale) = (self.to_string(), self.stale_exceptions());
        if !unmet.is_empty() {
            panic!("the run did not cover all of the {} declared items:\n{unmet}", self.items.len());
        }
        if !stale.is_empty() {
            panic!("remove these unnecessary exceptions:\n  {}", stale.join("\n  "));
        }
    }

    fn gaps(&self) -> impl Iterator<Item = (&Declared, &str)> {
        let unmet = self.items.iter().filter_map(|(declared, item)| Some((declared, item, item.unmet.as_deref()?)));
        let roots = unmet.filter(|(_, item, _)| !self.follows(item));
        let wanted = roots.filter(|(declared, ..)| !self.exceptions.contains(&declared.to_string()));
        wanted.map(|(declared, _, why)| (declared, why))
    }

    fn follows(&self, item: &Item) -> bool {
        let is_unmet = |declared: &Declared| self.items.get(declared).is_some_and(|item| item.unmet.is_some());
        !item.needs.is_empty() && item.needs.iter().all(is_unmet)
    }

    fn stale_exceptions(&self) -> Vec<String> {
        let named: BTreeMap<String, &Item> =
            self.items.iter().map(|(declared, item)| (declared.to_string(), item)).collect();
        let stale = self.exceptions.iter().filter_map(|name| match named.get(name) {
            None => Some(format!("{name}: no item of this name is declared")),
            Some(item) if item.unmet.is_none() => Some(format!("{name}: the item is covered")),
            Some(_) => None,
        });
        stale.collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.gaps().map(|(declared, why)| format!("  {declared}: {why}")).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// The properties of the objects of a type.
#[derive(Default)]
struct Met<'a> {
    objects: usize,
    properties: BTreeSet<&'a str>,
}

fn met_properties<'a>(objects: impl Iterator<Item = &'a Value>) -> BTreeMap<&'a str, Met<'a>> {
    let mut met: BTreeMap<&str, Met<'_>> = BTreeMap::new();
    for object in objects {
        let (Some(object_type), Some(properties)) = (object["_type"].as_str(), object.as_object()) else { continue };
        let of_type = met.entry(object_type).or_default();
        of_type.objects += 1;
        let present = properties.iter().filter(|(_, value)| !is_empty(value));
        of_type.properties.extend(present.map(|(name, _)| name.as_str()));
    }
    met
}

/// Whether a value covers nothing: an empty list does not cover its elements.
fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn unmet_step(report: Option<&StepReport>) -> Option<String> {
    let Some(report) = report else { return Some("not run".to_owned()) };
    match report.status {
        StepStatus::Success | StepStatus::Cached | StepStatus::Partial => None,
        status => {
            let reason = report.disabled_reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            Some(format!("{}{reason}", status.label()))
        }
    }
}
