//! BloodHound's OpenGraph.
//!
//! ```text
//!   {"metadata": {"source_kind": "Heroku"},
//!    "graph": {"nodes": [{"id", "kinds": ["Heroku_Team", "Heroku_Class_Team"], "properties": {...}}],
//!              "edges": [{"kind": "Heroku_OWNS", "start": {"value"}, "end": {"value"}, "properties": {...}}]}}
//! ```
//!
//! Properties are texts, numbers, booleans, and lists of one of these; values without a type are omitted. A colon in
//! an id becomes `%3A`. Kinds consist of letters, digits, and underscores, and begin with the name of the integration.
//!
//! # Access
//!
//! BloodHound finds paths along edges that the extension schema marks as traversable:
//!
//! - A relationship of a class that gives its start access to its end, such as OWNS or ASSIGNED.
//! - `<Prefix>_AdminOf` and `<Prefix>_MemberOf`, which are added in the opposite direction of a relationship from a
//!   group to a person. A person with a role that does not administer the group has the edge `<Prefix>_HasRoleIn`,
//!   which is not traversable: such roles give access to some of the resources only, and the graph contains these as
//!   edges.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use integration_graph::Values;
use integration_sink::{Manifest, Record};
use integration_store::SnapshotId;
use serde_json::json;

use crate::graph_file::{Edge, GraphFormat, Node};
use crate::json_graph::{class, classes, label, member, separate, text};
use crate::members;
use crate::output::{Output, json_text};

/// The maximum number of kinds of a node.
const KINDS: usize = 3;
/// The classes of relationships that give their start access to their end.
const ACCESS: [&str; 14] = [
    "ALLOWS",
    "ASSIGNED",
    "CONNECTS",
    "CONTAINS",
    "DEPLOYED",
    "HAS",
    "HOSTS",
    "MANAGES",
    "OPENED",
    "OVERRIDES",
    "OWNS",
    "PUBLISHED",
    "RUNS",
    "USES",
];
/// The classes of entities that act on their own.
const PRINCIPALS: [&str; 2] = ["User", "Person"];
/// The classes of entities that have members.
const GROUPS: [&str; 6] = ["Account", "Team", "Group", "UserGroup", "Organization", "AccessRole"];
/// The classes of relationships between a group and its members.
const MEMBERSHIP: [&str; 2] = ["HAS", "CONTAINS"];
/// The roles that administer a group.
const ADMINISTRATORS: [&str; 5] = ["admin", "administrator", "manager", "owner", "superadmin"];

#[derive(Debug, Default)]
pub(crate) struct OpenGraph {
    prefix: String,
    nodes: u64,
    edges: u64,
    /// Whether a node is a principal, and whether it is a group, by the digest of its id.
    roles: HashMap<u64, (bool, bool)>,
    node_kinds: BTreeMap<String, String>,
    edge_kinds: BTreeMap<String, bool>,
}

impl GraphFormat for OpenGraph {
    fn needs_columns(&self) -> bool {
        false
    }

    fn takes_raw(&self) -> bool {
        false
    }

    fn begin(&mut self, manifest: &Manifest, out: &mut Output) -> io::Result<()> {
        let integrations: BTreeSet<&str> = manifest.snapshots.iter().map(|of| of.id.integration.as_str()).collect();
        let prefix = match Vec::from_iter(integrations).as_slice() {
            [only] => pascal(only),
            _ => "Graph".to_owned(),
        };
        *self = Self { prefix, ..Self::default() };
        write!(out, "{{\"metadata\":{{\"source_kind\":\"{}\"}},\n\"graph\":{{\"nodes\":[", self.prefix)
    }

    fn node(&mut self, node: &Node<'_>, out: &mut Output) -> io::Result<()> {
        let classes = classes(node.record);
        let is_one_of = |names: &[&str]| classes.iter().any(|class| names.contains(&class.as_str()));
        self.roles.insert(node.digest, (is_one_of(&PRINCIPALS), is_one_of(&GROUPS)));
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
        let role = |end: &(String, u64)| self.roles.get(&end.1).copied().unwrap_or_default();
        let is_membership = MEMBERSHIP.contains(&class.as_str()) && role(&edge.from).1 && role(&edge.to).0;
        let kind = format!("{}_{}", self.prefix, letters(&class));
        let is_access = ACCESS.contains(&class.as_str()) && !is_membership;
        if is_membership {
            let (name, is_traversable) = membership(edge.record);
            let kind = format!("{}_{name}", self.prefix);
            self.write_edge(&kind, &edge.to.0, &edge.from.0, edge, out)?;
            self.edge_kinds.insert(kind, is_traversable);
        }
        // Memberships have the class HAS as other relationships do, but they give no access in this direction.
        let kind = if is_membership { format!("{kind}_Member") } else { kind };
        self.write_edge(&kind, &edge.from.0, &edge.to.0, edge, out)?;
        self.edge_kinds.insert(kind, is_access);
        Ok(())
    }

    fn end(&mut self, out: &mut Output) -> io::Result<()> {
        self.begin_edges(out)?;
        out.write_all(b"\n]}}\n")
    }

    fn companion(&self) -> Option<(&'static str, String)> {
        let nodes = self.node_kinds.iter().map(|(name, shown)| {
            json!({"name": name, "display_name": shown, "description": format!("{shown} of {}", self.prefix),
                   "is_display_kind": !name.contains("_Class_"), "icon": "circle", "color": "#6C7A89"})
        });
        let edges = self.edge_kinds.iter().map(|(name, is_traversable)| {
            json!({"name": name, "description": name[self.prefix.len() + 1..].replace('_', " "),
                   "is_traversable": is_traversable})
        });
        let schema = json!({
            "schema": {"name": self.prefix, "display_name": self.prefix, "version": "1.0.0", "namespace": self.prefix},
            "node_kinds": Vec::from_iter(nodes),
            "relationship_kinds": Vec::from_iter(edges),
            "environments": [],
            "relationship_findings": [],
        });
        Some(("extension.json", format!("{schema:#}\n")))
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

    fn write_edge(&mut self, kind: &str, start: &str, end: &str, edge: &Edge<'_>, out: &mut Output) -> io::Result<()> {
        self.begin_edges(out)?;
        separate(&mut self.edges, out)?;
        write!(out, "{{\"kind\":\"{kind}\",\"start\":{{\"value\":")?;
        json_text(&without_colons(start), out)?;
        out.write_all(b"},\"end\":{\"value\":")?;
        json_text(&without_colons(end), out)?;
        out.write_all(b"},\"properties\":")?;
        properties(edge.record, edge.snapshot, false, out)?;
        out.write_all(b"}")
    }

    /// Ends the nodes before the first edge.
    fn begin_edges(&self, out: &mut Output) -> io::Result<()> {
        if self.edges == 0 { out.write_all(b"\n],\n\"edges\":[") } else { Ok(()) }
    }
}

/// Returns the edge from a member to its group, and whether it gives access to what the group has.
fn membership(record: &Record) -> (&'static str, bool) {
    let role = member(&record.object.properties, "\"role\"").and_then(text);
    match role.map(|role| role.to_lowercase()) {
        None => ("MemberOf", true),
        Some(role) if ADMINISTRATORS.contains(&role.as_str()) => ("AdminOf", true),
        Some(_) => ("HasRoleIn", false),
    }
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
fn properties(record: &Record, snapshot: &SnapshotId, is_node: bool, out: &mut Output) -> io::Result<()> {
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
fn list(value: &str, out: &mut Output) -> io::Result<()> {
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
