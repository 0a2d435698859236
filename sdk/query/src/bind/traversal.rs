//! The traversal: selectors, hops, and optional parts.

use super::suggestion::did_you_mean;
use super::{
    Binder, EdgePattern, Formula, Hop, Leaf, LeafKind, Logic, NodePattern, Pattern, Place, Slot, SlotId, Step,
};
use crate::error::QueryError;
use crate::syntax::{self, Selector, Spanned, Verbs};
use crate::value::{Constant, Relation, Test};

/// The position of a part of the traversal.
#[derive(Clone, Copy)]
struct Position {
    /// Whether nothing follows.
    is_last: bool,
    /// The number of optional parts around it.
    depth: usize,
}

impl Binder<'_> {
    /// Binds the head and all steps.
    pub(super) fn traversal(&mut self, query: &syntax::Query) -> Result<(), QueryError> {
        let head = self.node(&query.head, false, false)?;
        let mut current = vec![head];
        self.steps(&query.steps, Position { is_last: true, depth: 0 }, &mut current)
    }

    /// Binds steps. `current` contains the slots that the current entity can come from.
    fn steps(
        &mut self,
        steps: &[syntax::Step],
        position: Position,
        current: &mut Vec<SlotId>,
    ) -> Result<(), QueryError> {
        for (number, step) in steps.iter().enumerate() {
            match step {
                syntax::Step::Hop(hop) => self.hop(hop, position.depth > 0, current)?,
                syntax::Step::Optional(optional) => {
                    let is_last = position.is_last && number + 1 == steps.len();
                    self.optional(optional, Position { is_last, ..position }, current)?;
                }
            }
        }
        Ok(())
    }

    fn hop(&mut self, hop: &syntax::Hop, is_optional: bool, current: &mut Vec<SlotId>) -> Result<(), QueryError> {
        let is_negated = hop.negated.is_some();
        let pattern = self.edge_pattern(&hop.verbs)?;
        let name = hop.relationship.as_ref().map(|name| name.value.clone());
        let edge =
            self.add_slot(Slot { name, pattern: Pattern::Edge(pattern), is_optional: is_optional || is_negated });
        if let Some(alias) = &hop.relationship {
            self.hop_alias(alias, edge, is_negated);
        }
        if let Some(filter) = &hop.relationship_filter {
            let filter = self.condition(filter, edge);
            if let Pattern::Edge(pattern) = &mut self.slots[edge].pattern {
                pattern.filter = Some(filter);
            }
        }
        let node = self.node(&hop.node, is_optional, is_negated)?;
        let bound = Hop { direction: hop.direction, edge, node };
        if is_negated {
            self.steps.push(Step::Without(bound));
        } else {
            self.steps.push(Step::Hop(bound));
            *current = vec![node];
        }
        Ok(())
    }

    fn hop_alias(&mut self, alias: &syntax::Name, slot: SlotId, is_negated: bool) {
        if is_negated {
            let message = format!("the alias `{}` is within a negated traversal", alias.value);
            let help = "remove the alias: the query selects entities that have no such neighbour".to_owned();
            self.problems.error(message, alias.span, Some(help));
        } else {
            self.add_alias(alias, slot);
        }
    }

    fn optional(
        &mut self,
        optional: &syntax::Optional,
        position: Position,
        current: &mut Vec<SlotId>,
    ) -> Result<(), QueryError> {
        let depth = position.depth + 1;
        if self.problems.is_too_deep(depth, optional.span) {
            return Ok(());
        }
        let (before, enter, first) = (current.clone(), self.steps.len(), self.slots.len());
        let slots = first..first;
        self.steps.push(Step::Enter { exit: 0, is_last: position.is_last, slots });
        self.steps(&optional.steps, Position { is_last: position.is_last, depth }, current)?;
        let exit = self.steps.len();
        self.steps[enter] = Step::Enter { exit, is_last: position.is_last, slots: first..self.slots.len() };
        current.extend(before.into_iter().filter(|slot| !current.contains(slot)).collect::<Vec<_>>());
        let slot = optional.alias.as_ref().map(|alias| {
            let name = Some(alias.value.clone());
            let pattern = Pattern::Either(current.clone());
            let slot = self.add_slot(Slot { name, pattern, is_optional: position.depth > 0 });
            self.add_alias(alias, slot);
            slot
        });
        self.steps.push(Step::Exit { slot });
        Ok(())
    }

    fn node(&mut self, node: &syntax::Node, is_optional: bool, is_negated: bool) -> Result<SlotId, QueryError> {
        let pattern = self.node_pattern(&node.selector)?;
        let name = node.alias.as_ref().or_else(|| sole_label(&node.selector)).map(|name| name.value.clone());
        let is_optional = is_optional || is_negated;
        let slot = self.add_slot(Slot { name, pattern: Pattern::Node(pattern), is_optional });
        match &node.alias {
            Some(alias) if is_negated => self.hop_alias(alias, slot, true),
            _ if is_negated => {}
            _ => self.label_node(node, slot),
        }
        let own = node.filter.as_ref().map(|filter| self.condition(filter, slot));
        let selected = selector_filter(&node.selector, slot);
        if let Pattern::Node(pattern) = &mut self.slots[slot].pattern {
            pattern.filter = conjunction(selected, own);
        }
        Ok(slot)
    }

    /// Records the names of a selector, before its filter can use them.
    fn label_node(&mut self, node: &syntax::Node, slot: SlotId) {
        if let Some(alias) = &node.alias {
            self.add_alias(alias, slot);
        }
        if let Some(label) = sole_label(&node.selector) {
            self.add_label(&label.value, node.alias.as_ref(), slot);
        }
    }

    fn add_slot(&mut self, slot: Slot) -> SlotId {
        self.slots.push(slot);
        self.slots.len() - 1
    }

    fn node_pattern(&mut self, selector: &Spanned<Selector>) -> Result<NodePattern, QueryError> {
        let names = match &selector.value {
            Selector::Any | Selector::Text(_) => &[],
            Selector::Names(names) => names.as_slice(),
            Selector::Tagged { name, .. } => name.as_slice(),
        };
        let mut labels = Vec::new();
        for name in names {
            let found = self.names.labels(&name.value)?;
            if found.is_unknown() {
                let misspelt = self.names.similar_label(&name.value)?;
                self.unknown_label(name, found.is_class, misspelt);
            }
            labels.extend(found.labels);
        }
        let segments = self.names.node_segments(&labels, names.is_empty())?;
        let text = match &selector.value {
            Selector::Any => "*".to_owned(),
            Selector::Text(text) => format!("{text:?}"),
            Selector::Tagged { tag, name } => match name {
                Some(name) => format!("#{} {}", tag.value, name.value),
                None => format!("#{}", tag.value),
            },
            Selector::Names(names) => names.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join("|"),
        };
        Ok(NodePattern { segments, labels, text, filter: None })
    }

    fn unknown_label(&mut self, name: &syntax::Name, is_class: bool, misspelt: Option<String>) {
        let kind = if is_class { "class" } else { "type" };
        match (misspelt, is_class && !self.names.is_known_class(&name.value)) {
            (Some(near), _) => {
                let message = format!("there is no {kind} `{}`", name.value);
                self.problems.error(message, name.span, Some(format!("did you mean `{near}`?")));
            }
            (None, true) => {
                let message = format!("there is no class `{}`", name.value);
                let help = "a class is in TitleCase, such as `User`; a type is in snake_case".to_owned();
                self.problems.error(message, name.span, Some(help));
            }
            (None, false) => {
                let message = format!("the graph has no entity of the {kind} `{}`", name.value);
                self.problems.warning(message, name.span, None);
            }
        }
    }

    fn edge_pattern(&mut self, verbs: &Spanned<Verbs>) -> Result<EdgePattern, QueryError> {
        let Verbs::Of(names) = &verbs.value else {
            return Ok(EdgePattern { segments: self.names.edge_segments(&[], true)?, verbs: Vec::new(), filter: None });
        };
        let mut upper = Vec::new();
        for name in names {
            let verb = name.value.to_uppercase();
            if !self.names.has_verb(&verb)? {
                let known = self.names.verbs()?;
                match did_you_mean(&verb, known.iter().map(String::as_str)) {
                    _ if self.names.is_known_verb(&verb) => self.absent_verb(name, &verb),
                    Some(help) => {
                        let message = format!("there is no relationship class `{verb}`");
                        self.problems.error(message, name.span, Some(help));
                    }
                    None => self.absent_verb(name, &verb),
                }
            }
            upper.push(verb);
        }
        Ok(EdgePattern { segments: self.names.edge_segments(&upper, false)?, verbs: upper, filter: None })
    }

    fn absent_verb(&mut self, name: &syntax::Name, verb: &str) {
        if !self.names.is_declared_verb(verb) {
            let message = format!("the graph has no relationship of the class `{verb}`");
            self.problems.warning(message, name.span, None);
        }
    }
}

/// Returns the class or type of a selector that has exactly one.
fn sole_label(selector: &Spanned<Selector>) -> Option<&syntax::Name> {
    match &selector.value {
        Selector::Names(names) => match names.as_slice() {
            [name] => Some(name),
            _ => None,
        },
        Selector::Tagged { name, .. } => name.as_ref(),
        Selector::Any | Selector::Text(_) => None,
    }
}

/// Returns the condition that a selector by text or by tag stands for.
fn selector_filter(selector: &Spanned<Selector>, slot: SlotId) -> Option<Formula> {
    let kind = match &selector.value {
        Selector::Any | Selector::Names(_) => return None,
        Selector::Text(text) => LeafKind::Contains(slot, text.to_lowercase()),
        Selector::Tagged { tag, .. } => {
            let constants = vec![Constant::Text(tag.value.clone())];
            let test = Test { relation: Relation::Equal, is_negated: false, constants };
            LeafKind::Test(Place { slot, property: "tags".to_owned() }, test)
        }
    };
    Some(Formula { leaves: vec![Leaf { kind, span: selector.span }], program: vec![Logic::Leaf(0)] })
}

/// Returns the conjunction of two conditions.
pub(crate) fn conjunction(left: Option<Formula>, right: Option<Formula>) -> Option<Formula> {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            left.append(right);
            left.program.push(Logic::And(2));
            Some(left)
        }
        (left, right) => left.or(right),
    }
}
