//! Queries that must parse, with their canonical text.

use crate::syntax::parse;

/// Parses each query; returns its canonical text below it.
fn canonical(queries: &[&str]) -> String {
    let mut all = String::new();
    for query in queries {
        let printed = match parse(query) {
            Ok(parsed) => parsed.to_string(),
            Err(errors) => panic!("{}", errors.render(query)),
        };
        let note = if *query == printed { "(the same)" } else { &printed };
        all += &format!("{query}\n    {note}\n");
    }
    all
}

#[test]
fn heads_and_selectors() {
    insta::assert_snapshot!(canonical(&[
        "FIND *",
        "Find User",
        "find aws_iam_user",
        "FIND (User|aws_s3_bucket | Person)",
        "FIND #CriticalAsset",
        "find #Production Host",
        "FIND #Production AS p RETURN p.name",
        "User",
        "(Host|Device) WITH active = true",
        "\"127.0.0.1\"",
        "Find \"text\" with _class='Host'",
        "'text' THAT HAS User",
        "find UNIQUE User return User.email",
        "FIND User AS u WITH active = true RETURN u",
        "FIND User WITH active = true AS u RETURN u",
        "FIND User with(active = true) RETURN User",
        "FIND (order|limit)",
        "FIND (order)",
    ]));
}

#[test]
fn steps() {
    insta::assert_snapshot!(canonical(&[
        "FIND User THAT HAS Device",
        "FIND User that relates to *",
        "FIND User THAT RELATES TO >> Device",
        "FIND User THAT RELATES TO << AS r Device",
        "FIND User THAT ASSIGNED >> Application",
        "FIND User THAT ASSIGNED TO Application",
        "FIND User THAT ASSIGNED >> TO AS r Application",
        "FIND User THAT ASSIGNED TO >> Application",
        "FIND User THAT !IS Person",
        "FIND User THAT ! HAS << Device",
        "FIND User THAT !(OWNS|HAS) Device",
        "FIND User THAT !RELATES TO Device",
        "FIND User THAT (has | OWNS|uses)>>(Device|Host)",
        "FIND User that installed AS r npm_package WITH name = 'x' AS A RETURN r, A",
        "FIND User THAT ASSIGNED AS r WITH active = true Application AS a",
        "FIND User THAT ASSIGNED WITH active = true *",
        "FIND User THAT HAS * AS x THAT IS #Tag",
        "FIND Device THAT HAS Problem WITH severity = 'high' THAT RELATES TO Vulnerability",
    ]));
}

#[test]
fn optional_parts() {
    insta::assert_snapshot!(canonical(&[
        "FIND User (THAT HAS Device)?",
        "FIND User (THAT HAS Device)? AS x RETURN x.name",
        "FIND User (THAT HAS Device AS d)? RETURN d.name",
        "FIND User ( THAT HAS Device WITH platform = 'darwin' THAT HAS Host ) ? (THAT IS Person)? THAT HAS Team",
        "FIND User (THAT HAS Device (THAT RUNS Application)? AS x THAT IS Code)?",
        "FIND User ((THAT HAS Device)? THAT IS Person)?",
    ]));
}

#[test]
fn conditions() {
    insta::assert_snapshot!(canonical(&[
        "FIND User WITH a = 1 OR b = 2 AND c = 3",
        "FIND User WITH (a = 1 OR b = 2) AND c = 3",
        "FIND User WITH ((a = 1))",
        "FIND User WITH a = 1 AND (b = 2 AND c = 3)",
        "FIND User WITH a!=1 and b<2 and c<=3 and d>4 and e>=5 and f~='x' and g^='x' and h$='x'",
        "FIND User WITH a!~='x' or b!^='x' or c!$='x'",
        "FIND User WITH count = 1 AND order = 'x' AND find != 2 and with = 3 AND limit > 4 AND and = 5 AND true = true",
        "FIND User WITH tag.Production = true AND [tag.special-name] = 'x' AND tag.[odd name] = 'y' AND tag.2x = 1",
        "FIND User WITH [\"odd]name\"] = 'x'",
        "FIND User AS u WITH u.[special-name] = undefined AND name != null",
        "FIND User WITH active=true AND x=False AND y = -5 AND z = 1.5e3",
        "FIND User WITH a = 'it\\'s' AND b = \"say \\\"x\\\"\" AND c = 'C:\\dir' AND d = 'a\\\\b\\n' AND e = ''",
        "FIND User WITH a = (1 or 2 OR 'x') AND b = ('a' AND 'b') AND c = ('a' OR 'b' AND 'c') AND d = (('a' OR 'b') AND 'c')",
        "FIND User WITH a = ('a') AND b != (true OR undefined)",
        "FIND User WITH a = /^ab.*c/ AND b = /a\\/b/i AND c ^= /x/i AND d $= /\\d+/ AND e = (/a/ OR /b/i)",
        "FIND User WITH name = ${param.name} AND x = ${ param.y }",
        "FIND User AS r THAT HAS User AS u WHERE r.a != u.b AND u.x = r.x",
        "FIND Host with (a=1)that has User",
    ]));
}

#[test]
fn dates() {
    insta::assert_snapshot!(canonical(&[
        "FIND User WITH createdOn > date.now",
        "FIND User WITH createdOn > date.now - 1 day",
        "FIND User WITH createdOn > date.now-24hr",
        "FIND User WITH createdOn < date.now + 30days",
        "FIND User WITH createdOn < date.now +30days",
        "FIND User WITH a < DATE.NOW-5hrs AND b < date.now -1 month AND c < date.now - 2 yrs AND d < date.now - 3mo",
        "FIND User WITH a > date(2019-10-30) AND b < date(2019-10-30T12:00:00Z) AND c = date( '2019-10-30' )",
        "FIND User WITH date = 5 AND date.x = 6",
        "FIND crowdstrike_sensor WITH date.now - 7 days > lastSeenOn AND 5 <= a AND 'x' != b AND date(2020-01-01) < c AS e",
    ]));
}

#[test]
fn results() {
    insta::assert_snapshot!(canonical(&[
        "FIND User RETURN TREE",
        "FIND User THAT HAS Device RETURN User, Device",
        "FIND User AS u RETURN u.name, u.*, u.[special-name], u.tag.Production AS prod",
        "FIND User RETURN User._type AS type, count(User) AS 'Number of users'",
        "FIND User AS tree RETURN tree.name",
        "FIND User AS u RETURN count(u), COUNT(u.email), min(u.age), max(u.age), avg(u.age), sum(u.age)",
        "FIND User AS u RETURN concat(u.a, ' ', u.b), merge(u.a, u.b), coalesce(u.a, 0), abs(-u.a), round(u.a / 2)",
        "FIND User AS u RETURN u.a + u.b * u.c ^ 2 - 4 / (u.d - 1) AS x",
        "FIND User AS u RETURN (u.a + u.b) * u.c, u.a - (u.b - u.c), (u.a ^ u.b) ^ u.c, u.a ^ u.b ^ u.c",
        "FIND User AS u RETURN -u.a ^ 2, (-u.a) ^ 2, 2 ^ -u.a, - - u.a",
        "FIND User AS u RETURN (u.a)/2/3, u.b/u.c",
        "FIND User AS u RETURN date.now - u.createdOn, date.now - 1 day AS y, date.now-1",
        "FIND User AS u RETURN u.count, u.order",
        "FIND User AS u RETURN sqrt(\n  u.a /* squared */ ) as root",
    ]));
}

#[test]
fn order_and_pages() {
    insta::assert_snapshot!(canonical(&[
        "FIND User ORDER BY User.email",
        "FIND User AS u RETURN u.email AS e order by e desc, u.name ASC, u.age",
        "FIND User RETURN count(User) AS 'n' ORDER BY 'n' DESC SKIP 10 LIMIT 5",
        "FIND User RETURN count(User) AS count, User.name AS Has ORDER BY count DESC, Has LIMIT 5",
        "FIND User SKIP 0 LIMIT 250",
        "FIND User LIMIT 5 SKIP 2",
        "FIND User WHERE User.active = true RETURN TREE LIMIT 1",
    ]));
}

#[test]
fn comments_and_blanks() {
    insta::assert_snapshot!(canonical(&[
        "/* people */ FIND /**/ User /* a * b */ WITH\n\tactive /* = false */ = true\r\n RETURN User",
        "\u{feff}FIND\u{a0}User",
        "FIND User WITH a=/*x*/'y'/*z*/",
        "FIND\u{200b} User \u{200b}",
    ]));
}
