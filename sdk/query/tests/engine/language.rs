//! The forms of the language, each with its result.

use integration_query::QueryResult;
use integration_query::graph::AccountGraph;
use serde_json::{Value, json};

use crate::support::{answer, edge, entity, graph, names, rows, table};

/// Two teams with users and devices:
///
/// ```text
/// red  ─HAS─► ann ─USES─► mac (darwin), pc (linux)      red ─OWNS─► app
///      ─HAS─► bob ─USES─► pc                             eve has no team
/// blue ─HAS─► bob
/// ```
fn teams() -> AccountGraph {
    graph(vec![
        entity("acme_team", json!("Team"), "blue", json!({"size": 1})),
        entity("acme_team", json!("Team"), "red", json!({"size": 2})),
        entity("acme_user", json!(["User", "Person"]), "ann", json!({"age": 30, "email": ["a@x.org", "a@y.org"]})),
        entity("acme_user", json!(["User", "Person"]), "bob", json!({"age": 40, "active": false})),
        entity("acme_user", json!(["User"]), "eve", json!({"active": true, "tag.Production": "yes", "tags": ["Odd"]})),
        entity("acme_device", json!("Device"), "mac", json!({"platform": "darwin", "owner": "ann", "port": 22})),
        entity("acme_device", json!("Device"), "pc", json!({"platform": "linux", "owner": "zed", "port": 8022})),
        entity("acme_app", json!("Application"), "app", json!({"createdOn": 1_703_980_800_000_i64})),
        edge("red", "HAS", "ann", json!({"role": "admin"})),
        edge("red", "HAS", "bob", json!({"role": "member"})),
        edge("blue", "HAS", "bob", json!({"role": "admin"})),
        edge("ann", "USES", "mac", json!({})),
        edge("ann", "USES", "pc", json!({})),
        edge("bob", "USES", "pc", json!({})),
        edge("red", "OWNS", "app", json!({})),
    ])
}

#[test]
fn selectors_are_classes_types_and_alternatives() {
    let graph = teams();
    assert_eq!(names(&graph, "FIND Team"), ["blue", "red"]);
    assert_eq!(names(&graph, "find acme_device"), ["mac", "pc"]);
    assert_eq!(names(&graph, "find (acme_app|Team)"), ["app", "blue", "red"]);
    assert_eq!(names(&graph, "find Person"), ["ann", "bob"]);
    assert_eq!(answer(&graph, "find *").total, 8);
    assert_eq!(names(&graph, "find * with _class = 'Person'"), ["ann", "bob"]);
    assert_eq!(names(&graph, "find * with _type = ('acme_app' or 'acme_team')"), ["app", "blue", "red"]);
}

#[test]
fn a_text_searches_all_properties_in_any_case() {
    let graph = teams();
    assert_eq!(names(&graph, "find 'DARWIN'"), ["mac"]);
    assert_eq!(names(&graph, "'a@y'"), ["ann"]);
    assert_eq!(names(&graph, "'ann' with _class='Device'"), ["mac"]);
    assert_eq!(names(&graph, "find '802'"), ["pc"]);
}

#[test]
fn a_smart_class_is_a_tag() {
    assert_eq!(names(&teams(), "find #Odd"), ["eve"]);
    assert_eq!(names(&teams(), "find #Odd User"), ["eve"]);
    assert_eq!(names(&teams(), "find #Odd Team"), Vec::<String>::new());
}

#[test]
fn filters_compare_by_kind() {
    let graph = teams();
    assert_eq!(names(&graph, "find User with active = false"), ["bob"]);
    assert_eq!(names(&graph, "find User with active != false"), ["ann", "eve"]);
    assert_eq!(names(&graph, "find User with active = undefined"), ["ann"]);
    assert_eq!(names(&graph, "find User with email = 'a@x.org'"), ["ann"]);
    assert_eq!(names(&graph, "find User with email ~= 'y.org'"), ["ann"]);
    assert_eq!(names(&graph, "find User with age > 30"), ["bob"]);
    assert_eq!(names(&graph, "find User with age >= 30 and age < 40"), ["ann"]);
    assert_eq!(names(&graph, "find User with age = (30 or 40)"), ["ann", "bob"]);
    assert_eq!(names(&graph, "find User with tag.Production = 'yes'"), ["eve"]);
    assert_eq!(names(&graph, "find User with [tag.Production] = 'yes'"), ["eve"]);
    assert_eq!(names(&graph, "find Device with platform = /DAR/i"), ["mac"]);
    assert_eq!(names(&graph, "find Device with platform ^= /[a-d]/"), ["mac"]);
    assert_eq!(names(&graph, "find Device with platform $= /[i-n]x?/"), ["mac"]);
    assert_eq!(names(&graph, "find Application with createdOn > date.now - 2 days"), ["app"]);
    assert_eq!(names(&graph, "find Application with createdOn < date(2023-12-31)"), Vec::<String>::new());
    assert_eq!(names(&graph, "find Application with createdOn = date(2023-12-31)"), ["app"]);
}

#[test]
fn hops_are_undirected_without_arrows() {
    let graph = teams();
    assert_eq!(names(&graph, "find User that has Team"), ["ann", "bob"]);
    assert_eq!(names(&graph, "find User that has >> Team"), Vec::<String>::new());
    assert_eq!(names(&graph, "find User that has << Team"), ["ann", "bob"]);
    assert_eq!(names(&graph, "find Team that (owns|uses) *"), ["red"]);
    assert_eq!(names(&graph, "find Device that relates to User that relates to Team with name = 'blue'"), ["pc"]);
    assert_eq!(names(&graph, "find Team that has as r User where r.role = 'admin'"), ["blue", "red"]);
    assert_eq!(names(&graph, "find Team that has as r User as u where r.role = 'admin' and u.name = 'bob'"), ["blue"]);
}

#[test]
fn a_negated_hop_keeps_entities_without_neighbours() {
    let graph = teams();
    assert_eq!(names(&graph, "find User that !has Team"), ["eve"]);
    assert_eq!(names(&graph, "find User that !uses Device with platform = 'darwin'"), ["bob", "eve"]);
    assert_eq!(names(&graph, "find User that !uses Device with platform = 'darwin' that has Team"), ["bob"]);
    assert_eq!(names(&graph, "find Team that has User that !uses Device with platform = 'darwin'"), ["blue", "red"]);
}

#[test]
fn an_optional_part_keeps_both_paths() {
    let graph = teams();
    // The device is used by a user, or the user itself goes on.
    let query = "find Team as t (that has User)? as x return t.name, x.name";
    assert_eq!(rows(&graph, query), [["blue", "bob"], ["red", "ann"], ["red", "bob"]].map(|row| row.map(Value::from)));
    let query = "find User as u (that uses Device as d)? return u.name, d.name";
    let expected = [
        [json!("ann"), json!("mac")],
        [json!("ann"), json!("pc")],
        [json!("bob"), json!("pc")],
        [json!("eve"), Value::Null],
    ];
    assert_eq!(rows(&graph, query), expected);
    // A further step goes on from the entities before and after the part.
    assert_eq!(names(&graph, "find Team (that has User)? that (owns|uses) *"), ["blue", "red"]);
    assert_eq!(names(&graph, "find Team (that has User)? that owns *"), ["red"]);
    let query = "find Team as t (that has User as u)? that (owns|uses) * as x return t.name, u.name, x.name";
    let expected = [
        [json!("blue"), json!("bob"), json!("pc")],
        [json!("red"), Value::Null, json!("app")],
        [json!("red"), json!("ann"), json!("mac")],
        [json!("red"), json!("ann"), json!("pc")],
        [json!("red"), json!("bob"), json!("pc")],
    ];
    assert_eq!(rows(&graph, query), expected);
}

#[test]
fn conditions_after_the_traversal_compare_aliases() {
    let graph = teams();
    let query = "find User as u that uses Device as d where d.owner = u.name return u.name, d.name";
    assert_eq!(rows(&graph, query), [["ann", "mac"]].map(|row| row.map(Value::from)));
    let query = "find User as a that has Team that has User as b where a != b return a.name, b.name";
    assert_eq!(rows(&graph, query), [["ann", "bob"], ["bob", "ann"]].map(|row| row.map(Value::from)));
    let query = "find User as u (that uses Device as d)? where d = undefined return u.name";
    assert_eq!(rows(&graph, query), [["eve"]].map(|row| row.map(Value::from)));
}

#[test]
fn columns_are_named_by_their_expressions() {
    let graph = teams();
    let found = table(
        &graph,
        "find User with name='bob' that uses Device return User.name, Device.platform as os, User.age + 1",
    );
    assert_eq!(found, json!({"columns": ["User.name", "os", "User.age + 1"], "rows": [["bob", "linux", 41]]}));
    let found = table(&graph, "find acme_app as a return a.*");
    let columns = [
        "a._beginOn",
        "a._class",
        "a._createdOn",
        "a._id",
        "a._integrationInstanceId",
        "a._integrationName",
        "a._integrationType",
        "a._key",
        "a._type",
        "a.createdOn",
        "a.name",
    ];
    assert_eq!(found["columns"], json!(columns));
}

#[test]
fn aggregates_count_distinct_objects_and_values() {
    let graph = teams();
    let found =
        table(&graph, "find Team as t that has User as u that uses Device as d return t.name, count(u), count(d)");
    assert_eq!(found["columns"], json!(["t.name", "count(u)", "count(d)"]));
    assert_eq!(found["rows"], json!([["blue", 1, 1], ["red", 2, 2]]));
    assert_eq!(
        rows(&graph, "find User as u return count(u), count(u.email), min(u.age), max(u.age), avg(u.age), sum(u.age)"),
        [[json!(3), json!(2), json!(30), json!(40), json!(35), json!(70)]]
    );
    assert_eq!(rows(&graph, "find Team as t that has User as u that uses Device return sum(u.age)"), [[json!(70)]]);
    assert_eq!(
        rows(&graph, "find User with name = 'nobody' as u return count(u), max(u.age)"),
        [[json!(0), Value::Null]]
    );
    assert_eq!(rows(&graph, "find User with name = 'nobody' as u return u.age, count(u)"), Vec::<Vec<Value>>::new());
    assert_eq!(
        rows(&graph, "find Team as t that has User as u return t.size / count(u) as share order by share desc"),
        [[json!(1)], [json!(1)]]
    );
}

#[test]
fn equal_rows_are_dropped_by_unique() {
    let graph = teams();
    let query = "find unique Team that has User as u return u.name";
    assert_eq!(rows(&graph, query), [["bob"], ["ann"]].map(|row| row.map(Value::from)));
    assert_eq!(answer(&graph, query).total, 2);
    // No Host exists, so that no column does, and all rows are equal.
    assert_eq!(answer(&graph, "find unique Team (that has Host as h)? return h.*").total, 1);
}

#[test]
fn rows_are_sorted_skipped_and_limited() {
    let graph = teams();
    assert_eq!(names(&graph, "find User as u order by u.age desc"), ["bob", "ann", "eve"]);
    assert_eq!(names(&graph, "find User order by age"), ["ann", "bob", "eve"]);
    assert_eq!(names(&graph, "find User skip 1 limit 1"), ["bob"]);
    let limited = answer(&graph, "find User limit 1");
    assert_eq!((limited.total, limited.is_truncated), (3, true));
    let limited = answer(&graph, "find Team that has User as u that uses Device as d return u.name, d.name limit 2");
    assert_eq!((limited.total, limited.is_truncated, limited.result.rows()), (4, true, 2));
    let query = "find User as u that uses Device as d return u.name as who, d.name order by d.name desc, who limit 2";
    assert_eq!(rows(&graph, query), [["ann", "pc"], ["bob", "pc"]].map(|row| row.map(Value::from)));
}

#[test]
fn a_tree_contains_everything_that_was_walked() {
    let graph = teams();
    let QueryResult::Tree { vertices, edges } = answer(
        &graph,
        "find Team with name = 'red' that has User that uses Device with platform = 'darwin' return tree",
    )
    .result
    else {
        panic!("not a tree")
    };
    let vertices: Vec<_> = vertices.iter().map(|vertex| vertex["name"].clone()).collect();
    assert_eq!(vertices, ["mac", "red", "ann"].map(Value::from));
    let edges: Vec<_> = edges.iter().map(|edge| edge["_key"].clone()).collect();
    assert_eq!(edges, ["red|has|ann", "ann|uses|mac"].map(Value::from));
}

#[test]
fn the_shapes_are_those_of_the_api() {
    let graph = teams();
    let found = answer(&graph, "find Team with name = 'blue'");
    let expected = json!({"type": "list", "totalCount": 1, "data": [{
        "id": "acme/default/blue",
        "entity": {"_beginOn": 0, "_class": "Team", "_createdOn": 0, "_id": "acme/default/blue",
                   "_integrationInstanceId": "default", "_integrationName": "default", "_integrationType": "acme", "_key": "blue", "_type": "acme_team"},
        "properties": {"name": "blue", "size": 1},
    }]});
    assert_eq!(found.result.to_api_json(found.total, true), expected);
    let found = answer(&graph, "find Team as t with name = 'blue' that has User return t.size");
    let expected = json!({"type": "table", "totalCount": 1, "data": [{"t.size": 1,
        "_meta": {"byAlias": {"t": {"id": "acme/default/blue", "entity": {"_id": "acme/default/blue"}},
            "User": {"id": "acme/default/bob", "entity": {"_id": "acme/default/bob"}}}}}]});
    assert_eq!(found.result.to_api_json(found.total, true), expected);
    let found = answer(&graph, "find Team with name = 'blue' that has User return tree").result.to_api_json(1, false);
    assert_eq!(found["data"]["edges"][0]["fromVertexId"], "acme/default/blue");
    assert_eq!(found["data"]["edges"][0]["toVertexId"], "acme/default/bob");
    assert_eq!(found["data"]["edges"][0]["properties"]["role"], "admin");
    assert_eq!(found["data"]["edges"][0]["relationship"]["_class"], "HAS");
    let found = answer(&graph, "find Team with name = 'blue' as t return t").result.to_api_json(1, false);
    assert_eq!(found["data"][0]["t"]["entity"]["_key"], "blue");
}
