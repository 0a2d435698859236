//! Graphs that were never collected.
//!
//! An instance whose jobs have published no graph lacks all objects of its integration. Its types concern a query as those
//! of a gap do, with `*`.
//!
//! An integration without any snapshot and without such an instance is usually one that the user does not have. It concerns
//! only the queries that name a type, a class, or a verb that no collected integration declares: their results are empty for
//! this reason alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{Query, Touched};
use crate::answer::{Incomplete, Reason};
use crate::bind::{Bound, EdgePattern, Label, NodePattern, Pattern};
use crate::catalogue::{Catalogue, DeclaredType};
use crate::graph::{AccountGraph, UnpublishedInstance};

/// Returns the instances without a graph whose objects can belong to the result.
pub(super) fn unpublished(query: &Query<'_>, touched: &Touched<'_>, absent: &Touched<'_>) -> Vec<Incomplete> {
    let concerned = query.graph.unpublished().iter().filter(|instance| may_lack(query, touched, instance));
    let incomplete = |instance: &UnpublishedInstance| Incomplete {
        integration: instance.integration.clone(),
        instance: Some(instance.instance.clone()),
        reason: Reason::Unpublished { cause: instance.cause.clone() },
        may_add_rows: may_lack(query, absent, instance),
    };
    concerned.map(incomplete).collect()
}

fn may_lack(query: &Query<'_>, touched: &Touched<'_>, instance: &UnpublishedInstance) -> bool {
    let Catalogue { entities, relationships } = query.catalogue;
    let declared = entities.iter().chain(relationships);
    let mut types = declared.filter(|(_, of)| of.integrations.contains(&instance.integration)).peekable();
    match types.peek() {
        Some(_) => types.any(|(object_type, _)| touched.concerns(query, object_type)),
        None => may_select_undeclared(query, touched),
    }
}

/// Whether a query may select entities of an integration whose types are unknown.
fn may_select_undeclared(query: &Query<'_>, touched: &Touched<'_>) -> bool {
    let is_known = |name: &str| {
        query.catalogue.entities.contains_key(name)
            || query.graph.node_segments().iter().any(|segment| segment.object_type.as_str() == name)
    };
    touched.part.slots.iter().any(|slot| match &query.bound.slots[*slot].pattern {
        Pattern::Node(NodePattern { labels, .. }) => {
            labels.is_empty()
                || labels.iter().any(|label| match label {
                    Label::Class(_) => true,
                    Label::Type(name) => !is_known(name),
                })
        }
        Pattern::Edge(_) | Pattern::Either(_) => false,
    })
}

/// Returns the integrations without a snapshot that alone declare a name of the query.
pub(super) fn not_collected<'c>(bound: &Bound, graph: &AccountGraph, catalogue: &'c Catalogue) -> Vec<Incomplete> {
    let snapshots = graph.snapshots().iter().map(|snapshot| snapshot.integration.as_str());
    let unpublished = graph.unpublished().iter().map(|instance| instance.integration.as_str());
    let known: BTreeSet<&str> = snapshots.chain(unpublished).collect();
    let mut absent: BTreeMap<&str, bool> = BTreeMap::new();
    for slot in &bound.slots {
        let mut note = |integrations: BTreeSet<&'c str>| {
            for integration in integrations {
                *absent.entry(integration).or_default() |= slot.is_optional;
            }
        };
        match &slot.pattern {
            // The graph may have a class from an integration of another program.
            Pattern::Node(NodePattern { labels, segments, .. }) if labels.len() > 1 || segments.is_empty() => {
                for label in labels {
                    let of = catalogue.entities.iter().filter(|(object_type, of)| match label {
                        Label::Type(name) => *object_type == name,
                        Label::Class(class) => of.classes.contains(class),
                    });
                    note(alone(of.map(|(_, of)| of), &known));
                }
            }
            Pattern::Edge(EdgePattern { verbs, segments, .. }) if verbs.len() > 1 || segments.is_empty() => {
                for verb in verbs {
                    let of = catalogue.relationships.values().filter(|of| of.classes.contains(verb));
                    note(alone(of, &known));
                }
            }
            Pattern::Node(_) | Pattern::Edge(_) | Pattern::Either(_) => {}
        }
    }
    let incomplete = |(integration, may_add_rows): (&str, bool)| Incomplete {
        integration: integration.to_owned(),
        instance: None,
        reason: Reason::NotCollected,
        may_add_rows,
    };
    absent.into_iter().map(incomplete).collect()
}

/// Returns the integrations of some declarations, unless one of them is known.
fn alone<'c>(declared: impl Iterator<Item = &'c DeclaredType>, known: &BTreeSet<&str>) -> BTreeSet<&'c str> {
    let all: BTreeSet<&str> = declared.flat_map(|of| &of.integrations).map(String::as_str).collect();
    if all.iter().any(|integration| known.contains(integration)) { BTreeSet::new() } else { all }
}
