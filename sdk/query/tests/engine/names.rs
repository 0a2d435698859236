//! Names that the graph does not have: errors where they cannot be right, warnings where they may be.

use std::sync::Arc;

use futures::executor::block_on;
use integration_query::graph::AccountGraph;
use integration_query::{Catalogue, DeclaredType, Options, QueryError, check, run};
use serde_json::json;

use crate::support::{answer, edge, entity, errors, graph, names, options, rows, warnings};

fn teams() -> AccountGraph {
    graph(vec![
        entity("acme_team", json!("Team"), "red", json!({"displayName": "Red", "size": 2})),
        entity("acme_user", json!("User"), "ann", json!({"email": "ann@x.org", "active": true})),
        edge("red", "HAS", "ann", json!({"role": "admin"})),
    ])
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_misspelt_class_type_or_verb_is_an_error_with_a_suggestion() {
    let graph = teams();
    has(&errors(&graph, "find Usr"), &["there is no class `Usr`", "did you mean `User`?", "^^^"]);
    has(&errors(&graph, "find user"), &["there is no type `user`", "did you mean `User`?"]);
    has(&errors(&graph, "find acme_tem"), &["there is no type `acme_tem`", "did you mean `acme_team`?"]);
    has(&errors(&graph, "find User that hass Team"), &["there is no relationship class `HASS`", "did you mean `HAS`?"]);
    has(&errors(&graph, "find Zebracrossing"), &["there is no class `Zebracrossing`", "TitleCase"]);
}

#[test]
fn all_errors_are_reported_together() {
    let text = errors(&teams(), "find Usr as u that hass Team as t where x.a = 1 return y.b, foo(t.name)");
    has(&text, &["`Usr`", "`HASS`", "\"x\"", "\"y\"", "`foo`"]);
}

#[test]
fn a_class_of_the_data_model_and_a_foreign_type_are_warnings() {
    let graph = teams();
    has(&warnings(&graph, "find Host"), &["the graph has no entity of the class `Host`"]);
    has(&warnings(&graph, "find aws_iam_user"), &["the graph has no entity of the type `aws_iam_user`"]);
    has(&warnings(&graph, "find User that protects Team"), &["no relationship of the class `PROTECTS`"]);
    assert_eq!(answer(&graph, "find User that protects Host").total, 0);
}

#[test]
fn declared_names_are_no_warnings() {
    let declared = |class: &str| DeclaredType {
        classes: [class.to_owned()].into(),
        properties: ["plan".to_owned()].into(),
        ..DeclaredType::default()
    };
    let catalogue = Catalogue {
        entities: [("acme_tem".to_owned(), declared("Rocket")), ("acme_team".to_owned(), declared("Team"))].into(),
        relationships: [("acme_team_launches_tem".to_owned(), declared("LAUNCHES"))].into(),
    };
    let options = Options { catalogue: Arc::new(catalogue), ..options() };
    let graph = teams();
    for text in ["find acme_tem", "find Rocket", "find Team that launches Rocket", "find Team with plan != 'x'"] {
        let answer = block_on(run(text, &graph, &options)).expect("a valid query");
        assert_eq!(answer.warnings, [], "{text}");
    }
}

#[test]
fn a_property_that_no_selected_object_has_is_a_warning() {
    let graph = teams();
    let text = warnings(&graph, "find User with emial = 'a'");
    has(&text, &["no selected object has the property `emial`", "did you mean `email`?"]);
    has(&warnings(&graph, "find User as u return u.sice"), &["`sice`"]);
    has(&warnings(&graph, "find User that has as r Team where r.rolle = 'admin'"), &["did you mean `role`?"]);
    // A property of another type is no property of this one.
    has(&warnings(&graph, "find User with size > 1"), &["`size`"]);
    assert_eq!(warnings(&graph, "find * with size > 1"), "");
    assert_eq!(warnings(&graph, "find User with _stale != true"), "");
    assert_eq!(warnings(&graph, "find User with _id = 'ann' and _integrationName = 'default'"), "");
}

#[test]
fn a_constant_of_another_kind_is_a_warning() {
    let graph = teams();
    has(&warnings(&graph, "find Team with size = '2'"), &["no value of the property `size` has the kind of a text"]);
    has(&warnings(&graph, "find User with active = 'true'"), &["the kind of a text", "no quotes"]);
    has(&warnings(&graph, "find User with email = 5"), &["the kind of a number", "a text needs quotes"]);
    assert_eq!(warnings(&graph, "find Team with size = ('2' or 2)"), "");
}

#[test]
fn unknown_aliases_have_the_known_error_texts() {
    let graph = teams();
    let text = errors(&graph, "find User as u return x");
    has(&text, &["Invalid return selector provided: \"x\", valid return selectors are: \"u\""]);
    let text = errors(&graph, "find User as u that has Team where x.name = 'a'");
    has(&text, &["Invalid predicate filter selector provided: \"x\", valid predicate selectors are: \"u\", \"Team\""]);
    has(&errors(&graph, "find User as u return User.name"), &["this selector is named `u` here"]);
    has(&errors(&graph, "find User that has Team that has User return User.name"), &["stands for several selectors"]);
    has(&errors(&graph, "find User as u that has Team as u"), &["the alias `u` is used twice"]);
    has(&errors(&graph, "find User that !has Team as t"), &["the alias `t` is within a negated traversal"]);
    has(&errors(&graph, "find User that !has as r Team"), &["the alias `r` is within a negated traversal"]);
    has(&errors(&graph, "find User as u that has Team with name = u.name"), &["after `WHERE`"]);
    has(&errors(&graph, "find User as u where u.name = ann"), &["\"ann\"", "a text needs quotes"]);
}

#[test]
fn a_filter_can_name_its_own_alias() {
    let graph = teams();
    assert_eq!(names(&graph, "find User as u with u.active = true"), ["ann"]);
    assert_eq!(names(&graph, "find Team that has as r with r.role = 'admin' User"), ["red"]);
}

#[test]
fn classes_name_selectors_without_alias() {
    let graph = teams();
    assert_eq!(
        rows(&graph, "find User that has acme_team where acme_team.name = 'red' return User.name, acme_team.size"),
        [[json!("ann"), json!(2)]]
    );
}

#[test]
fn parameters_are_values_and_lists() {
    let graph = teams();
    let mut options = options();
    options.parameters = [
        ("name".to_owned(), json!("red")),
        ("sizes".to_owned(), json!([1, 2])),
        ("nothing".to_owned(), json!(null)),
        ("object".to_owned(), json!({"a": 1})),
    ]
    .into();
    let total = |text: &str| block_on(run(text, &graph, &options)).expect("a valid query").total;
    assert_eq!(total("find Team with name = ${param.name}"), 1);
    assert_eq!(total("find Team with size = ${param.sizes}"), 1);
    assert_eq!(total("find Team with size != ${param.sizes}"), 0);
    assert_eq!(total("find Team with email = ${ param.nothing }"), 1);
    let fails = |text: &str| match block_on(run(text, &graph, &options)) {
        Err(QueryError::Invalid(errors)) => errors.render(text),
        other => panic!("no error: {other:?}"),
    };
    has(&fails("find Team with name = ${param.nam}"), &["the parameter `nam` has no value", "did you mean `name`?"]);
    has(&fails("find Team with name = ${param.object}"), &["which no property equals"]);
}

#[test]
fn comparisons_without_meaning_are_errors() {
    let graph = teams();
    has(&errors(&graph, "find User with active > true"), &["cannot compare with a boolean", "use `=` or `!=`"]);
    has(&errors(&graph, "find User with email ~= 5"), &["cannot compare with a number", "quotes"]);
    has(&errors(&graph, "find User with email < undefined"), &["cannot compare with `undefined`"]);
    has(&errors(&graph, "find User with email > /a/"), &["cannot compare with a regular expression"]);
    has(&errors(&graph, "find User with email = /a(/"), &["the regular expression is invalid", "unclosed group"]);
    has(&errors(&graph, "find User with email = /(a{1000}){1000}/"), &["the regular expression is too large"]);
    has(&errors(&graph, "find User as u where u > 5"), &["an object can only be compared"]);
    has(&errors(&graph, "find User as u that has as r Team where u = r"), &["an object can only be compared"]);
    has(&errors(&graph, "find User as u that has Team as t where u.name = t"), &["cannot equal an object"]);
}

#[test]
fn functions_and_columns_are_checked() {
    let graph = teams();
    has(
        &errors(&graph, "find User as u return concta(u.name)"),
        &["there is no function `concta`", "did you mean `concat`?"],
    );
    has(&errors(&graph, "find User as u return abs(u.age, 1)"), &["`abs` has exactly one argument"]);
    has(&errors(&graph, "find User as u return count(max(u.age))"), &["cannot contain another aggregate"]);
    has(&errors(&graph, "find User as u return sum(u)"), &["only `COUNT` takes an object"]);
    has(&errors(&graph, "find User as u return u.name as x, u.email as x"), &["two columns have the name `x`"]);
    has(&errors(&graph, "find User order by u.name"), &["Invalid order by selector provided: \"u\""]);
}

#[test]
fn order_must_be_of_the_result() {
    let graph = teams();
    has(&errors(&graph, "find User that has Team as t order by t.name"), &["sorts the entities of the first selector"]);
    has(&errors(&graph, "find unique User as u return u.name order by u.email"), &["sorts by columns of the result"]);
    has(&errors(&graph, "find User as u return u.name, count(u) order by u.email"), &["differs within a group"]);
    assert_eq!(rows(&graph, "find User as u return u.name order by count(u)").len(), 1);
}

#[test]
fn a_check_finds_the_errors_of_an_evaluation() {
    let graph = teams();
    assert!(check("find Usr", &graph, &options()).is_err());
    assert_eq!(check("find Host", &graph, &options()).expect("a valid query").len(), 1);
}

#[test]
fn a_hint_fits_its_mistake() {
    let graph = graph(vec![
        entity("acme_team", json!("Team"), "red", json!({"createdOn": 1_700_000_000_000_i64, "size": 2, "big": true})),
        entity("acme_user", json!("User"), "ann", json!({"email": "ann@x.org"})),
    ]);
    has(&errors(&graph, "find Team as t where name = 'x' return t.name"), &["did you mean `t.name`?"]);
    has(&errors(&graph, "find Team as t return name"), &["did you mean `t.name`?"]);
    has(&errors(&graph, "find Team as t where colour = 'x'"), &["a property follows its alias, as in `t.colour`"]);
    has(&warnings(&graph, "find Team with name = kestrel"), &["a text needs quotes: 'kestrel'"]);
    has(&errors(&graph, "find Team with name = kestrel-data"), &["A text needs quotes, as in name = 'web-1'."]);
    has(&errors(&graph, "find acme-team"), &["Names of types contain underscores"]);
    has(&warnings(&graph, "find Team with createdOn > '2023-01-01'"), &["a date is written `date(2023-01-01)`"]);
    has(&warnings(&graph, "find Team with size = '2'"), &["a number, `true`, and `false` have no quotes"]);
    has(&errors(&graph, "find Team limit -1"), &["\"-1\" is negative", "expected a whole number, 0 or more"]);
    has(&errors(&graph, "find Team limit 1.5"), &["expected a whole number, 0 or more"]);
    let signs = format!("find Team as t return {}t.size", "- ".repeat(1_000));
    has(&errors(&graph, &signs), &["Parentheses, calls, signs, and powers can be nested 64 deep"]);
    for constant in ["find User return sum(1)", "find User return count(1)", "find User return max('a')"] {
        has(&errors(&graph, constant), &["an aggregate of a constant counts no rows", "count(User)"]);
    }
    let options = Options { parameters: [("a".to_owned(), json!([]))].into(), ..options() };
    let text = "find Team with size = ${param.a}";
    let warnings = block_on(run(text, &graph, &options)).expect("a valid query").warnings;
    has(&warnings[0].render(text), &["the list of values has no elements", "pass at least one value"]);
}

#[test]
fn a_property_that_only_absent_objects_declare_is_known() {
    let declared = |properties: &[&str]| DeclaredType {
        classes: ["User".to_owned()].into(),
        properties: properties.iter().map(|name| (*name).to_owned()).collect(),
        ..DeclaredType::default()
    };
    let entities = [("acme_user".to_owned(), declared(&["email"])), ("acme_guest".to_owned(), declared(&["host"]))];
    let catalogue = Catalogue { entities: entities.into(), ..Catalogue::default() };
    let options = Options { catalogue: Arc::new(catalogue), ..options() };
    let graph = teams();
    let of = |text: &str| block_on(run(text, &graph, &options)).expect("a valid query").warnings.len();
    assert_eq!((of("find User with host = 'x'"), of("find * with host = 'x'")), (0, 0));
    assert_eq!((of("find acme_guest with host = 'x'"), of("find acme_guest with displayName = 'x'")), (0, 0));
    assert_eq!((of("find acme_user with host = 'x'"), of("find acme_guest with hst = 'x'")), (1, 1));
}
