//! BloodHound's OpenGraph.
//!
//! ```text
//!   {"generator": "integration-graph-files/1", "metadata": {"source_kind": "Heroku"},
//!    "graph": {"nodes": [{"id", "kinds": ["Heroku_Team", "Heroku_Class_Team"], "properties": {...}}],
//!              "edges": [{"kind": "Heroku_OWNS", "start": {"value"}, "end": {"value"}, "properties": {...}}]}}
//! ```
//!
//! Properties are texts, numbers, booleans, and lists of one of these; values without a type are omitted. A colon in
//! an id becomes `%3A`. Kinds consist of letters, digits, and underscores, and begin with the name of the integration.
//!
//! # Access
//!
//! BloodHound finds paths along edges of the kinds that the extension schema marks as traversable. [`crate::access`]
//! decides which edges give access. Such an edge has the kind `<Prefix>_<CLASS>_Access`, every other relationship
//! `<Prefix>_<CLASS>`. A relationship from a group to a person has a second edge in the opposite direction:
//! `<Prefix>_AdminOf` if the person administers the group, `<Prefix>_MemberOf` if the group passes its access to all
//! members, and `<Prefix>_HasRoleIn` otherwise. The last one is not traversable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use integration_graph::Values;
use integration_sink::{Manifest, Record};
use integration_store::SnapshotId;
use serde_json::{Value, json};

use crate::access::{self, Membership, Party};
use crate::graph_format::{Companion, Edge, GraphFormat, Node};
use crate::labels::{class, classes, label, member};
use crate::members;
use crate::output::{Output, json_text, separate};

/// The maximum number of kinds of a node.
const KINDS: usize = 3;
#[derive(Debug, Default)]
pub(crate) struct OpenGraph {
    prefix: String,
    nodes: u64,
    edges: u64,
    /// The nodes by the digests of their ids.
    parties: HashMap<u64, Party>,
    /// The memberships without a role of people with the permissions of an administrator.
    undecided: Vec<Undecided>,
    node_kinds: BTreeMap<String, String>,
    edge_kinds: BTreeMap<String, bool>,
}

/// A membership of a person who administers one of the groups that the person belongs to.
#[derive(Debug)]
struct Undecided {
    person: u64,
    start: String,
    end: String,
    properties: Vec<u8>,
}

impl GraphFormat for OpenGraph {
    fn needs_columns(&self) -> bool {
        false
    }

    fn takes_raw(&self) -> bool {
        false
    }

    fn mark(&self) -> &'static str {
        // Readers ignore other members besides `metadata` and `graph`.
        r#"{"generator":"integration-graph-files/1","#
    }

    fn begin(&mut self, manifest: &Manifest, out: &mut Output) -> io::Result<()> {
        let integrations: BTreeSet<&str> = manifest.snapshots.iter().map(|of| of.id.integration.as_str()).collect();
        let prefix = match Vec::from_iter(integrations).as_slice() {
            [only] => pascal(only),
            _ => "Graph".to_owned(),
        };
        *self = Self { prefix, ..Self::default() };
        write!(out, "\"metadata\":{{\"source_kind\":\"{}\"}},\n\"graph\":{{\"nodes\":[", self.prefix)
    }

    fn node(&mut self, node: &Node<'_>, out: &mut Output) -> io::Result<()> {
        let classes = classes(node.record);
        self.parties.insert(node.digest, Party::of(node.record, &classes));
        let kinds = self.kinds(node, &classes);
        separate(&mut self.nodes, out)?;
        out.write_all(b"{\"id\":")?;
        json_text(&without_colons(&node.id), out)?;
        write!(out, ",\"kinds\":{},\"properties\":", json!(kinds))?;
        properties(node.record, node.snapshot, true, out)?;
        out.write_all(b"}")
    }

    fn edge(&mut self, edge: &Edge<'_>, out: &mut Output) -> io::Result<()> {
        let class = class(edge.record);
        let party = |end: &(String, u64)| self.parties.get(&end.1).copied().unwrap_or_default();
        let (from, to) = (party(&edge.from), party(&edge.to));
        let mut text = Vec::new();
        properties(edge.record, edge.snapshot, false, &mut text)?;
        match access::membership(&class, edge.record, from, to) {
            Some(Membership::Undecided) => self.undecided.push(Undecided {
                person: edge.to.1,
                start: edge.to.0.clone(),
                end: edge.from.0.clone(),
                properties: text.clone(),
            }),
            Some(membership) => self.member(membership, &edge.to.0, &edge.from.0, &text, out)?,
            None => {}
        }
        let is_access = access::gives_access(&class, edge.record, from, to);
        let ending = if is_access { "_Access" } else { "" };
        let kind = format!("{}_{}{ending}", self.prefix, letters(&class));
        self.write_edge(&kind, is_access, &edge.from.0, &edge.to.0, &text, out)
    }

    fn end(&mut self, out: &mut Output) -> io::Result<()> {
        let mut groups: HashMap<u64, usize> = HashMap::new();
        let undecided = std::mem::take(&mut self.undecided);
        undecided.iter().for_each(|of| *groups.entry(of.person).or_default() += 1);
        for Undecided { person, start, end, properties } in undecided {
            // The permissions belong to the person, so of several groups they name none.
            let membership = if groups[&person] == 1 { Membership::Administers } else { Membership::HasRole };
            self.member(membership, &start, &end, &properties, out)?;
        }
        self.begin_edges(out)?;
        out.write_all(b"\n]}}\n")
    }

    fn companion(&self) -> Option<Companion> {
        Some(Companion { ending: "extension.json", is_own: is_own_extension })
    }

    fn companion_text(&self) -> String {
        let nodes = self.node_kinds.iter().map(|(name, shown)| {
            json!({"name": name, "display_name": shown, "description": format!("{shown} of {}", self.prefix),
                   "is_display_kind": !name.contains("_Class_"), "icon": "circle", "color": "#6C7A89"})
        });
        let edges = self.edge_kinds.iter().map(|(name, is_traversable)| {
            json!({"name": name, "description": name[self.prefix.len() + 1..].replace('_', " "),
                   "is_traversable": is_traversable})
        });
        let schema = json!({
            "schema": {"name": self.prefix, "display_name": extension_name(&self.prefix), "version": "1.0.0", "namespace": self.prefix},
            "node_kinds": Vec::from_iter(nodes),
            "relationship_kinds": Vec::from_iter(edges),
            "environments": [],
            "relationship_findings": [],
        });
        format!("{schema:#}\n")
    }
}

impl OpenGraph {
    /// Returns the kinds of a node: that of its type, then those of its classes.
    fn kinds(&mut self, node: &Node<'_>, classes: &[String]) -> Vec<String> {
        let object_type = node.record.object.object_type.as_str();
        let vendor = node.snapshot.integration.replace('-', "_");
        let own = object_type.strip_prefix(&vendor).and_then(|rest| rest.strip_prefix('_'));
        let mut kinds = vec![(pascal(own.unwrap_or(object_type)), object_type.replace('_', " "))];
        kinds.extend(classes.iter().map(|class| (format!("Class_{}", letters(class)), class.clone())));
        let mut names = Vec::new();
        for (name, shown) in kinds.into_iter().take(KINDS) {
            let name = format!("{}_{name}", self.prefix);
            if !names.contains(&name) {
                self.node_kinds.entry(name.clone()).or_insert(shown);
                names.push(name);
            }
        }
        names
    }

    /// Writes the edge from a person to a group.
    fn member(
        &mut self,
        membership: Membership,
        person: &str,
        group: &str,
        properties: &[u8],
        out: &mut Output,
    ) -> io::Result<()> {
        let name = match membership {
            Membership::Administers => "AdminOf",
            Membership::SharesAccess => "MemberOf",
            Membership::HasRole | Membership::Undecided => "HasRoleIn",
        };
        let is_traversable = matches!(membership, Membership::Administers | Membership::SharesAccess);
        let kind = format!("{}_{name}", self.prefix);
        self.write_edge(&kind, is_traversable, person, group, properties, out)
    }

    fn write_edge(
        &mut self,
        kind: &str,
        is_traversable: bool,
        start: &str,
        end: &str,
        properties: &[u8],
        out: &mut Output,
    ) -> io::Result<()> {
        self.edge_kinds.insert(kind.to_owned(), is_traversable);
        self.begin_edges(out)?;
        separate(&mut self.edges, out)?;
        write!(out, "{{\"kind\":\"{kind}\",\"start\":{{\"value\":")?;
        json_text(&without_colons(start), out)?;
        out.write_all(b"},\"end\":{\"value\":")?;
        json_text(&without_colons(end), out)?;
        out.write_all(b"},\"properties\":")?;
        out.write_all(properties)?;
        out.write_all(b"}")
    }

    /// Ends the nodes before the first edge.
    fn begin_edges(&self, out: &mut Output) -> io::Result<()> {
        if self.edges == 0 { out.write_all(b"\n],\n\"edges\":[") } else { Ok(()) }
    }
}

/// The name of an extension for users. The schema has no member of its own for the program that wrote it.
fn extension_name(prefix: &str) -> String {
    format!("{prefix} (graph export)")
}

/// Returns whether a text is the extension schema of an earlier export.
fn is_own_extension(text: &[u8]) -> bool {
    let Ok(document) = serde_json::from_slice::<Value>(text) else { return false };
    let schema = &document["schema"];
    let prefix = schema["namespace"].as_str();
    prefix.is_some_and(|prefix| schema["display_name"] == extension_name(prefix))
}

/// Returns an id without colons, which BloodHound does not accept.
fn without_colons(id: &str) -> String {
    id.replace('%', "%25").replace(':', "%3A")
}

/// Returns a name in letters, digits, and underscores.
fn letters(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

/// Returns a name with a capital for each word.
fn pascal(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    letters(name).split('_').filter(|word| !word.is_empty()).map(capital).collect()
}

/// Writes the properties without nulls and nested values. A node gets a `name`, which BloodHound shows.
fn properties(record: &Record, snapshot: &SnapshotId, is_node: bool, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"{\"_integration\":")?;
    json_text(&snapshot.integration, out)?;
    out.write_all(b",\"_instance\":")?;
    json_text(snapshot.instance.as_str(), out)?;
    write!(out, ",\"_stale\":{}", record.object.is_stale)?;
    let mut is_named = !is_node;
    for (name, value) in members::properties(&record.object.properties) {
        is_named |= name == "\"name\"" && value.starts_with('"');
        // BloodHound stores the id of a node as this property.
        let name = if name == "\"objectid\"" { "\"objectid_2\"" } else { name.as_ref() };
        match value.as_bytes().first() {
            Some(b'n') | None => {}
            Some(b'[') => {
                write!(out, ",{name}:")?;
                list(value, out)?;
            }
            Some(b'{') => {
                write!(out, ",{name}:")?;
                json_text(value, out)?;
            }
            Some(_) => write!(out, ",{name}:{value}")?,
        }
    }
    if !is_named && member(&record.object.properties, "\"name\"").is_none_or(|name| name == "null") {
        out.write_all(b",\"name\":")?;
        json_text(&label(record), out)?;
    }
    out.write_all(b"}")
}

/// Writes a list of values of one type. Elements of several types become texts, and nulls are omitted.
fn list(value: &str, out: &mut impl Write) -> io::Result<()> {
    let class_of = |element: &str| match element.as_bytes().first() {
        Some(b'"') => 's',
        Some(b't' | b'f') => 'b',
        Some(b'[' | b'{') => 'x',
        _ => 'n',
    };
    let elements: Vec<&str> = Values::within(value).filter(|element| *element != "null").collect();
    let is_uniform = elements.windows(2).all(|pair| class_of(pair[0]) == class_of(pair[1]));
    let as_text = !is_uniform || elements.first().is_some_and(|element| class_of(element) == 'x');
    out.write_all(b"[")?;
    for (at, element) in elements.into_iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        match as_text && class_of(element) != 's' {
            true => json_text(element, out)?,
            false => out.write_all(element.as_bytes())?,
        }
    }
    out.write_all(b"]")
}
