//! A naive evaluator: nested loops over plain objects.
//!
//! It shares nothing with the engine except the syntax tree. Paths are lists of bindings, every step makes a list of paths
//! from a list of paths, and results are computed from the complete list.

use integration_query::syntax::{
    Condition, Direction, Expression, Hop, Node, Operand, Optional, OrderKey, Path, Query, Return, Selector, Step,
    Verbs,
};
use serde_json::Value;

use super::compare::holds;
use super::model::{Model, Object};
use super::output;

/// An entity or a relationship, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    Entity(usize),
    Relationship(usize),
}

/// One walked path.
#[derive(Debug, Clone)]
pub struct Walk {
    pub head: usize,
    current: usize,
    pub names: Vec<(String, Found)>,
    pub visited: Vec<Found>,
}

impl Walk {
    pub fn named(&self, name: &str) -> Option<Found> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, found)| *found)
    }
}

/// What a query returns, in a form that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The number of rows before the page.
    pub total: u64,
    pub rows: Rows,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// The keys of entities.
    List(Vec<String>),
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<Value>>,
    },
    /// The keys of entities and of relationships, sorted.
    Tree(Vec<String>, Vec<String>),
}

pub fn evaluate(model: &Model, query: &Query) -> Expected {
    let evaluator = Evaluator { model };
    let heads = (0..model.entities.len()).filter(|at| evaluator.selects(&query.head, *at));
    let start = heads.map(|head| {
        let mut walk = Walk { head, current: head, names: Vec::new(), visited: vec![Found::Entity(head)] };
        name_node(&mut walk, &query.head, head);
        walk
    });
    let walks = evaluator.steps(&query.steps, true, start.collect());
    let passes = |walk: &Walk| query.condition.as_ref().is_none_or(|condition| evaluator.passes(condition, walk));
    let walks: Vec<Walk> = walks.into_iter().filter(passes).collect();
    match &query.returns {
        Some(Return::Items(items)) => output::table(&evaluator, query, items, walks),
        returns => {
            let mut heads: Vec<usize> = walks.iter().map(|walk| walk.head).collect();
            heads.dedup();
            let total = heads.len() as u64;
            let keys = query.order_by.as_ref().map_or(&[][..], |order| &order.keys);
            heads.sort_by(|left, right| {
                output::compare_by(keys, |key| (head_value(model, *left, key), head_value(model, *right, key)))
            });
            let heads = output::page(heads, query);
            let rows = match returns {
                None => Rows::List(heads.iter().map(|head| key_of(&model.entities[*head])).collect()),
                Some(_) => tree(model, walks.iter().filter(|walk| heads.contains(&walk.head))),
            };
            Expected { total, rows }
        }
    }
}

fn head_value(model: &Model, head: usize, key: &OrderKey) -> Value {
    let Expression::Path(path) = &key.expression else { panic!("a property of the head") };
    let property = path.segments.last().expect("a segment");
    model.entities[head].get(&property.name.value).cloned().unwrap_or_default()
}

fn tree<'w>(model: &Model, walks: impl Iterator<Item = &'w Walk>) -> Rows {
    let (mut entities, mut relationships) = (Vec::new(), Vec::new());
    for found in walks.flat_map(|walk| &walk.visited) {
        match found {
            Found::Entity(at) => entities.push(key_of(&model.entities[*at])),
            Found::Relationship(at) => relationships.push(key_of(&model.relationships[*at].object)),
        }
    }
    for keys in [&mut entities, &mut relationships] {
        keys.sort();
        keys.dedup();
    }
    Rows::Tree(entities, relationships)
}

pub fn key_of(object: &Object) -> String {
    object["_key"].as_str().expect("a key").to_owned()
}

pub struct Evaluator<'m> {
    pub model: &'m Model,
}

impl Evaluator<'_> {
    pub fn object(&self, found: Found) -> &Object {
        match found {
            Found::Entity(at) => &self.model.entities[at],
            Found::Relationship(at) => &self.model.relationships[at].object,
        }
    }

    fn steps(&self, steps: &[Step], is_last: bool, mut walks: Vec<Walk>) -> Vec<Walk> {
        for (number, step) in steps.iter().enumerate() {
            let is_last = is_last && number + 1 == steps.len();
            walks = walks
                .into_iter()
                .flat_map(|walk| match step {
                    Step::Hop(hop) if hop.negated.is_some() => {
                        if self.hop(hop, &walk).is_empty() {
                            vec![walk]
                        } else {
                            Vec::new()
                        }
                    }
                    Step::Hop(hop) => self.hop(hop, &walk),
                    Step::Optional(optional) => self.optional(optional, is_last, walk),
                })
                .collect();
        }
        walks
    }

    fn optional(&self, optional: &Optional, is_last: bool, walk: Walk) -> Vec<Walk> {
        let inner = self.steps(&optional.steps, is_last, vec![walk.clone()]);
        let mut walks = if is_last && !inner.is_empty() { Vec::new() } else { vec![walk] };
        walks.extend(inner);
        if let Some(alias) = &optional.alias {
            for walk in &mut walks {
                walk.names.push((alias.value.clone(), Found::Entity(walk.current)));
            }
        }
        walks
    }

    /// Returns the walk with each fitting neighbour, in the order of entities and then of relationships.
    fn hop(&self, hop: &Hop, walk: &Walk) -> Vec<Walk> {
        let mut walks = Vec::new();
        for entity in (0..self.model.entities.len()).filter(|at| self.selects(&hop.node, *at)) {
            for (at, relationship) in self.model.relationships.iter().enumerate() {
                let ends = (relationship.from, relationship.to);
                let (forward, backward) = (ends == (walk.current, entity), ends == (entity, walk.current));
                let connects = match hop.direction {
                    Direction::Either => forward || backward,
                    Direction::Forward => forward,
                    Direction::Backward => backward,
                };
                let class = relationship.object["_class"].as_str().expect("a class");
                let has_class = match &hop.verbs.value {
                    Verbs::Any => true,
                    Verbs::Of(verbs) => verbs.iter().any(|verb| verb.value.eq_ignore_ascii_case(class)),
                };
                let filter = hop.relationship_filter.as_ref();
                if connects && has_class && filter.is_none_or(|filter| own(filter, &relationship.object)) {
                    let mut next = walk.clone();
                    next.current = entity;
                    next.visited.extend([Found::Relationship(at), Found::Entity(entity)]);
                    if let Some(alias) = &hop.relationship {
                        next.names.push((alias.value.clone(), Found::Relationship(at)));
                    }
                    name_node(&mut next, &hop.node, entity);
                    walks.push(next);
                }
            }
        }
        walks
    }

    fn selects(&self, node: &Node, at: usize) -> bool {
        let entity = &self.model.entities[at];
        let has_name = |name: &str| {
            let classes = match &entity["_class"] {
                Value::Array(classes) => classes.clone(),
                class => vec![class.clone()],
            };
            entity["_type"] == name || classes.iter().any(|class| class == name)
        };
        let selected = match &node.selector.value {
            Selector::Any => true,
            Selector::Names(names) => names.iter().any(|name| has_name(&name.value)),
            Selector::Tagged { tag, name } => {
                let tags = entity.get("tags").and_then(Value::as_array);
                tags.is_some_and(|tags| tags.iter().any(|own| *own == *tag.value))
                    && name.as_ref().is_none_or(|name| has_name(&name.value))
            }
            Selector::Text(text) => {
                let searched = entity.iter().filter(|(name, _)| !["_createdOn", "_beginOn"].contains(&name.as_str()));
                searched.into_iter().any(|(_, value)| contains(value, &text.to_lowercase()))
            }
        };
        selected && node.filter.as_ref().is_none_or(|filter| own(filter, entity))
    }

    pub fn passes(&self, condition: &Condition, walk: &Walk) -> bool {
        // Objects are compared here, because they are not values.
        match condition {
            Condition::And(parts) => parts.iter().all(|part| self.passes(part, walk)),
            Condition::Or(parts) => parts.iter().any(|part| self.passes(part, walk)),
            Condition::Compare(comparison) if comparison.left.segments.len() == 1 => {
                let name = |path: &Path| walk.named(&path.segments[0].name.value);
                let left = name(&comparison.left);
                let is_equal = match &comparison.right {
                    Operand::Path(path) => left.is_some() && left == name(path),
                    _ => left.is_none(),
                };
                is_equal == (comparison.operator.value == integration_query::syntax::Operator::Equal)
            }
            single => holds(single, &|path| self.property(path, walk)),
        }
    }

    /// Returns the property of an alias.
    pub fn property(&self, path: &Path, walk: &Walk) -> Option<Value> {
        let (alias, rest) = path.segments.split_first().expect("a segment");
        let name = rest.iter().map(|segment| segment.name.value.as_str()).collect::<Vec<_>>().join(".");
        walk.named(&alias.name.value).and_then(|found| self.object(found).get(&name).cloned())
    }
}

fn name_node(walk: &mut Walk, node: &Node, at: usize) {
    let implied = match &node.selector.value {
        Selector::Names(names) if names.len() == 1 => Some(&names[0]),
        _ => None,
    };
    if let Some(name) = node.alias.as_ref().or(implied) {
        walk.names.push((name.value.clone(), Found::Entity(at)));
    }
}

/// Whether an object satisfies its own filter.
fn own(filter: &Condition, object: &Object) -> bool {
    holds(filter, &|path| {
        let name = path.segments.iter().map(|segment| segment.name.value.as_str()).collect::<Vec<_>>().join(".");
        object.get(&name).cloned()
    })
}

fn contains(value: &Value, lower: &str) -> bool {
    match value {
        Value::String(text) => text.to_lowercase().contains(lower),
        Value::Number(number) => number.to_string().contains(lower),
        Value::Array(elements) => elements.iter().any(|element| contains(element, lower)),
        _ => false,
    }
}
