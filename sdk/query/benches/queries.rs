//! Five shapes of queries over 200,000 entities and 400,000 relationships in memory.
//!
//! `cargo bench -p integration-query --bench queries [-- RUNS]`. The first run of a query reads its columns. The time
//! of the others is a mean. Times are processor time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::executor::block_on;
use integration_query::graph::AccountGraph;
use integration_query::{Options, run};
use integration_store::MemoryGraph;
use serde_json::{Value, json};

const TEAMS: u32 = 1_200;
const USERS: u32 = 38_800;
const APPS: u32 = 60_000;
const ADDONS: u32 = 100_000;

/// A number that looks random, and is the same in each run.
fn mixed(number: u32, salt: u32) -> u32 {
    let mut state = u64::from(number) << 32 | u64::from(salt);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((state ^ (state >> 31)) & 0xffff_ffff).expect("32 bits")
}

fn entity(kind: &str, class: &str, number: u32) -> Value {
    let region = ["eu", "us", "ap", "sa", "af"][mixed(number, 1) as usize % 5];
    let plan = ["free", "basic", "standard", "premium"][mixed(number, 2) as usize % 4];
    let key = key(kind, number);
    json!({"_key": key, "_type": format!("bench_{kind}"), "_class": class, "name": format!("{kind}-{number}"),
           "displayName": format!("{kind} {number}"), "region": region, "plan": plan, "price": mixed(number, 3) % 100,
           "createdOn": 1_600_000_000_000_u64 + u64::from(mixed(number, 4)), "webLink": format!("https://example.com/{key}")})
}

fn key(kind: &str, number: u32) -> String {
    format!("{kind}:{:08x}", mixed(number, 9))
}

fn edge(from: (&str, u32), class: &str, to: (&str, u32)) -> Value {
    let (verb, ends) = (class.to_lowercase(), (key(from.0, from.1), key(to.0, to.1)));
    json!({"_key": format!("{}|{verb}|{}", ends.0, ends.1), "_type": format!("bench_{}_{verb}_{}", from.0, to.0),
           "_class": class, "_fromEntityKey": ends.0, "_toEntityKey": ends.1})
}

fn objects() -> impl Iterator<Item = Value> {
    let entities = (0..TEAMS)
        .map(|number| entity("team", "Team", number))
        .chain((0..USERS).map(|number| entity("user", "User", number)))
        .chain((0..APPS).map(|number| entity("app", "Application", number)))
        .chain((0..ADDONS).map(|number| entity("addon", "Service", number)));
    let members =
        (0..2 * USERS).map(|number| edge(("team", mixed(number, 5) % TEAMS), "HAS", ("user", number % USERS)));
    let owned = (0..APPS).map(|number| edge(("team", number % TEAMS), "OWNS", ("app", number)));
    let used =
        (0..4 * USERS + 7_200).map(|number| edge(("user", number % USERS), "USES", ("app", mixed(number, 6) % APPS)));
    let attached = (0..ADDONS).map(|number| edge(("app", mixed(number, 7) % APPS), "HAS", ("addon", number)));
    entities.chain(members).chain(owned).chain(used).chain(attached)
}

const QUERIES: [(&str, &str); 8] = [
    ("point", "FIND bench_app WITH _key = '$KEY'"),
    ("filter scan", "FIND bench_addon AS x WITH plan = 'premium' AND price > 50 RETURN COUNT(x), AVG(x.price)"),
    (
        "three hops from one",
        "FIND bench_team WITH name = 'team-7' THAT HAS bench_user THAT USES bench_app WITH region = 'eu'
         THAT HAS bench_addon WITH plan = 'premium' AS x RETURN x.name",
    ),
    (
        "three hops to one",
        "FIND bench_team AS t THAT HAS bench_user THAT USES bench_app THAT HAS bench_addon WITH name = 'addon-7' RETURN t.name",
    ),
    (
        "three hops from 1,200, reached",
        "FIND bench_team THAT HAS bench_user THAT USES bench_app THAT HAS bench_addon AS x RETURN COUNT(x)",
    ),
    (
        "three hops from 1,200, grouped paths",
        "FIND bench_team AS t THAT HAS bench_user THAT USES bench_app WITH region = ('eu' OR 'us') THAT HAS bench_addon AS x
         RETURN t.name, COUNT(x)",
    ),
    (
        "three hops from 1,200, rows",
        "FIND bench_team AS t THAT HAS bench_user AS u THAT USES bench_app WITH region = ('eu' OR 'us') AS a
         THAT HAS bench_addon AS x RETURN t.name, u.name, a.name, x.name",
    ),
    ("negation over 60,000", "FIND bench_app AS a THAT !HAS bench_addon WITH plan = 'premium' RETURN COUNT(a)"),
];

/// The processor time of this thread, so that other processes do not count; elsewhere than on Linux the time of day.
fn processor_time() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let spent = schedule.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok());
    let time_of_day = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    spent.map_or_else(time_of_day, Duration::from_nanos)
}

fn main() {
    let runs: u32 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(21);
    let started = Instant::now();
    let snapshot = MemoryGraph::of(objects()).expect("valid objects");
    let graph = block_on(AccountGraph::open(vec![Arc::new(snapshot)])).expect("a graph in memory opens");
    println!(
        "{} entities, {} relationships, {:.1} s",
        graph.node_count(),
        graph.edge_count(),
        started.elapsed().as_secs_f64()
    );
    println!("{:<38} {:>9} {:>11} {:>11}", "query", "rows", "first, ms", "warm, ms");
    for (name, text) in QUERIES {
        let text = text.replace("$KEY", &key("app", 4_711));
        let evaluate = || block_on(run(&text, &graph, &Options::default())).expect("a valid query").total;
        let started = processor_time();
        let total = evaluate();
        let (first, started) = (processor_time().saturating_sub(started), processor_time());
        let mut count = 0_u32;
        // The system counts in ticks of several milliseconds, so that short queries run often.
        while count < runs || processor_time().saturating_sub(started) < Duration::from_millis(200) {
            evaluate();
            count += 1;
        }
        let warm = processor_time().saturating_sub(started) / count;
        println!("{name:<38} {total:>9} {:>11.2} {:>11.3}", first.as_secs_f64() * 1e3, warm.as_secs_f64() * 1e3);
        if std::env::var_os("EXPLAIN").is_some() {
            let answer = block_on(run(&text, &graph, &Options::default())).expect("a valid query");
            println!("{}", answer.profile);
        }
    }
}
