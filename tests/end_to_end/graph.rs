//! The collected graph matches the organisation exactly and follows the data model.

use std::collections::BTreeMap;

use integration_heroku::fake::{FakeOptions, Fault, Organisation, OrganisationSize, PageLimits, Person};
use serde_json::{Value, json};

use crate::expected::{Expected, graph_of, sizes};
use crate::harness::{Graph, Heroku, Place, assert_same, undisturbed};

/// The type and the class of every object, by key.
fn found(graph: &Graph) -> Expected {
    let text = |value: &Value| match value {
        Value::Array(classes) if classes.len() == 1 => classes[0].as_str().expect("a class").to_owned(),
        value => value.as_str().expect("text").to_owned(),
    };
    let objects = graph.objects().into_iter();
    objects.map(|(key, object)| (key, (text(&object["_type"]), text(&object["_class"])))).collect()
}

fn assert_exact(graph: &Graph, organisation: &Organisation) {
    let (found, expected) = (found(graph), graph_of(organisation));
    let missing: Vec<_> = expected.iter().filter(|(key, _)| !found.contains_key(*key)).collect();
    let others: Vec<_> = found.iter().filter(|(key, _)| !expected.contains_key(*key)).collect();
    assert!(missing.is_empty() && others.is_empty(), "missing: {missing:?}; unexpected: {others:?}");
    assert_eq!(found, expected);
}

#[test]
fn the_sample_s_graph_has_exactly_the_entities_and_relationships_that_the_fake_holds() {
    let place = Place::alone();
    let (said, graph) = place.collect("--sample");
    assert_eq!(said.code, 0, "{}", said.all());
    let organisation = Organisation::sample();
    assert_exact(&graph, &organisation);
    let held = [organisation.accounts().len(), organisation.teams().len(), organisation.apps().len()];
    assert_eq!((held, organisation.addons().len()), ([2, 5, 27], 61), "the sample must not be empty");
    let summary = said.summary();
    let (entities, relationships) = sizes(&graph_of(&organisation));
    let told = (["entities", "relationships"]).map(|kind| summary.0[kind].as_u64());
    assert_eq!(told, [Some(entities), Some(relationships)]);
    assert_eq!((summary.state(), summary.partial().len()), ("complete", 0));
}

#[test]
fn every_object_of_the_sample_is_valid_against_its_class_and_type_schema() {
    let place = Place::alone();
    place.collect("--sample --validation fail");
    let (entities, relationships) = sizes(&graph_of(&Organisation::sample()));
    for line in ["validate data --input out --format json", "validate data --format json"] {
        let said = place.run(line);
        let data = said.json()["data"].take();
        let found = (said.code, data["entities"].as_u64(), data["relationships"].as_u64());
        assert_eq!(found, (0, Some(entities), Some(relationships)), "{line}");
        assert_eq!(data["findings"], json!([]), "{line}");
    }
}

#[test]
fn a_check_finds_what_is_wrong_in_an_exported_graph() {
    let place = Place::alone();
    place.collect("--sample");
    let file = "out/graph/fetch-teams/entities/heroku_team-00001.json";
    let text = place.read(file).replacen(r#""name":"kestrel-data""#, r#""name":42"#, 2);
    place.write(file, &text.replacen(r#""displayName":"kestrel-platform","#, "", 1));
    let said = place.run("validate data --input out --format json");
    assert_eq!(said.code, 4, "{}", said.all());
    let results = said.json();
    let mut places: Vec<&str> = results["data"]["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["pointer"].as_str().expect("a place"))
        .collect();
    places.sort_unstable();
    assert_eq!(places, ["", "/name"], "{results:#}");
}

#[test]
fn the_sample_s_graph_is_the_one_that_was_reviewed() {
    let graph = undisturbed();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut first: BTreeMap<String, Value> = BTreeMap::new();
    for object in graph.objects().into_values() {
        let object_type = object["_type"].as_str().expect("a type").to_owned();
        *counts.entry(object_type.clone()).or_default() += 1;
        first.entry(object_type).or_insert(object);
    }
    insta::assert_json_snapshot!("counts", counts);
    insta::assert_json_snapshot!("first_of_each_type", first);
}

#[test]
fn a_real_key_and_the_sample_lead_to_the_same_graph() {
    let (_, sample) = Place::alone().collect("--sample");
    assert_same(&sample, undisturbed());
}

/// Asserts that the graph and the files contain exactly the organisation's objects.
///
/// All objects must be valid.
fn assert_collected_exactly(heroku: &Heroku) {
    let place = Place::before(heroku);
    let (said, graph) = place.collect("");
    assert_eq!(said.code, 0, "{}", said.all());
    assert_exact(&graph, heroku.organisation());
    assert_eq!(place.run("validate data --input out").code, 0);
}

#[test]
fn a_large_organisation_in_pages_of_the_usual_size_is_collected_exactly() {
    let size = OrganisationSize { accounts: 3, teams: 12, people: 400, apps: 500, addons: 1_500, seed: 11 };
    // Pages are shorter than requested, and `Next-Range` does not repeat their length.
    let page_limits = PageLimits { default: 50, maximum: 60 };
    let options = FakeOptions { page_limits, max_in_next_range: false, ..FakeOptions::default() };
    let heroku = Heroku::of(Organisation::of_size(size), options);
    assert_collected_exactly(&heroku);
}

#[test]
fn a_graph_is_the_same_whether_its_answers_were_compressed_or_not() {
    let size = OrganisationSize { accounts: 1, teams: 4, people: 20, apps: 80, addons: 200, seed: 3 };
    let [(packed, fewer), (plain, bytes)] = [true, false].map(|compresses| {
        let heroku = Heroku::of(Organisation::of_size(size), FakeOptions { compresses, ..FakeOptions::default() });
        let (said, graph) = Place::before(&heroku).collect("");
        assert_eq!(said.code, 0, "{}", said.all());
        (graph, said.summary().0["usage"]["answerBytes"].as_u64().expect("a number of bytes"))
    });
    assert_same(&packed, &plain);
    assert!(3 * fewer < bytes, "{fewer} bytes instead of {bytes}");
}

#[test]
fn teams_outside_of_any_enterprise_account_are_collected() {
    let size = OrganisationSize { accounts: 0, teams: 3, people: 10, apps: 8, addons: 12, seed: 5 };
    let heroku = Heroku::of(Organisation::of_size(size), FakeOptions::default());
    assert_collected_exactly(&heroku);
}

#[test]
fn an_account_with_nothing_in_it_is_an_empty_graph_and_no_error() {
    let mut nothing = Organisation::empty();
    nothing.add_person(Person::new("alone@kestrel.example.com", None));
    let heroku = Heroku::of(nothing, FakeOptions::default());
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, said.summary().state(), graph.objects().len()), (0, "complete", 0), "{}", said.all());
}

#[test]
fn a_person_in_two_accounts_is_one_entity_that_names_both() {
    let organisation = Organisation::sample();
    let mut accounts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for membership in organisation.account_memberships() {
        accounts.entry(membership.person.to_string()).or_default().push(membership.account.to_string());
    }
    accounts.values_mut().for_each(|accounts| accounts.sort());
    let members = undisturbed().of_type("heroku_account_member");
    for (person, accounts) in &accounts {
        assert_eq!(members[person]["enterpriseAccountId"], json!(accounts), "{person}");
    }
    let (both, accounts) =
        accounts.iter().find(|(_, accounts)| accounts.len() == 2).expect("a person in both accounts");
    let raw = members[both]["_rawData"].as_array().expect("raw data");
    let names: Vec<&str> = raw.iter().map(|raw| raw["name"].as_str().expect("a name")).collect();
    assert_eq!(names, accounts.iter().map(|account| format!("member of {account}")).collect::<Vec<_>>());
    let relationships = undisturbed().of_type("heroku_account_has_member");
    assert!(accounts.iter().all(|account| relationships.contains_key(&format!("{account}|has|{both}"))));
}

#[test]
fn what_heroku_does_not_tell_is_absent_and_what_it_tells_is_there() {
    let organisation = Organisation::sample();
    let apps = undisturbed().of_type("heroku_application");
    for app in organisation.apps() {
        let found = &apps[&app.id.to_string()];
        let owner = app.owner.map(|owner| organisation.person(owner).expect("a person").email.clone());
        assert_eq!(found["owner"], json!(owner), "{}", app.name);
        assert_eq!(found["productionURL"], json!(app.web_url()), "{}", app.name);
        assert_eq!(found["teamId"], json!(app.team.map(|team| team.to_string())), "{}", app.name);
        assert_eq!(found["space"], json!(app.space), "{}", app.name);
        assert_eq!(found["archived"], json!(app.archived_at.is_some()), "{}", app.name);
        assert_eq!(found["archivedOn"], json!(app.archived_at.map(|at| at.as_millisecond())), "{}", app.name);
        assert_eq!(found["slugSize"], json!(app.slug_size), "{}", app.name);
        let none = found.as_object().expect("an object").iter().find(|(_, value)| value.is_null());
        assert_eq!(none, None, "unknown properties must be absent");
    }
    let addons = undisturbed().of_type("heroku_addon");
    for addon in organisation.addons() {
        let found = &addons[&addon.id.to_string()];
        assert_eq!(found["webLink"], json!(addon.web_url()), "{}", addon.name);
        assert_eq!(found["priceCents"], json!(addon.price.map(|price| price.cents)), "{}", addon.name);
        assert_eq!(found["state"], json!(addon.state.name()), "{}", addon.name);
        assert_eq!(found["applicationId"], json!(addon.app.to_string()), "{}", addon.name);
        assert_eq!(found["configVarNames"], json!(addon.config_vars), "{}", addon.name);
    }
    let teams = undisturbed().of_type("heroku_team");
    for team in organisation.teams() {
        let found = &teams[&team.id.to_string()];
        assert_eq!(found["enterpriseAccountId"], json!(team.account.map(|id| id.to_string())), "{}", team.name);
        assert_eq!(found["membershipLimit"], json!(team.membership_limit), "{}", team.name);
        assert_eq!(found["role"], json!(team.role.map(|role| role.name())), "{}", team.name);
    }
}

#[test]
fn people_have_the_names_that_teams_tell_and_no_others() {
    let organisation = Organisation::sample();
    let members = undisturbed().of_type("heroku_account_member");
    for (key, member) in &members {
        let person = organisation.people().find(|person| person.id.to_string() == *key).expect("a person");
        let in_a_team = organisation.team_memberships().any(|membership| membership.person == Some(person.id));
        let told = person.name.as_deref().filter(|_| in_a_team).and_then(|name| name.split_once(' ')).unzip();
        assert_eq!(member["firstName"], json!(told.0), "{}", person.email);
        assert_eq!(member["lastName"], json!(told.1), "{}", person.email);
        assert_eq!(member["mfaEnabled"], json!(person.two_factor), "{}", person.email);
        let (login, domain) = person.email.split_once('@').expect("an address");
        assert_eq!((&member["shortLoginId"], &member["emailDomain"]), (&json!(login), &json!([domain])));
        assert_eq!([&member["name"], &member["username"], &member["email"]], [&json!(person.email); 3]);
    }
    let nameless = members.values().filter(|member| member["firstName"].is_null()).count();
    assert_eq!(nameless, 2, "people in no team have no names");
}

#[test]
fn the_role_in_a_team_is_on_the_relationship() {
    let organisation = Organisation::sample();
    let relationships = undisturbed().of_type("heroku_team_has_account_member");
    let mut seen = 0;
    for membership in organisation.team_memberships() {
        let Some(person) = membership.person else { continue };
        if let Some(found) = relationships.get(&format!("{}|has|{person}", membership.team)) {
            assert_eq!(found["role"], json!(membership.role.name()));
            seen += 1;
        }
    }
    assert_eq!(seen, relationships.len());
}

#[test]
fn letters_of_every_alphabet_survive_though_their_bytes_come_in_pieces() {
    let heroku = Heroku::sample();
    heroku.fault(Fault::SplitCharacters);
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, said.summary().retries()), (0, 0), "{}", said.all());
    assert_same(&graph, undisturbed());
    let text = String::from_utf8(graph.bytes()).expect("UTF-8");
    assert!(["Müßig", "佐藤", "美咲", "Dvořák", "Okta Zürich"].iter().all(|name| text.contains(name)));
    assert!(!text.contains('\u{fffd}'));
}
