//! Stored raw data does not depend on the way in which it was copied.

use proptest::prelude::*;
use serde_json::Value;

use super::copy::edited;
use super::plain::Doubts;
use super::{CopyError, Redaction, plain};

fn json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("token".to_owned()), Just("env_vars".to_owned()), "[a-c\\n]{0,2}"];
    let text = prop_oneof![Just("https://u:p@h.example/x".to_owned()), "[a-c\\n@:/]{0,9}"];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from)
    ];
    scalar.prop_recursive(4, 40, 5, move |inner| {
        let object = proptest::collection::btree_map(name.clone(), inner.clone(), 0..5);
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(Value::from),
            object.prop_map(|object| object.into_iter().collect()),
        ]
    })
}

/// Arbitrary spellings of JSON: white space, escapes, all kinds of numbers, unsorted and repeated names.
fn spelled() -> impl Strategy<Value = String> {
    let space = || prop_oneof![3 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n")];
    let name = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "é", ""]).prop_map(|name| format!("{name:?}")),
        1 => Just(r#""token""#.to_owned()),
        1 => Just(r#""env_vars""#.to_owned()),
        1 => Just(r#""\u0061""#.to_owned()),
    ];
    let number = "-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,3})?([eE][-+]?[0-9])?";
    let scalar = prop_oneof![
        2 => number,
        1 => "-?[1-9][0-9]{15,22}",
        1 => Just("true".to_owned()),
        1 => Just("null".to_owned()),
        3 => prop::sample::select(vec![r#""x""#, r#""a@b""#, r#""https://u:p@h.example/""#, r#""{[,\"""#, r#""/ \/""#, r#""""#])
            .prop_map(str::to_owned),
    ];
    let within = |items: Vec<(&str, String)>| {
        items.into_iter().map(|(space, item)| format!("{space}{item}{space}")).collect::<Vec<_>>().join(",")
    };
    scalar.prop_recursive(4, 40, 5, move |inner| {
        let item = (space(), inner.clone());
        let member = (space(), (name.clone(), space(), inner))
            .prop_map(|(before, (name, space, value))| (before, format!("{name}{space}:{space}{value}")));
        prop_oneof![
            proptest::collection::vec(item, 0..5).prop_map(move |items| format!("[{}]", within(items))),
            proptest::collection::vec(member, 0..5).prop_map(move |members| format!("{{{}}}", within(members))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn where_no_parser_is_needed_it_would_have_copied_the_same(text in spelled()) {
        let mut redaction = Redaction::default();
        redaction.field("token");
        let (mut in_runs, mut by_parser) = (Vec::new(), Vec::new());
        edited(&redaction, &text, &mut by_parser).unwrap();
        if plain::copy(&redaction, Doubts::about(&text), &text, &mut in_runs) {
            prop_assert_eq!(String::from_utf8(in_runs).unwrap(), str::from_utf8(&by_parser).unwrap());
        }
        let mut by_doubts = Vec::new();
        redaction.copy(&text, &mut by_doubts).unwrap();
        prop_assert_eq!(str::from_utf8(&by_doubts).unwrap(), str::from_utf8(&by_parser).unwrap());
    }
}

proptest! {
    #[test]
    fn copied_text_is_what_a_tree_would_be_written_as(mut value in json()) {
        let mut redaction = Redaction::default();
        redaction.field("token");
        let texts = [serde_json::to_string_pretty(&value).unwrap(), value.to_string()];
        redaction.apply(&mut value);
        for text in texts {
            let mut copied = Vec::new();
            redaction.copy(&text, &mut copied).unwrap();
            prop_assert_eq!(String::from_utf8(copied).unwrap(), value.to_string());
        }
    }
}

#[test]
fn text_that_is_nearly_as_it_is_kept_needs_no_parser() {
    let mut redaction = Redaction::default();
    redaction.field("token");
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    for (text, kept) in [
        (r#"{"a":[{"b":-12,"c":true}],"d":"é@x","e":null}"#, Some(r#"{"a":[{"b":-12,"c":true}],"d":"é@x","e":null}"#)),
        ("{ \"a\" : [ 1,\n\t2 ], \"b\": {} }", Some(r#"{"a":[1,2],"b":{}}"#)),
        (r#"["b","a"]"#, Some(r#"["b","a"]"#)),
        ("7", Some("7")),
        (r#"{"b":1,"a":2}"#, None),
        (r#"{"a":1,"a":2}"#, None),
        (r#"[{"a":1},{"token":"t"}]"#, None),
        (r#"["https://u:p@h.example/x"]"#, None),
        (r#"["\u0061"]"#, None),
        ("[2.50, -0, 1e3, 1E400, 12345678901234567890123]", Some("[2.50,-0,1e3,1E400,12345678901234567890123]")),
        (r#"{"access_token":"0a1B2c3D4e5F6a7B8c9D"}"#, None),
        (r#"{"TOKEN":1}"#, None),
        (r#"{"config_vars":["A_URL","B"]}"#, Some(r#"{"config_vars":["A_URL","B"]}"#)),
        (r#"{"config_vars":{"A":"b"}}"#, None),
        (r#"{"config_vars":["],",{"A":"b"}]}"#, None),
        (r#"{"config_vars":[["a"],{"A":"b"}]}"#, None),
        (deep.as_str(), None),
    ] {
        let mut copied = Vec::new();
        let is_plain = plain::copy(&redaction, Doubts::about(text), text, &mut copied);
        assert_eq!(is_plain.then(|| String::from_utf8(copied).unwrap()).as_deref(), kept, "{text}");
    }
}

#[test]
fn copied_names_are_in_order_and_the_last_of_equal_ones_counts() {
    let mut copied = b"before ".to_vec();
    Redaction::default()
        .copy(r#" {"b": 1, "a": {"z": [], "y": {}}, "\u0062": 2.50, "c": "\ud83d"} "#, &mut copied)
        .unwrap();
    assert_eq!(String::from_utf8(copied).unwrap(), "before {\"a\":{\"y\":{},\"z\":[]},\"b\":2.50,\"c\":\"\u{fffd}\"}");
}

#[test]
fn text_that_no_tree_can_hold_is_copied_or_refused_with_its_reason() {
    let copied = |json: &str| {
        let mut copied = Vec::new();
        Redaction::default().copy(json, &mut copied).map(|()| String::from_utf8(copied).unwrap())
    };
    let numbers = r#"{"b":1e400,"a":0.1000000000000000055511151231257827}"#;
    assert_eq!(copied(numbers).as_deref(), Ok(r#"{"a":0.1000000000000000055511151231257827,"b":1e400}"#));
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    assert_eq!(copied(&deep), Err(CopyError::TooDeep));
    assert_eq!(copied(&deep[1..257]).map(|text| text.len()), Ok(256));
    assert_eq!(edited(&Redaction::default(), "[1,", &mut Vec::new()), Err(CopyError::NotJson(3)));
}

#[test]
fn secrets_are_taken_out_of_raw_data_in_whatever_form_they_are_written() {
    let mut redaction = Redaction::default();
    redaction.field("token");
    let raw = r#"{"u":"https:\/\/user:S3CR3T@h\/x","v":"https:\u002f\u002fuser:S3CR3T@h","t\u006fken":"S3CR3T","Token":{"a":"S3CR3T"},
        "w":["see jdbc:postgresql://u:S3CR3T@h1,h2/db"],"x":"//u:S3CR3T@h/","client_secret":"S3CR3T0a1b2c3d4e5f","https://u:S3CR3T@n":1}"#;
    let mut copied = Vec::new();
    redaction.copy(raw, &mut copied).unwrap();
    let copied = String::from_utf8(copied).unwrap();
    assert!(!copied.contains("S3CR3T"), "{copied}");
    assert!(copied.contains(r#""u":"https://h/x""#) && copied.contains(r#""https://n":1"#), "{copied}");
}

#[test]
fn texts_in_objects_below_the_names_of_secrets_are_redacted_by_every_way() {
    let raw = r#"{"api_key":{"id":"7","v":"S3"},"client_secret":[{"x":"S3"}],"k":[{"PWD":"S3","pass":"S3"},{"sessionId":"S3a1B2c3D4e5F"}],"max_tokens":{"a":"b"},"otp":"S3","passwords":{"a":"S3","b":{"c":["S3"]}},"refresh_token":{"created_at":"2024","on":true,"state":"active","value":"S3"},"tokens":[{"v":"S3"},"name"],"user_password":{"expires":"2024-01-01T00:00:00Z","hash":"S3"}}"#;
    let kept = raw.replace("S3a1B2c3D4e5F", "S3").replace("S3", "[redacted]");
    let redaction = Redaction::default();
    for raw in [raw.to_owned(), raw.replace("\"v\"", "\"\\u0076\"")] {
        let mut copied = Vec::new();
        redaction.copy(&raw, &mut copied).unwrap();
        assert_eq!(String::from_utf8(copied).unwrap(), kept);
        let mut tree: Value = serde_json::from_str(&raw).unwrap();
        assert!(redaction.finds(&tree));
        redaction.apply(&mut tree);
        assert_eq!(tree.to_string(), kept);
    }
    for alone in
        [r#"{"otp":"S3"}"#, r#"{"x":{"db_pass":"S3"}}"#, r#"{"psk":"S3"}"#, r#"["--token S3"]"#, r#"["pass=S3"]"#]
    {
        let mut copied = Vec::new();
        redaction.copy(alone, &mut copied).unwrap();
        assert_eq!(String::from_utf8(copied).unwrap(), alone.replace("S3", "[redacted]"));
    }
}

#[test]
fn fields_named_like_secrets_are_redacted_by_every_way_and_what_is_said_of_them_stays() {
    let raw = r#"{"api_key":"k1","app":{"private_key":"MIIE","secret":["a",{"id":"i"}]},"authorization":"Basic dTpw",
        "config_vars":{"A":"1","DB":{"url":"x"},"id":"7","on":true},"env_vars":["NAME",{"a":["b"]}],"has_password":true,"max_tokens":"10","password":"hunter2",
        "token":null,"token_expires_at":"2024-01-01T00:00:00Z","token_id":"01234567-89ab-cdef-0123-456789abcdef"}"#;
    let kept = r#"{"api_key":"[redacted]","app":{"private_key":"[redacted]","secret":["[redacted]",{"id":"i"}]},"authorization":"[redacted]","config_vars":{"A":"[redacted]","DB":{"url":"[redacted]"},"id":"[redacted]","on":true},"env_vars":["NAME",{"a":["[redacted]"]}],"has_password":true,"max_tokens":"10","password":"[redacted]","token":null,"token_expires_at":"2024-01-01T00:00:00Z","token_id":"01234567-89ab-cdef-0123-456789abcdef"}"#;
    let redaction = Redaction::default();
    let mut copied = Vec::new();
    redaction.copy(raw, &mut copied).unwrap();
    assert_eq!(String::from_utf8(copied).unwrap(), kept);
    let mut tree: Value = serde_json::from_str(raw).unwrap();
    assert!(redaction.finds(&tree));
    redaction.apply(&mut tree);
    assert_eq!(tree.to_string(), kept);
    assert!(!redaction.finds(&tree));
}
