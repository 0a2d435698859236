//! Sample graphs, which are the same in every run.

use integration_view::explorer::{Change, GraphEdge, GraphNode, GraphPicture};

/// The numbers of objects in a graph with the shape of Heroku's.
pub struct Shape {
    pub accounts: usize,
    pub teams: usize,
    pub people: usize,
    pub apps: usize,
    pub addons: usize,
}

/// Creates two accounts with four teams, as in a small company.
pub fn small() -> GraphPicture {
    let mut graph = heroku(&Shape { accounts: 2, teams: 4, people: 30, apps: 25, addons: 60 });
    graph.subtitle = "Job of 3 March, 121 entities".into();
    graph
}

/// Creates a graph of the same shape with about `count` entities.
pub fn large(count: usize) -> GraphPicture {
    let teams = (count / 400).max(3);
    let people = count / 5;
    let apps = count / 5;
    let accounts = 2;
    let addons = count - accounts - teams - people - apps;
    let mut graph = heroku(&Shape { accounts, teams, people, apps, addons });
    graph.subtitle = format!("{} entities, {} relationships", graph.nodes.len(), graph.edges.len());
    graph
}

/// Creates accounts with teams, teams with apps and people, and apps with add-ons.
pub fn heroku(shape: &Shape) -> GraphPicture {
    let mut numbers = Numbers(42);
    let mut graph = GraphPicture { title: "Heroku".into(), ..GraphPicture::default() };
    let add = |graph: &mut GraphPicture, object_type: &str, class: &str, name: String, more: String| {
        let key = format!("{object_type}-{:06}", graph.nodes.len());
        graph.nodes.push(node(&key, object_type, class, &name, &more));
        graph.nodes.len() - 1
    };
    let accounts: Vec<usize> = (0..shape.accounts)
        .map(|at| add(&mut graph, "heroku_account", "Account", format!("Example {}", at + 1), String::new()))
        .collect();
    let mut teams = Vec::new();
    for at in 0..shape.teams {
        let team = add(&mut graph, "heroku_team", "Team", format!("{}-{at}", WORDS[at % WORDS.len()]), String::new());
        let account = accounts[at % accounts.len()];
        link(&mut graph, account, "HAS", team, "");
        teams.push(team);
    }
    for at in 0..shape.people {
        let name = format!("{}.{}@example.com", NAMES[at % NAMES.len()], at);
        let more = format!(",\"email\":\"{name}\",\"mfaEnabled\":{}", at % 7 != 0);
        let person = add(&mut graph, "heroku_account_member", "User", name, more);
        link(&mut graph, accounts[at % accounts.len()], "HAS", person, "");
        for turn in 0..=usize::from(at % 4 == 0) {
            // Most people are in teams of their own account.
            let mut team = numbers.below(teams.len());
            if team % accounts.len() != at % accounts.len() && at % 10 != 0 {
                team = (team + 1) % teams.len();
            }
            let team = teams[team];
            let role = ["member", "admin", "collaborator"][(at + turn) % 3];
            link(&mut graph, team, "HAS", person, &format!(",\"role\":\"{role}\""));
        }
    }
    let mut apps = Vec::new();
    for at in 0..shape.apps {
        let team = teams[numbers.below(teams.len())];
        let name = format!("{}-{}-{at}", WORDS[numbers.below(WORDS.len())], WORDS[(at * 7) % WORDS.len()]);
        let more =
            format!(",\"region\":\"eu\",\"stack\":\"heroku-24\",\"productionURL\":\"https://{name}.example.com/\"");
        let app = add(&mut graph, "heroku_application", "Application", name, more);
        link(&mut graph, team, "OWNS", app, "");
        apps.push(app);
    }
    for at in 0..shape.addons {
        let service = ["postgresql", "redis", "papertrail", "scheduler", "mailer"][numbers.below(5)];
        let more = format!(",\"plan\":\"{service}:basic\",\"priceCents\":{}", numbers.below(9_000));
        let addon = add(&mut graph, "heroku_addon", "Service", format!("{service}-{at}"), more);
        let app = apps[numbers.below(apps.len())];
        link(&mut graph, app, "HAS", addon, "");
    }
    graph
}

/// Creates a graph without ownership, and some unrelated objects.
pub fn mesh(count: usize) -> GraphPicture {
    let mut numbers = Numbers(7);
    let mut graph = GraphPicture { title: "Hosts".into(), ..GraphPicture::default() };
    for at in 0..count {
        let (object_type, class) = [("net_host", "Host"), ("net_gateway", "Gateway")][usize::from(at % 9 == 0)];
        graph.nodes.push(node(&format!("net-host-{at:05}"), object_type, class, &format!("host {at}"), ""));
    }
    for at in 1..count - count / 10 {
        let near = at - 1 - numbers.below(at.min(8));
        link(&mut graph, near, "CONNECTS", at, "");
        if at % 3 == 0 {
            link(&mut graph, at, "TRUSTS", numbers.below(at), "");
        }
    }
    graph
}

/// Creates names that would be harmful in a page that interpreted them as markup.
pub fn hostile() -> GraphPicture {
    let mut graph = GraphPicture {
        title: "Odd </title><script>document.title='owned'</script>".into(),
        subtitle: "<img src=x onerror=alert(1)>".into(),
        ..GraphPicture::default()
    };
    let names = [
        "</script><script>window.owned = 1</script>".to_owned(),
        "<!--<script>".to_owned(),
        "<img src=x onerror=\"window.owned = 2\">".to_owned(),
        "{{constructor.constructor('window.owned = 3')()}} ${window.owned = 4} {title}".to_owned(),
        "\u{202e}txt.exe\u{202c} \u{200f}\u{2066}mixed\u{2069} שלום مرحبا".to_owned(),
        "long ".repeat(2_000),
        "x".repeat(10_000),
        "line\nbreak\ttab \u{0}nul \u{1b}[31mred \u{2028}separator".to_owned(),
        "' onmouseover='window.owned = 5' \" & &amp; &lt;b&gt; \\u003cscript\\u003e \\".to_owned(),
        "=HYPERLINK(\"http://example.com\")".to_owned(),
        "javascript:window.owned=6".to_owned(),
        "__proto__".to_owned(),
        "constructor".to_owned(),
        String::new(),
        "😀👩‍👩‍👧 日本語のなまえ e\u{301}".to_owned(),
    ];
    for (at, name) in names.iter().enumerate() {
        let key = format!("odd-{at}-{name}");
        let mut object = node(&key, ["odd_thing", "odd_</script>"][at % 2], "<b>Class</b>", name, "");
        object.json = serde_json::json!({
            "_key": key, "_class": ["<b>Class</b>"], "_type": object.object_type, "displayName": name,
            "<script>window.owned = 7</script>": name, "__proto__": "polluted", "tags": [name, name],
            "_rawData": [{"name": name, "rawData": {"html": name, "</script>": "<script>window.owned = 8</script>"}}],
        })
        .to_string();
        graph.nodes.push(object);
    }
    graph.nodes[12].json = "{not json </script><script>window.owned = 9</script>".into();
    for at in 1..names.len() {
        link(&mut graph, at / 3, "HAS <i>", at, "");
    }
    link(&mut graph, 2, "IS", 2, "");
    let lost = GraphEdge { to: "no-such-<b>key".into(), ..graph.edges[0].clone() };
    graph.edges.push(lost);
    graph
}

/// Creates the small graph in an earlier and a later state.
pub fn comparison() -> GraphPicture {
    let mut graph = small();
    graph.title = "Heroku, compared".into();
    graph.subtitle = "3 March against 2 March".into();
    graph.missing = vec!["Data are missing from the newer graph: heroku_addon.".into()];
    let count = graph.nodes.len();
    for (at, node) in graph.nodes.iter_mut().enumerate() {
        node.change = match at {
            at if at % 11 == 5 => Change::Added,
            at if at % 13 == 7 => Change::Removed,
            at if at % 9 == 4 && at > 10 => Change::Changed {
                before: node.json.replace("\"createdOn\":17", "\"createdOn\":16").replace("eu", "us"),
                unknown: Vec::new(),
            },
            at if at % 17 == 3 => Change::Unknown { before: None },
            _ => Change::Same,
        };
    }
    let changes: Vec<(String, Change)> =
        graph.nodes.iter().map(|node| (node.key.clone(), node.change.clone())).take(count).collect();
    for edge in &mut graph.edges {
        let end = changes
            .iter()
            .find(|(key, change)| *key == edge.to && !matches!(change, Change::Same | Change::Changed { .. }));
        edge.change = end.map_or(Change::Same, |(_, change)| change.clone());
    }
    let is_same = |key: &str| changes.iter().any(|(of, change)| of == key && *change == Change::Same);
    let between = graph.edges.iter_mut().filter(|edge| is_same(&edge.from) && is_same(&edge.to));
    between.step_by(6).for_each(|edge| edge.change = Change::Removed);
    graph
}

fn node(key: &str, object_type: &str, class: &str, name: &str, more: &str) -> GraphNode {
    let shown = serde_json::Value::from(name);
    let json = format!(
        "{{\"_key\":\"{}\",\"_type\":\"{object_type}\",\"_class\":[\"{class}\"],\"name\":{shown},\"displayName\":{shown},\
         \"createdOn\":1714560000000,\"active\":true{more},\"_rawData\":[{{\"name\":\"default\",\"rawData\":{{\"id\":\"{}\",\
         \"name\":{shown},\"created_at\":\"2024-05-01T10:40:00Z\",\"region\":{{\"id\":\"59accabd\",\"name\":\"eu\"}},\
         \"permissions\":[\"view\",\"deploy\",\"operate\",\"manage\"]}}}}]}}",
        key.escape_default(),
        key.escape_default()
    );
    GraphNode {
        key: key.into(),
        object_type: object_type.into(),
        classes: vec![class.into()],
        name: name.into(),
        json,
        change: Change::Same,
    }
}

fn link(graph: &mut GraphPicture, from: usize, class: &str, to: usize, more: &str) {
    let (from, to) = (&graph.nodes[from], &graph.nodes[to]);
    let object_type =
        format!("{}_{}_{}", from.object_type, class.to_lowercase(), to.object_type.replace("heroku_", ""));
    let key = format!("{}|{}|{}", from.key, class.to_lowercase(), to.key);
    let ends = [&key, &object_type, &from.key, &to.key].map(|text| serde_json::Value::from(text.as_str()));
    let json = format!(
        "{{\"_key\":{},\"_type\":{},\"_class\":\"{class}\",\"_fromEntityKey\":{},\"_toEntityKey\":{}{more}}}",
        ends[0], ends[1], ends[2], ends[3]
    );
    let (from, to) = (from.key.clone(), to.key.clone());
    graph.edges.push(GraphEdge { key, object_type, class: class.into(), from, to, json, change: Change::Same });
}

/// A small pseudo-random number generator.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

const WORDS: &[&str] = &[
    "billing", "search", "catalog", "shop", "checkout", "orders", "mail", "reports", "gateway", "login", "media",
    "stock", "prices", "tickets", "maps", "feeds", "tasks", "audit", "archive", "metrics",
];

const NAMES: &[&str] = &["ada", "grace", "alan", "edsger", "barbara", "donald", "frances", "john", "karen", "ken"];
