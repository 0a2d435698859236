//! Tests of the language as a whole.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Environment, Expression, JsonTemplate, Limits, Scope, Template, Templates, is_true, to_text};

fn data() -> Value {
    let row = |name: &str, mfa: bool| {
        json!({"id": name, "entity": {"_type": "member", "displayName": name.to_uppercase()},
               "properties": {"name": name, "mfa": mfa, "tag.Owner": "ops"}})
    };
    json!({
        "queries": {"query0": {"total": 3, "data": [row("ann", true), row("bob", false), row("cy", false)]}},
        "table": [{"app.name": "web", "n": 1}, {"app.name": "api", "n": 2}, {"app.name": "web", "n": 3}],
        "text": "abc", "five": "5", "none": null, "list": [1, 2], "alertLevel": "HIGH"
    })
}

/// A high expression that calls itself.
const HIGH: &str = "{{!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!(list|mapTemplate('high'))}}";

fn templates() -> Templates {
    let texts = [
        ("line", "{{itemIndex+1}}/{{itemCount}} {{item.displayName}} {{item.mfa}}"),
        ("loop", "{{queries.query0.data|mapTemplate('loop')}}"),
        ("name", "{{item['name']}}"),
        ("high", HIGH),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), Template::parse(text).expect("a template"))).collect()
}

fn with<T>(limits: Limits, run: impl FnOnce(&Environment<'_>) -> T) -> T {
    let (base, templates) = (data(), templates());
    run(&Environment { scope: Scope::new(&base), templates: &templates, limits })
}

fn evaluate(text: &str) -> Result<Value, String> {
    let expression = Expression::parse(text).map_err(|error| error.to_string())?;
    with(Limits::default(), |environment| expression.evaluate(environment)).map_err(|error| error.to_string())
}

fn render(text: &str) -> Value {
    let template = Template::parse(text).expect("a template");
    with(Limits::default(), |environment| template.render(environment)).expect("a value")
}

#[track_caller]
fn check(cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        assert_eq!(evaluate(text).as_ref(), Ok(expected), "{text}");
    }
}

#[test]
fn operators_bind_as_in_jexl() {
    check(&[
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("2 * 3 % 2", json!(2)),
        ("2 ^ 3 ^ 2", json!(64)),
        ("10 - 4 - 3", json!(3)),
        ("7 // 2", json!(3)),
        ("-7 // 2", json!(-4)),
        ("-7 % 3", json!(-1)),
        ("1 / 4", json!(0.25)),
        ("1 + 1 == 2 && 3 > 2", json!(true)),
        ("true || false && false", json!(false)),
        ("true || (false && false)", json!(true)),
        ("1 < 2 ? 'a' : 'b'", json!("a")),
        ("false ? 1 : true ? 2 : 3", json!(2)),
        ("none ?: 'x'", json!("x")),
        ("text ?: 'x'", json!("abc")),
        ("!none", json!(true)),
        ("!!text && !false", json!(true)),
        ("3 - -2", json!(5)),
        ("-(1 + 2)", json!(-3)),
        (".5 + 1", json!(1.5)),
        ("1 # a comment\n + 1", json!(2)),
    ]);
}

#[test]
fn mixed_kinds_follow_the_table() {
    check(&[
        ("'5' * 2", json!(10)),
        ("'5' + 2", json!("52")),
        ("1 + none", Value::Null),
        ("'a' + none", json!("a")),
        ("'a' - 1", Value::Null),
        ("1 / 0", Value::Null),
        ("10 ^ 400", Value::Null),
        ("five == 5", json!(true)),
        ("true == 1", json!(true)),
        ("none == false", json!(false)),
        ("none == missing", json!(true)),
        ("none != 0", json!(true)),
        ("none < 1", json!(false)),
        ("none >= 0", json!(false)),
        ("'10' < '9'", json!(true)),
        ("'10' < 9", json!(false)),
        ("'NaN' == 'NaN'", json!(true)),
        ("'inf' > 1", json!(false)),
        ("list == [1, 2.0]", json!(true)),
        ("list == '1,2'", json!(false)),
        ("list + ''", json!("1,2")),
        ("{a: [1]} + ''", json!("{\"a\":[1]}")),
        ("1 in list", json!(true)),
        ("'1' in list", json!(false)),
        ("'b' in text", json!(true)),
        ("'b' in none", json!(false)),
        ("none && 1", Value::Null),
        ("0 || 'x'", json!("x")),
        ("'' ? 1 : 2", json!(2)),
        ("[] ? 1 : 2", json!(1)),
        ("0.1 + 0.2", json!(0.1 + 0.2)),
        ("1.5 + 1.5", json!(3)),
    ]);
}

#[test]
fn members_elements_and_filters() {
    check(&[
        ("queries.query0.total", json!(3)),
        ("queries['query0'].data[1].properties.name", json!("bob")),
        ("queries.query0.data.id", json!("ann")),
        ("queries.missing.total", Value::Null),
        ("text.length", Value::Null),
        ("list[1]", json!(2)),
        ("list[9]", Value::Null),
        ("list[-1]", Value::Null),
        ("list['x']", Value::Null),
        ("[1, 2, 3][2]", json!(3)),
        ("{a: 1, 'b c': 2}['b c']", json!(2)),
        ("table[0]['app.name']", json!("web")),
        ("table[.n > 1]|length", json!(2)),
        ("table[.n > 1].n", json!(2)),
        ("table[.n > 1 && .n < 3][0].n", json!(2)),
        ("queries.query0.data[.mfa == false]|mapProperty('name')", json!(["bob", "cy"])),
        ("none[.n == 1]", json!([])),
        ("{n: 1}[.n == 1]", json!([{"n": 1}])),
        ("queries.query0[1 == 1].total", json!(3)),
        ("queries.query0[1 == 2]", Value::Null),
    ]);
}

#[test]
fn transforms() {
    check(&[
        ("table|mapProperty('n')|join('; ')", json!("1; 2; 3")),
        ("list|join", json!("1,2")),
        ("[1]|merge(list, [2])", json!([1, 1, 2, 2])),
        ("table|uniquePropertyValues('app.name')", json!(["web", "api"])),
        ("queries.query0.data|mapProperty('name', 'displayName')", {
            let of = |name: &str| json!({"name": name, "displayName": name.to_uppercase()});
            json!([of("ann"), of("bob"), of("cy")])
        }),
        ("queries.query0.data|mapTemplate('line')|join('\n')", json!("1/3 ANN true\n2/3 BOB false\n3/3 CY false")),
        ("queries.query0.data|mapTemplate('name')", json!(["ann", "bob", "cy"])),
        ("none|mapProperty('x')", json!([])),
        ("none|join(',')", json!("")),
        ("text|length + 1", json!(4)),
        ("none|length", json!(0)),
    ]);
}

#[test]
fn errors_name_the_place_and_the_expectation() {
    for (text, parts) in [
        ("1 +", vec!["Unexpected end", "expected a value", "column 4"]),
        ("a..b", vec!["Unexpected token \".\"", "name of a member"]),
        ("a b", vec!["Unexpected token \"b\"", "operator", "column 3", "\n  ^"]),
        ("a|upper", vec!["no transform \"upper\"", "mapProperty"]),
        ("a|length(1)", vec!["`length` takes no arguments, found 1"]),
        (".a", vec!["expected a value"]),
        ("'abc", vec!["no closing quote"]),
        ("a ~ b", vec!["Unexpected character \"~\""]),
        ("text|join", vec!["`join` needs a list, found a text"]),
        ("list|join(1)", vec!["Expected a text, found a number"]),
        ("list|mapTemplate('none')", vec!["no template \"none\""]),
        ("list|mapTemplate('loop')", vec!["templates call each other"]),
    ] {
        let error = evaluate(text).expect_err(text);
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    }
}

#[test]
fn a_template_of_one_expression_keeps_its_kind() {
    assert_eq!(render("{{queries.query0.total > 0}}"), json!(true));
    assert_eq!(render(" {{queries.query0.total}}\n"), json!(3));
    assert_eq!(render("{{queries.query0.total}} of {{list}}"), json!("3 of 1,2"));
    assert_eq!(render("{{ {a: {b: '}}'}}.a.b }}"), json!("}}"));
    assert_eq!(render("plain } text"), json!("plain } text"));
    assert_eq!(render(""), json!(""));
    let error = Template::parse("a {{ b").expect_err("no end").to_string();
    assert!(error.contains("expected `}}`"), "{error}");
}

#[test]
fn templates_apply_at_any_depth_of_json() {
    let value = json!({"a": ["{{list}}", 1, {"b": "level {{alertLevel}}"}], "c": null});
    let template = JsonTemplate::parse(&value).expect("templates");
    let rendered = with(Limits::default(), |environment| template.render(environment)).expect("a value");
    assert_eq!(rendered, json!({"a": [[1, 2], 1, {"b": "level HIGH"}], "c": null}));
}

#[test]
fn work_and_output_are_bounded() {
    let limits = Limits { work: 100, output: 50 };
    let fails = |text: &str| {
        let template = Template::parse(text).expect("a template");
        with(limits, |environment| template.render(environment)).expect_err(text).message().to_owned()
    };
    assert!(fails("{{[queries, queries, queries, queries]}}").contains("100 steps"));
    assert!(fails("{{['aaaaaaaaaaaaaaaaaaaaaaaaa']|merge(['bbbbbbbbbbbbbbbbbbbbbbbbbb'])|join}}").contains("50 bytes"));
    let deep = "(".repeat(100_000);
    assert!(evaluate(&deep).expect_err("too deep").contains("levels deep"));
    for repeated in ["!", "-", "1+", "[", "{a:", "a[", "a?b:", "a.", "a|join|"] {
        evaluate(&repeated.repeat(50_000)).expect_err(repeated);
    }
    for (open, inside, close) in
        [("(", "1", ")"), ("[", "1", "]"), ("{a:", "1", "}"), ("list[", "1", "]"), ("list[", ".a", "]")]
    {
        let deepest = format!("{}{inside}{}", open.repeat(49), close.repeat(49));
        evaluate(&deepest).expect(open);
    }
    let highest = format!("1{}", " + 1".repeat(119));
    assert_eq!(evaluate(&highest), Ok(json!(120)));
    assert!(evaluate("list|mapTemplate('high')").expect_err("high").contains("150 levels deep"));
    let long = format!("1{}", " + 1".repeat(100_000));
    assert!(evaluate(&long).expect_err("too high").contains("levels deep"));
}

/// Small expressions with their expected value, by a direct computation.
fn arithmetic() -> impl Strategy<Value = (String, f64)> {
    let leaf = (0_i32..100).prop_map(|number| (number.to_string(), f64::from(number)));
    leaf.prop_recursive(5, 40, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*"]), inner).prop_map(|((a, x), operator, (b, y))| {
            let value = match operator {
                "+" => x + y,
                "-" => x - y,
                _ => x * y,
            };
            (format!("({a} {operator} {b})"), value)
        })
    })
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        "[a-c0-3]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(Value::from))
}

proptest! {
    #[test]
    fn arithmetic_is_that_of_floats((text, value) in arithmetic()) {
        let result = evaluate(&text).expect("a number");
        prop_assert_eq!(result.as_f64(), Some(value).filter(|value| value.is_finite()));
    }

    #[test]
    fn no_text_panics(text in "[-a-c0-2 .,:?|&=!<>+*/%^#'\"(){}\\[\\]\\\\ä]{0,40}") {
        if let Ok(template) = Template::parse(&text) {
            let _ = with(Limits::default(), |environment| template.render(environment));
        }
        let _ = evaluate(&text);
        let _ = Template::parse(&format!("{{{{{text}}}}}"));
    }

    #[test]
    fn laws_of_comparison(left in json_value(), right in json_value()) {
        let base = json!({"a": left, "b": right});
        let templates = Templates::default();
        let environment = Environment { scope: Scope::new(&base), templates: &templates, limits: Limits::default() };
        let is = |text: &str| is_true(&Expression::parse(text).expect("valid").evaluate(&environment).expect("a value"));
        prop_assert_eq!(is("a == b"), is("b == a"));
        prop_assert_eq!(is("a == b"), !is("a != b"));
        prop_assert_eq!(is("a < b"), is("b > a"));
        prop_assert_eq!(is("a <= b"), is("b >= a"));
        prop_assert!(!(is("a < b") && is("a >= b")));
        prop_assert!(is("a == a"));
        prop_assert_eq!(is("a && b"), is("a") && is("b"));
        prop_assert_eq!(is("a || b"), is("a") || is("b"));
        prop_assert_eq!(is("a ?: b"), is("a") || is("b"));
    }

    #[test]
    fn literal_texts_are_kept(text in "[^{]{0,40}") {
        prop_assert_eq!(render(&text), json!(text));
    }

    #[test]
    fn values_survive_a_template(value in json_value()) {
        let base = json!({"a": value});
        let templates = Templates::default();
        let environment = Environment { scope: Scope::new(&base), templates: &templates, limits: Limits::default() };
        let render = |text: &str| Template::parse(text).expect("valid").render(&environment).expect("a value");
        prop_assert_eq!(render("{{a}}"), value.clone());
        prop_assert_eq!(render("<{{a}}>"), json!(format!("<{}>", to_text(&value))));
    }
}
