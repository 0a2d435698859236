//! The graphs of the conformance suite.

use integration_graph::history::SnapshotGap;
use integration_graph::run::ErrorCode;
use integration_graph::{ObjectType, StepId};
use integration_store::StoredObject;
use serde_json::{Value, json};

use crate::Action;

/// The number of bytes of large raw data.
const LARGE: usize = 10 << 20;

/// A graph that every sink takes.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The name, for messages.
    pub name: String,
    /// The number of the publication.
    pub number: u64,
    /// The objects of each instance.
    pub objects: Vec<Vec<StoredObject>>,
    /// The gaps of each instance.
    pub gaps: Vec<SnapshotGap>,
}

impl Graph {
    fn new(name: &str, objects: Vec<StoredObject>) -> Self {
        Self { name: name.to_owned(), number: 1, objects: vec![objects], gaps: Vec::new() }
    }

    pub(super) fn with_gap(mut self, object_type: &'static str) -> Self {
        self.gaps.push(SnapshotGap {
            step: StepId::literal("fetch"),
            types: [ObjectType::literal(object_type)].into(),
            parent: None,
            code: ErrorCode::NotCollected,
            cause: "the answer was 403".to_owned(),
        });
        self
    }
}

/// Returns the graphs.
pub fn graphs() -> Vec<Graph> {
    vec![
        Graph::new("an empty graph", Vec::new()),
        Graph::new("an empty graph with a gap", Vec::new()).with_gap("acme_user"),
        values(),
        lists(),
        mixed(),
        unicode(),
        hostile(),
        kinds(),
        large(),
        many(),
        instances(),
    ]
}

fn object(json: Value) -> StoredObject {
    StoredObject::from_json(StepId::literal("fetch"), json).expect("an object of a graph")
}

fn user(key: &str, more: Value) -> StoredObject {
    let mut json = json!({"_key": key, "_type": "acme_user", "_class": ["User", "Record"], "displayName": key});
    if let (Value::Object(json), Value::Object(more)) = (&mut json, more) {
        json.extend(more);
    }
    object(json)
}

fn values() -> Graph {
    let extremes = json!({"text": "", "integer": i64::MIN, "double": 1e-300, "boolean": false, "createdOn": 0,
                          "nothing": null, "above": u64::MAX});
    let usual = json!({"text": "a", "integer": i64::MAX, "double": -0.5, "boolean": true,
                       "createdOn": 1_700_000_000_123_i64, "above": 1, "only": "here", "tag.Team": "ops"});
    Graph::new("all types of values", vec![user("user:1", extremes), user("user:2", usual), user("user:3", json!({}))])
}

fn lists() -> Graph {
    let objects = vec![
        user(
            "user:1",
            json!({"texts": ["a", "", "b,c"], "numbers": [1, 2], "flags": [true], "seenOn": [1, 2],
                              "ratios": [0.5, 2], "empty": []}),
        ),
        user("user:2", json!({"texts": [], "numbers": [null, 3], "flags": [false, null], "ratios": [], "empty": []})),
        user("user:3", json!({"texts": null})),
    ];
    Graph::new("lists", objects)
}

/// Properties with values of several types.
fn mixed() -> Graph {
    let objects = vec![
        user(
            "user:1",
            json!({"a": 1, "b": 1, "c": "x", "d": [1], "e": true, "grownOn": 1, "f": 9_007_199_254_740_993_i64}),
        ),
        user("user:2", json!({"a": 1.5, "b": "1", "c": ["x", "y"], "d": ["x"], "e": 1, "grownOn": "never", "f": 0.5})),
        user("user:3", json!({"a": null, "b": true, "c": [], "d": 2.5, "e": "true", "f": 2})),
    ];
    Graph::new("values of several types", objects)
}

fn unicode() -> Graph {
    let texts = [
        "ä",
        "日本",
        "\u{10ffff}",
        "e\u{301}",
        "\u{202e}abc",
        "🙂",
        "a\u{0}b",
        "line\nline\r\n\ttab",
        "\u{7f}\u{85}",
        "\u{feff}bom",
        "\u{fffe}",
    ];
    let objects = texts.iter().enumerate().map(|(at, text)| {
        user(&format!("user:{at} {}", text.replace(char::is_control, "")), json!({"text": text, "texts": [text, text]}))
    });
    Graph::new("unicode", objects.collect())
}

/// Names and texts with a meaning in some format or language.
fn hostile() -> Graph {
    let texts = [
        "'; DROP TABLE acme_user; --",
        "\"quoted\"",
        "`tick`",
        "a,b;c",
        "=1+1",
        "@SUM(A1)",
        "-1",
        "+1",
        "</script>",
        "]]>",
        "<!--",
        "&amp;",
        "\\",
        "\\N",
        "NULL",
        "null",
        "{}",
        "[1]",
        "%s$$",
        "a|b",
        "${x}",
        "../../etc",
        "a:b",
        " space ",
        "}) DETACH DELETE n //",
    ];
    let mut objects: Vec<StoredObject> =
        texts.iter().map(|text| user(&format!("user: {text}"), json!({"text": text, "texts": [text]}))).collect();
    let names = json!({"Name": "A", "name": "a", "NAME": "AA", "_stale": "mine", "_instance": "mine", "_change": "mine",
                       "select": 1, "a-b": 2, "a.b": 3, "a b": 4, "tag.a:b": 5, "1st": 6, "id": "mine", "_id": "mine",
                       "label": "mine", "kind": "mine", "source": "mine", "target": "mine", "a\"b": 7, "a`b": 8, "a]b": 9,
                       "ä": 10, "rowid": 11, "_otherProperties": "mine", "": "nameless", "objectid": "mine"});
    objects.push(user("user: names", names));
    let name = "acme_".to_owned() + &"x".repeat(240);
    objects.push(object(json!({"_key": "long type", "_type": name, "_class": "Record"})));
    objects.push(object(json!({"_key": "select", "_type": "select", "_class": "Record"})));
    objects.push(user(&"k".repeat(2_000), json!({})));
    Graph::new("hostile names and texts", objects)
}

fn relationship(from: &str, to: &str) -> StoredObject {
    object(json!({"_key": format!("{from}|has|{to}"), "_type": "acme_team_has_user", "_class": "HAS",
                  "displayName": "HAS", "_fromEntityKey": from, "_toEntityKey": to, "since": 5}))
}

fn kinds() -> Graph {
    let mapping = json!({"relationshipDirection": "FORWARD", "sourceEntityKey": "user:1",
                         "targetFilterKeys": [["_class", "email"]],
                         "targetEntity": {"_class": "Person", "email": "a@example.com"}});
    let mut team = object(json!({"_key": "team:1", "_type": "acme_team", "_class": ["Team"], "name": "Ops"}));
    team.raw = Some(r#"[{"name":"default","rawData":{"a":[1e400,1.50,"ä"]}}]"#.to_owned());
    team.is_stale = true;
    Graph::new(
        "all kinds of objects",
        vec![
            team,
            user("user:1", json!({})),
            relationship("team:1", "user:1"),
            relationship("user:1", "user:1"),
            // The other end is not part of the graph.
            relationship("team:1", "user:gone"),
            object(json!({"_key": "user:1|is|a", "_type": "acme_user_is_person", "_class": "IS", "_mapping": mapping})),
        ],
    )
}

fn large() -> Graph {
    let raw = |size: usize| Some(format!(r#"[{{"name":"default","rawData":"{}"}}]"#, "x".repeat(size)));
    let object = |key: &str, size: usize| StoredObject { raw: raw(size), ..user(key, json!({})) };
    Graph::new("large raw data", vec![object("user:1", 0), object("user:2", LARGE), object("user:3", 1)])
}

/// More objects than one batch.
fn many() -> Graph {
    let users = (0..2_500).map(|number| user(&format!("user:{number:04}"), json!({"number": number})));
    let links = (0..1_500).map(|number| relationship(&format!("user:{number:04}"), "user:0000"));
    Graph::new("many objects", users.chain(links).collect())
}

/// Two instances with equal keys.
fn instances() -> Graph {
    let objects = |name: &str| vec![user("user:1", json!({"name": name})), relationship("user:1", "user:1")];
    Graph { objects: vec![objects("west"), objects("east")], ..Graph::new("two instances", Vec::new()) }
}

/// A graph of some users.
pub(super) fn users(number: u64, keys: &[&str]) -> Graph {
    let objects = keys.iter().map(|key| user(key, json!({"number": number})));
    Graph { number, ..Graph::new(&format!("publication {number}"), objects.collect()) }
}

/// Two snapshots of one instance, of which the newer one has a gap.
pub(super) fn two_versions() -> (Graph, Graph) {
    let team = object(json!({"_key": "team:1", "_type": "acme_team", "_class": "Team"}));
    let older = vec![
        team.clone(),
        user("same", json!({"value": 1})),
        StoredObject { is_stale: true, ..user("back", json!({"value": 1})) },
        user("changed", json!({"value": 1, "lost": true})),
        user("removed", json!({})),
        relationship("team:1", "same"),
    ];
    let newer = vec![
        StoredObject { is_stale: true, ..team },
        user("same", json!({"value": 1})),
        user("back", json!({"value": 1})),
        user("changed", json!({"value": 2.5, "gained": ["x"]})),
        user("added", json!({})),
        relationship("team:1", "same"),
        relationship("team:1", "added"),
    ];
    let newer = Graph { number: 2, ..Graph::new("the newer version", newer) }.with_gap("acme_team");
    (Graph::new("the older version", older), newer)
}

/// The changes between [`two_versions`].
pub(super) fn changed() -> [(&'static str, &'static str, Action); 6] {
    [
        ("acme_team", "team:1", Action::Unknown),
        ("acme_user", "added", Action::Added),
        ("acme_user", "back", Action::Confirmed),
        ("acme_user", "changed", Action::Changed),
        ("acme_user", "removed", Action::Removed),
        ("acme_team_has_user", "team:1|has|added", Action::Added),
    ]
}
