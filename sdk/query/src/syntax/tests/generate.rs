//! Random syntax trees.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::syntax::tree::{
    Arithmetic, Comparison, Condition, Direction, Expression, Hop, Literal, Name, Node, Operand, Operator, Optional,
    OrderBy, OrderKey, Path, Query, Return, ReturnItem, Segment, Selector, Span, Spanned, Step, Verbs,
};

const NOWHERE: Span = Span { start: 0, end: 0 };

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned { value, span: NOWHERE }
}

/// A name that is not a keyword.
fn plain() -> impl Strategy<Value = Name> {
    "[A-Za-z_é][A-Za-z0-9_]{0,6}".prop_map(|name| spanned(format!("{name}_"))).boxed()
}

/// A name that is often a keyword.
fn any_word() -> impl Strategy<Value = Name> {
    let keywords = prop::sample::select(vec![
        "find",
        "unique",
        "WITH",
        "as",
        "That",
        "relates",
        "to",
        "WHERE",
        "and",
        "or",
        "return",
        "tree",
        "order",
        "by",
        "asc",
        "desc",
        "skip",
        "limit",
        "true",
        "undefined",
        "null",
        "date",
        "now",
        "count",
        "not",
        "in",
        "User",
    ]);
    prop_oneof![plain(), keywords.prop_map(|word| spanned(word.to_owned()))]
}

fn selector() -> impl Strategy<Value = Selector> {
    prop_oneof![
        Just(Selector::Any),
        vec(any_word(), 1..4).prop_map(Selector::Names),
        (plain(), option::of(plain())).prop_map(|(tag, name)| Selector::Tagged { tag, name }),
    ]
}

fn path() -> impl Strategy<Value = Path> {
    let bracketed = "[ -~\\n\\tä'\"\\]]{0,6}[a-z\\]]".prop_map(|name| Segment { name: spanned(name), bracketed: true });
    let word = any_word().prop_map(|name| Segment { name, bracketed: false });
    let first = plain().prop_map(|name| Segment { name, bracketed: false });
    (prop_oneof![3 => first, 1 => bracketed.clone()], vec(prop_oneof![3 => word, 1 => bracketed], 0..3))
        .prop_map(|(first, rest)| Path { segments: std::iter::once(first).chain(rest).collect(), span: NOWHERE })
}

fn common_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<String>().prop_map(Literal::Text),
        "[0-9]{1,9}(\\.[0-9]{1,3})?".prop_map(Literal::Number),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Undefined),
        Just(Literal::Null),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?".prop_map(Literal::Date),
        (-100_000_i64..100_000).prop_map(|hours| Literal::Now { offset_ms: hours * 3_600_000 }),
        "[A-Za-z][A-Za-z0-9_-]{0,8}".prop_map(Literal::Parameter),
    ]
}

fn compared_literal() -> impl Strategy<Value = Literal> {
    let regex = ("([a-z /^$*ä\"]|\\\\[d.\\\\]){1,8}", any::<bool>())
        .prop_filter("a comment is no regular expression", |(pattern, _)| !pattern.starts_with('*'))
        .prop_map(|(pattern, ignore_case)| Literal::Regex { pattern, ignore_case });
    prop_oneof![4 => common_literal(), 1 => regex, 1 => "-[0-9]{1,5}".prop_map(Literal::Number)]
}

fn operand() -> impl Strategy<Value = Operand> {
    let leaf = prop_oneof![
        3 => compared_literal().prop_map(|literal| Operand::Literal(spanned(literal))),
        1 => path().prop_map(Operand::Path),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|parts| Operand::Any(parts, NOWHERE)),
            vec(inner, 2..4).prop_map(|parts| Operand::All(parts, NOWHERE)),
        ]
    })
}

fn operator() -> impl Strategy<Value = Operator> {
    use Operator::{
        Contains, EndsWith, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotContains, NotEndsWith, NotEqual,
        NotStartsWith, StartsWith,
    };
    prop::sample::select(vec![
        Equal,
        NotEqual,
        Less,
        LessOrEqual,
        Greater,
        GreaterOrEqual,
        Contains,
        StartsWith,
        EndsWith,
        NotContains,
        NotStartsWith,
        NotEndsWith,
    ])
}

fn condition() -> impl Strategy<Value = Condition> {
    let compare = (path(), operator(), operand()).prop_map(|(left, operator, right)| {
        Condition::Compare(Comparison { left, operator: spanned(operator), right, span: NOWHERE })
    });
    compare.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![vec(inner.clone(), 2..4).prop_map(Condition::And), vec(inner, 2..4).prop_map(Condition::Or),]
    })
}

fn node() -> impl Strategy<Value = Node> {
    (selector(), option::of(condition()), option::of(plain())).prop_map(|(selector, filter, alias)| Node {
        selector: spanned(selector),
        filter,
        alias,
    })
}

fn hop() -> impl Strategy<Value = Hop> {
    let verbs = prop_oneof![Just(Verbs::Any), vec(any_word(), 1..3).prop_map(Verbs::Of)];
    let direction = prop::sample::select(vec![Direction::Either, Direction::Forward, Direction::Backward]);
    (option::of(Just(NOWHERE)), verbs, direction, option::of(plain()), option::weighted(0.2, condition()), node())
        .prop_map(|(negated, verbs, direction, relationship, relationship_filter, node)| Hop {
            negated,
            verbs: spanned(verbs),
            direction,
            relationship,
            relationship_filter,
            node,
            span: NOWHERE,
        })
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = hop().prop_map(|hop| Step::Hop(Box::new(hop))).boxed();
    leaf.clone().prop_recursive(2, 4, 2, move |inner| {
        (vec(inner.clone(), 0..2), leaf.clone(), vec(inner, 0..2), option::of(plain())).prop_map(
            |(before, hop, after, alias)| {
                let steps = before.into_iter().chain([hop]).chain(after).collect();
                Step::Optional(Optional { steps, alias, span: NOWHERE })
            },
        )
    })
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        3 => path().prop_map(Expression::Path),
        1 => plain().prop_map(Expression::AllProperties),
        2 => common_literal().prop_map(|literal| Expression::Literal(spanned(literal))),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        use Arithmetic::{Add, Divide, Multiply, Power, Subtract};
        let operator = prop::sample::select(vec![Power, Multiply, Divide, Add, Subtract]);
        prop_oneof![
            // date(…) is a constant.
            1 => (any_word().prop_filter("a function", |name| name.value != "date"), vec(inner.clone(), 0..3)).prop_map(|(function, arguments)| Expression::Call {
                function,
                arguments,
                span: NOWHERE
            }),
            3 => (operator, inner.clone(), inner.clone()).prop_map(|(operator, left, right)| Expression::Binary {
                operator: spanned(operator),
                left: Box::new(left),
                right: Box::new(right),
            }),
            1 => inner.prop_map(|value| Expression::Negate(Box::new(value), NOWHERE)),
        ]
    })
}

fn returns() -> impl Strategy<Value = Return> {
    let alias = option::of(any::<String>().prop_map(spanned));
    let item = (expression(), alias).prop_map(|(expression, alias)| ReturnItem {
        text: expression.to_string(),
        expression,
        alias,
        span: NOWHERE,
    });
    prop_oneof![1 => Just(Return::Tree(NOWHERE)), 4 => vec(item, 1..4).prop_map(Return::Items)]
}

/// A text in quotes names a column instead.
fn sort_value() -> impl Strategy<Value = Expression> {
    let is_text = |value: &Expression| matches!(value, Expression::Literal(Spanned { value: Literal::Text(_), .. }));
    expression().prop_filter("the name of a column", move |value| !is_text(value))
}

fn order_by() -> impl Strategy<Value = OrderBy> {
    let key = (sort_value(), any::<bool>()).prop_map(|(expression, descending)| OrderKey {
        expression,
        descending,
        span: NOWHERE,
    });
    vec(key, 1..3).prop_map(|keys| OrderBy { keys })
}

/// A query of any shape that the grammar allows.
pub(super) fn query() -> impl Strategy<Value = Query> {
    let head = prop_oneof![
        5 => node(),
        1 => (any::<String>(), node()).prop_map(|(text, node)| Node { selector: spanned(Selector::Text(text)), ..node }),
    ];
    let number = || option::of(any::<u64>().prop_map(spanned));
    (
        (any::<bool>(), head, vec(step(), 0..3), option::of(condition())),
        (option::of(returns()), option::of(order_by()), number(), number()),
    )
        .prop_map(|((unique, head, steps, condition), (returns, order_by, skip, limit))| Query {
            unique: (unique && returns.is_some()).then_some(NOWHERE),
            head,
            steps,
            condition,
            returns,
            order_by,
            skip,
            limit,
        })
}
