//! Valid and invalid objects of the important classes.

use serde_json::{Value, json};

use crate::validator::faults;

const NONE: [&str; 0] = [];
const WHOLE: &str = "";

/// Returns an entity of a class with the required properties, and `more`.
fn entity(class: &str, more: Value) -> Value {
    with(
        json!({"_key": "acme-0000001", "_type": "acme_thing", "_class": [class], "name": "a", "displayName": "A"}),
        more,
    )
}

fn relationship(more: Value) -> Value {
    let key = "team-000001|has|user-000001";
    let least = json!({"_key": key, "_type": "acme_team_has_user", "_class": "HAS", "displayName": "HAS",
        "_fromEntityKey": "team-000001", "_toEntityKey": "user-000001"});
    with(least, more)
}

fn mapping(more: Value) -> Value {
    let least = json!({"relationshipDirection": "FORWARD", "sourceEntityKey": "user-000001",
        "targetFilterKeys": [["_class", "email"]], "targetEntity": {"_class": "Person", "email": "ann@example.com"}});
    json!({"_key": "user-000001|is|forward:Person:ann@example.com", "_type": "acme_user_is_person", "_class": "IS",
        "displayName": "IS", "_mapping": with(least, more)})
}

/// Sets properties; null removes one.
fn with(mut object: Value, more: Value) -> Value {
    let (Value::Object(properties), Value::Object(more)) = (&mut object, more) else {
        panic!("properties are set on an object from an object");
    };
    for (name, value) in more {
        if value.is_null() {
            properties.remove(&name);
        } else {
            properties.insert(name, value);
        }
    }
    object
}

#[test]
fn every_object_needs_key_type_and_class() {
    assert_eq!(faults("GraphObject", &json!({"_key": "k", "_type": "acme_thing", "_class": "HAS"})), NONE);
    for name in ["_key", "_type", "_class"] {
        assert_eq!(faults("Entity", &with(entity("Entity", json!({})), json!({name: null}))), [WHOLE], "{name}");
    }
}

#[test]
fn a_short_key_is_a_key_and_an_empty_one_is_not() {
    assert_eq!(faults("Entity", &entity("Entity", json!({"_key": "1"}))), NONE);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_key": ""}))), ["/_key"]);
}

#[test]
fn a_type_is_snake_case() {
    assert_eq!(faults("Entity", &entity("Entity", json!({"_type": "acme_s3_bucket"}))), NONE);
    for wrong in ["AcmeTeam", "acme-team", "_team", "ab"] {
        assert_eq!(faults("Entity", &entity("Entity", json!({"_type": wrong}))), ["/_type"], "{wrong}");
    }
}

#[test]
fn an_entity_has_a_class_or_a_list_of_classes() {
    assert_eq!(faults("Entity", &entity("Entity", json!({"_class": ["Application", "Service"]}))), NONE);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_class": "Application"}))), NONE);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_class": "an application"}))), ["/_class"]);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_class": []}))), ["/_class"]);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_class": ["a team"]}))), ["/_class/0"]);
}

#[test]
fn an_entity_has_a_name_and_a_display_name() {
    for name in ["name", "displayName"] {
        assert_eq!(faults("Entity", &with(entity("Entity", json!({})), json!({name: null}))), [WHOLE], "{name}");
        assert_eq!(faults("Entity", &entity("Entity", json!({name: 1}))), [format!("/{name}")], "{name}");
    }
}

#[test]
fn properties_are_scalars_or_lists_of_scalars() {
    let flat = json!({"rank": 1, "share": 0.5, "free": true, "roles": ["a", 1, false], "tag.Cost-Center": "12",
        "emails": []});
    assert_eq!(faults("Entity", &entity("Entity", flat)), NONE);
    assert_eq!(faults("Entity", &entity("Entity", json!({"region": {"name": "eu"}}))), ["/region"]);
    assert_eq!(
        faults("Entity", &entity("Entity", json!({"roles": ["a", {"name": "b"}, ["c"]]}))),
        ["/roles/1", "/roles/2"]
    );
}

#[test]
fn a_property_that_is_known_to_be_unset_may_be_null() {
    let mut user = entity("User", json!({}));
    for name in ["email", "firstName", "mfaEnabled", "emailDomain", "createdOn", "webLink", "anything"] {
        user[name] = Value::Null;
    }
    assert_eq!(faults("User", &user), NONE);
}

#[test]
fn names_of_properties_keep_to_the_letters_that_queries_can_name() {
    for name in ["tag.Owner", "tag.a b-c", "_source", "2fa"] {
        assert_eq!(faults("Entity", &entity("Entity", json!({name: "x"}))), NONE, "{name}");
    }
    for name in ["created_at", "größe", "a/b", "tag.aws:name", "_"] {
        assert_eq!(faults("Entity", &entity("Entity", json!({name: "x"}))), [WHOLE], "{name}");
    }
}

#[test]
fn raw_data_may_be_nested_and_have_names() {
    let raw = json!([{"name": "default", "rawData": {"any_name": {"deep": [[1]]}}}, {"name": "list", "rawData": []}]);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_rawData": raw}))), NONE);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_rawData": [{"rawData": {}}]}))), ["/_rawData/0"]);
    assert_eq!(faults("Entity", &entity("Entity", json!({"_rawData": {}}))), ["/_rawData"]);
}

#[test]
fn times_are_numbers_and_links_are_uris() {
    let good = json!({"createdOn": 1_704_067_200_000_i64, "webLink": "https://example.com/teams/1"});
    assert_eq!(faults("Entity", &entity("Entity", good)), NONE);
    let bad = json!({"createdOn": "2024-01-01T00:00:00Z", "updatedOn": 1.5, "webLink": "example.com/teams/1"});
    assert_eq!(faults("Entity", &entity("Entity", bad)), ["/createdOn", "/updatedOn", "/webLink"]);
}

#[test]
fn an_entity_has_no_mapping() {
    assert_eq!(faults("User", &entity("User", json!({"_mapping": {}}))), ["/_mapping"]);
}

#[test]
fn an_account_needs_a_name_and_no_vendor() {
    assert_eq!(faults("Account", &entity("Account", json!({}))), NONE);
    let good = json!({"vendor": "Acme", "accessURL": "https://acme.example/login", "mfaEnabled": true});
    assert_eq!(faults("Account", &entity("Account", good)), NONE);
    let bad = json!({"name": null, "accessURL": "login", "mfaEnabled": "yes"});
    assert_eq!(faults("Account", &entity("Account", bad)), [WHOLE, "/accessURL", "/mfaEnabled"]);
}

#[test]
fn a_team_may_have_an_email_address() {
    assert_eq!(faults("Team", &entity("Team", json!({"email": "ops@example.com"}))), NONE);
    assert_eq!(faults("Team", &entity("Team", json!({"email": "ops"}))), ["/email"]);
}

#[test]
fn a_user_needs_no_more_than_any_entity_but_what_it_has_is_checked() {
    assert_eq!(faults("User", &entity("User", json!({}))), NONE);
    let good = json!({"username": "ann@example.com", "email": "ann@example.com", "emailDomain": ["example.com"],
        "shortLoginId": "ann", "mfaEnabled": false, "mfaType": "totp", "firstName": "Ann", "lastName": "Lee"});
    assert_eq!(faults("User", &entity("User", good)), NONE);
    let several = json!({"email": ["ann@example.com", "ann@example.org"], "username": ["ann", "al"]});
    assert_eq!(faults("User", &entity("User", several)), NONE);
    let bad = json!({"email": "@example.com", "emailDomain": "example.com", "firstName": ["Ann"], "mfaEnabled": 1});
    assert_eq!(faults("User", &entity("User", bad)), ["/email", "/emailDomain", "/firstName", "/mfaEnabled"]);
}

#[test]
fn an_application_says_where_it_answers_in_uris() {
    let good = json!({"COTS": false, "FOSS": true, "SaaS": false, "external": false, "mobile": false, "license": "MIT",
        "productionURL": "https://app.example", "alternateURLs": ["https://www.app.example/"]});
    assert_eq!(faults("Application", &entity("Application", good)), NONE);
    let bad = json!({"SaaS": "no", "productionURL": "app.example", "alternateURLs": ["https://a.example", "b"]});
    assert_eq!(faults("Application", &entity("Application", bad)), ["/SaaS", "/alternateURLs/1", "/productionURL"]);
}

#[test]
fn a_service_needs_category_and_function() {
    let good = json!({"category": ["platform"], "function": ["database"], "endpoints": ["db.example:5432"]});
    assert_eq!(faults("Service", &entity("Service", good)), NONE);
    assert_eq!(faults("Service", &entity("Service", json!({"function": ["database"]}))), [WHOLE]);
    assert_eq!(faults("Service", &entity("Service", json!({"category": ["platform"]}))), [WHOLE]);
    let bad = json!({"category": "platform", "function": [1], "endpoints": "db.example"});
    assert_eq!(faults("Service", &entity("Service", bad)), ["/category", "/endpoints", "/function/0"]);
}

#[test]
fn a_host_has_addresses_of_either_family_and_host_names() {
    let good =
        json!({"ipAddress": "10.0.0.1", "publicIpAddress": ["2001:db8::1", "192.0.2.1"], "fqdn": "a.example.com"});
    assert_eq!(faults("Host", &entity("Host", good)), NONE);
    let bad = json!({"ipAddress": "10.0.0.256", "publicIpAddress": ["192.0.2.1", "here"], "fqdn": "a b"});
    assert_eq!(faults("Host", &entity("Host", bad)), ["/fqdn", "/ipAddress", "/publicIpAddress/1"]);
}

#[test]
fn a_person_may_have_several_addresses() {
    assert_eq!(faults("Person", &entity("Person", json!({"email": "ann@example.com"}))), NONE);
    let mixed = json!({"email": ["ann@example.com", "ann"]});
    assert_eq!(faults("Person", &entity("Person", mixed)), ["/email/1"]);
}

#[test]
fn a_network_is_a_range_with_a_prefix_length() {
    assert_eq!(faults("Network", &entity("Network", json!({"CIDR": "10.0.0.0/16", "CIDRv6": "2001:db8::/32"}))), NONE);
    assert_eq!(faults("Network", &entity("Network", json!({"CIDR": "10.0.0.0"}))), ["/CIDR"]);
}

#[test]
fn a_gateway_has_its_category_and_function_and_is_public_or_not() {
    let gateway = json!({"category": ["network"], "function": ["routing"], "public": false});
    assert_eq!(faults("Gateway", &entity("Gateway", gateway)), NONE);
    let odd = json!({"category": "network", "function": ["routing"], "public": "no"});
    assert_eq!(faults("Gateway", &entity("Gateway", odd)), ["/category", "/public"]);
}

#[test]
fn a_child_class_keeps_the_rules_of_its_parent() {
    assert_eq!(faults("UserGroup", &entity("UserGroup", json!({"email": "all"}))), ["/email"]);
    assert_eq!(faults("AccessKey", &entity("AccessKey", json!({"fingerprint": 1}))), ["/fingerprint"]);
    assert_eq!(faults("CodeRepo", &entity("CodeRepo", json!({"private": "yes"}))), ["/private"]);
    assert_eq!(faults("Database", &entity("Database", json!({"encrypted": "yes"}))), ["/encrypted"]);
    assert_eq!(faults("Vulnerability", &entity("Vulnerability", json!({"open": "yes"}))), ["/open"]);
}

#[test]
fn one_entity_can_be_of_several_classes() {
    let both = json!({"_class": ["Device", "Host", "Service"], "category": ["laptop"], "function": [], "osName": "x"});
    for class in ["Device", "Host", "Service"] {
        assert_eq!(faults(class, &entity(class, both.clone())), NONE, "{class}");
    }
}

#[test]
fn a_relationship_has_both_ends_and_one_known_verb() {
    assert_eq!(faults("Relationship", &relationship(json!({"role": "admin", "createdOn": 1}))), NONE);
    for end in ["_fromEntityKey", "_toEntityKey"] {
        assert_eq!(faults("Relationship", &relationship(json!({end: null}))), [WHOLE], "{end}");
        assert_eq!(faults("Relationship", &relationship(json!({end: ""}))), [format!("/{end}")], "{end}");
    }
    for wrong in [json!("has"), json!("LIKES"), json!(["HAS"])] {
        assert_eq!(faults("Relationship", &relationship(json!({"_class": wrong}))), ["/_class"]);
    }
}

#[test]
fn a_relationship_is_flat() {
    assert_eq!(faults("Relationship", &relationship(json!({"grant": {"by": "ann"}}))), ["/grant"]);
    assert_eq!(faults("Relationship", &relationship(json!({"_mapping": {}}))), ["/_mapping"]);
}

#[test]
fn a_mapped_relationship_says_how_its_target_is_found() {
    assert_eq!(faults("MappedRelationship", &mapping(json!({}))), NONE);
    assert_eq!(faults("MappedRelationship", &mapping(json!({"skipTargetCreation": true}))), NONE);
    for part in ["relationshipDirection", "sourceEntityKey", "targetFilterKeys", "targetEntity"] {
        assert_eq!(faults("MappedRelationship", &mapping(json!({part: null}))), ["/_mapping"], "{part}");
    }
    let bad = json!({"relationshipDirection": "forward", "targetFilterKeys": ["email"], "skipTargetCreation": "yes",
        "targetEntity": {"email": {"home": "ann@example.com"}}});
    let expected = [
        "/_mapping/relationshipDirection",
        "/_mapping/skipTargetCreation",
        "/_mapping/targetEntity/email",
        "/_mapping/targetFilterKeys/0",
    ];
    assert_eq!(faults("MappedRelationship", &mapping(bad)), expected);
}

#[test]
fn a_mapped_relationship_has_a_mapping_and_one_known_verb() {
    assert_eq!(faults("MappedRelationship", &with(mapping(json!({})), json!({"_mapping": null}))), [WHOLE]);
    assert_eq!(faults("MappedRelationship", &with(mapping(json!({})), json!({"_class": "Is"}))), ["/_class"]);
}
