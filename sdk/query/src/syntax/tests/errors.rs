//! Wrong queries, with the rendered messages.

use crate::syntax::parse;

/// Parses each text; returns the rendered errors.
fn messages(queries: &[&str]) -> String {
    let mut all = String::new();
    for query in queries {
        let errors = parse(query).map(|tree| tree.to_string()).expect_err("a wrong query");
        all += &format!("{}\n", errors.render(query));
    }
    all
}

#[test]
fn unclosed_parts() {
    insta::assert_snapshot!(messages(&[
        "FIND User WITH name = 'bob THAT HAS Device",
        "FIND User WITH name = \"bob\n  THAT HAS Device WITH x ==",
        "FIND User WITH (active = true THAT HAS Device",
        "FIND User WITH name = ('a' OR 'b' THAT HAS Device",
        "FIND (User|Device THAT HAS Host",
        "FIND User (THAT HAS Device THAT HAS Host",
        "FIND User (THAT HAS Device) THAT HAS Host",
        "FIND User RETURN count(User.email",
        "FIND User /* people WITH a = 1",
        "FIND User WITH name = /abc",
        "FIND User WITH [odd-name = 1",
        "FIND User WITH name = ${param.x",
        "FIND User WITH name = 'a')",
    ]));
}

#[test]
fn incomplete_queries() {
    insta::assert_snapshot!(messages(&[
        "",
        "FIND",
        "FIND UNIQUE",
        "FIND User WITH",
        "FIND User WITH active",
        "FIND User WITH active =",
        "FIND User WITH active AND name = 'x'",
        "FIND User THAT",
        "FIND User THAT HAS",
        "FIND User THAT Device",
        "FIND User THAT RELATES Device",
        "FIND User AS",
        "FIND User WHERE",
        "FIND User RETURN",
        "FIND User RETURN User.name,",
        "FIND User ORDER User.name",
        "FIND User LIMIT",
        "FIND User LIMIT many",
        "FIND User SKIP -1 LIMIT 1.5",
        "FIND User WITH createdOn > date.now - 1",
        "FIND User WITH createdOn > date.now - day",
        "FIND User WITH createdOn > date.now - 2 weeks",
        "FIND User WITH createdOn > date.now - 99999999999999999999 days AND x > date.now - 9999999999999999 days",
        "FIND UNIQUE User",
        "FIND # THAT HAS Host",
    ]));
}

#[test]
fn misspelt_keywords() {
    insta::assert_snapshot!(messages(&[
        "FIDN User",
        "FIND User WIHT active = true",
        "FIND User WITH active = true THTA HAS Device",
        "FIND User RETRUN User.name",
        "FIND User AS u WHER u.name = 'x'",
        "FIND User THAT RELATES ON Device",
        "FIND User LIMT 5",
        "FIND User ORDR BY User.name",
        "FIND User RETURN User.name SA name",
        "find user that has device wehre device.x = 1 retrun user limt 5",
    ]));
}

#[test]
fn misplaced_parts() {
    insta::assert_snapshot!(messages(&[
        "FIND User HAS Device",
        "FIND User active = true",
        "FIND User AND Device",
        "FIND User, Device",
        "FIND User|Device",
        "FIND User AS u WHERE u.active = true THAT HAS Device",
        "FIND User THAT HAS Device RETURN User WHERE User.active = true",
        "FIND User LIMIT 5 RETURN User.name",
        "FIND User WITH a = 1 WITH b = 2",
        "FIND User LIMIT 5 LIMIT 6",
        "FIND User THAT HAS Device >> RETURN User",
        "FIND User >> HAS Device",
        "FIND User THAT HAS AS r >> Device",
        "FIND User THAT HAS 'phone'",
        "FIND 'text' 'more'",
        "FIND User !THAT HAS Device",
        "FIND User RETURN TREE, User",
        "FIND User WITH 'bob' ~= name",
        "FIND User WITH 5 AND a = 1",
        "FIND User FIND Device",
        "FIND {a class}",
        "FIND User WITH name = 'a' OR 'b'",
        "FIND User WITH name = [1, 2]",
        "FIND User WITH name = ['a', 'b']",
        "FIND User WITH name = and",
        "FIND User WITH special-name = 1",
        "FIND User WITH ip = 10.0.0.1",
        "FIND heroku-app",
        "FIND User THAT AS r HAS Device",
    ]));
}

#[test]
fn reserved_words() {
    insta::assert_snapshot!(messages(&[
        "FIND User AS count RETURN count",
        "FIND User THAT HAS AS has Device",
        "FIND User AS 'u' RETURN u",
        "FIND User RETURN order",
        "FIND return",
    ]));
}

#[test]
fn habits_of_sql() {
    insta::assert_snapshot!(messages(&[
        "SELECT name FROM User WHERE name == 'x'",
        "SELECT * FROM User",
        "FIND User WITH name == 'x' AND age <> 5",
        "FIND User WITH a = 1 && b = 2 || c = 3",
        "FIND User WITH name LIKE 'a%' AND type IN ('a', 'b') AND age BETWEEN 1 AND 5 AND x = 1",
        "FIND User WITH name IS NULL",
        "FIND User WITH name IS NOT NULL AND age NOT IN (1, 2)",
        "FIND User WITH NOT active = true",
        "FIND User WITH !active",
        "FIND User WITH NOT (a = 1 OR b = 2) AND exists(name)",
        "FIND User WHERE count(User) > 5",
        "FIND User WITH name = lower(email)",
        "FIND User RETURN count(*)",
        "FIND User RETURN count(DISTINCT User.name)",
        "FIND DISTINCT User RETURN User.name",
        "FIND User RETURN User.type, count(User) GROUP BY User.type HAVING x > 1",
        "FIND User RETURN *",
        "FIND User WITH id = (SELECT id FROM Person)",
        "FIND User WITH id = (FIND Person RETURN Person.id)",
        "FIND User THAT HAS (FIND Device)",
        "FIND User JOIN Device",
        "FIND User OFFSET 5",
        "FIND User -- people\nWITH a = 1",
        "FIND User // people",
        "FIND User;",
        "FIND `User`",
        "FIND User WITH name = “bob”",
        "FIND User RETURN CASE WHEN User.a = 1 THEN 2 END",
        "FIND User RETURN User.a % 2",
    ]));
}

#[test]
fn habits_of_graph_languages() {
    insta::assert_snapshot!(messages(&[
        "MATCH (u:User)-[:HAS]->(d:Device) RETURN u",
        "FIND User -> Device",
        "FIND User -[HAS]-> Device",
        "FIND User <- Device",
        "FIND User THAT HAS* Device",
        "FIND User THAT HAS*1..3 Device",
        "FIND User THAT HAS{1,3} Device",
        "FIND User THAT HAS+ Device",
        "FIND User (THAT HAS Device)* THAT HAS Host",
        "FIND User (THAT HAS Device){2} THAT HAS Host",
        "FIND User THAT HAS|OWNS Device",
        "FIND User THAT NOT HAS Device",
        "FIND User THAT HAS NOT Device",
        "FIND User OPTIONAL MATCH Device",
        "FIND User WITH name =~ 'a.*'",
        "FIND User WITH name STARTS WITH 'a' AND x CONTAINS 'b'",
    ]));
}

#[test]
fn texts_and_characters() {
    insta::assert_snapshot!(messages(&[
        "FIND User WITH name = {{name}}",
        "FIND User WITH name = 'x' AND {{condition}}",
        "FIND User WITH name = ${name}",
        "FIND User WITH name = /a/gi",
        "FIND User WITH name = //",
        "FIND User WITH [] = 1",
        "FIND User WITH name – 1 = 'x'",
        "FIND Usér\u{200e} WITH a = 1",
        "FIND\tUser\n\tWITH\tname =\t= '日本'",
        "FIND User \u{1b}[31m WITH a = 1",
        "FIND User WITH date(yesterday) = 1 AND a > date(yesterday)",
    ]));
}

#[test]
fn several_errors() {
    insta::assert_snapshot!(messages(&[
        "FIND User WITH a == 1 AND b <> 2 THAT HAS Device WITH c LIKE 'x' RETURN count(*), User.name AS, 5 +",
        "FIND (User| THAT HAS (|Device) WITH a = THAT !! Host LIMIT x",
        "FIND User WITH name = 'a' OR 'b' OR 'c' AND active == true",
        "FIND User WITH name = ('a' OR OR 'b') AND active == true",
        "FIND User (THAT IS Person email = 'x')? AS p THAT OWNS Device WITH a == 1",
        "FIND User (THAT HAS Device WITH a == 1)? THAT HAS Host WITH (b <> 2) RETURN Host.",
    ]));
}
