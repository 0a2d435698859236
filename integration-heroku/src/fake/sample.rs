//! The built-in organisation: a small fictitious freight forwarder with every awkward case of real organisations.

use jiff::Timestamp;

use super::{
    catalogue::addon_name,
    ids::{AccountId, PersonId, TeamId, mixed},
    organisation::Organisation,
    resources::{
        Account, AccountMembership, Addon, AddonState, App, Permission, Person, Price, Role, Team, TeamMembership,
    },
    sample_lists::{careful_settings, careless_settings, provider_of_the_account, provider_of_the_team},
};

/// The columns: name, local part of the e-mail address, second factor, federated.
const PEOPLE: [(&str, &str, bool, bool); 29] = [
    ("Tilda Marchetti", "tilda.marchetti", true, true),
    ("Jürgen Müßig", "juergen.muessig", true, true),
    ("Samuel Okafor", "samuel.okafor", true, true),
    ("Ines Carvalho", "ines.carvalho", true, false),
    ("Per Lindqvist", "per.lindqvist", false, false),
    ("Maja Kowalski", "maja.kowalski", true, true),
    ("Elif Yıldız", "elif.yildiz", true, true),
    ("Tomás Herrera", "tomas.herrera", true, false),
    ("Priya Raman", "priya.raman", true, true),
    ("Oskar Dvořák", "oskar.dvorak", false, false),
    ("Grace Adeyemi", "grace.adeyemi", true, true),
    ("Noor Haddad", "noor.haddad", true, true),
    ("Liam Byrne", "liam.byrne", true, false),
    ("Chloé Laurent", "chloe.laurent", true, true),
    ("Anders Holm", "anders.holm", true, true),
    ("Beatriz Sousa", "beatriz.sousa", true, false),
    ("Kwame Mensah", "kwame.mensah", true, true),
    ("Yuki Tanabe", "yuki.tanabe", true, true),
    ("佐藤 美咲", "misaki.sato", true, true),
    ("Hanna Virtanen", "hanna.virtanen", true, false),
    ("Dmitri Sokolov", "dmitri.sokolov", true, false),
    ("Amelia Price", "amelia.price", false, false),
    ("Rafael Ortiz", "rafael.ortiz", true, false),
    ("Zeynep Kaya", "zeynep.kaya", true, false),
    ("Matteo Ricci", "matteo.ricci", true, false),
    ("Ling Chen", "ling.chen", true, false),
    ("Farah Nasser", "farah.nasser", true, false),
    ("Jonas Brandt", "jonas.brandt", false, false),
    ("Aoife Kelly", "aoife.kelly", true, false),
];

/// The person in both accounts. All earlier people are in the first account only.
const IN_BOTH_ACCOUNTS: usize = 18;

/// The columns: team, name, region, stack, plans of the add-ons.
type AppRow = (usize, &'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip]
const APPS: [AppRow; 25] = [
    (0, "kestrel-api", "us", "heroku-24",
        &["heroku-postgresql:standard-2", "heroku-redis:premium-1", "papertrail:fixa", "newrelic:wayne"]),
    (0, "kestrel-gateway", "us", "container", &["heroku-redis:premium-0", "papertrail:choklad"]),
    (0, "kestrel-auth", "us", "heroku-24",
        &["heroku-postgresql:standard-0", "heroku-redis:premium-0", "papertrail:choklad"]),
    (0, "kestrel-worker", "us", "heroku-24", &["heroku-redis:premium-0", "scheduler:standard", "cloudamqp:lemur"]),
    (0, "kestrel-billing", "us", "heroku-22",
        &["heroku-postgresql:standard-0", "papertrail:fixa", "sendgrid:bronze", "newrelic:wayne"]),
    (0, "kestrel-notify", "us", "heroku-24", &["sendgrid:bronze", "heroku-redis:mini", "scheduler:standard"]),
    (0, "kestrel-tracking", "eu", "heroku-24",
        &["heroku-postgresql:standard-2", "heroku-redis:premium-1", "papertrail:fixa", "scheduler:standard"]),
    (0, "kestrel-maps", "eu", "container", &["memcachier:dev", "papertrail:choklad"]),
    (0, "kestrel-status", "eu", "heroku-24", &[]),
    (0, "kestrel-api-staging", "us", "heroku-24",
        &["heroku-postgresql:essential-0", "heroku-redis:mini", "papertrail:choklad"]),
    (0, "kestrel-legacy", "us", "heroku-20", &["heroku-postgresql:essential-0"]),
    (1, "kestrel-shop", "us", "heroku-24",
        &["heroku-postgresql:premium-0", "heroku-redis:premium-1", "cloudinary:starter", "newrelic:wayne", "papertrail:fixa"]),
    (1, "kestrel-shop-staging", "us", "heroku-24",
        &["heroku-postgresql:essential-0", "heroku-redis:mini", "cloudinary:starter"]),
    (1, "kestrel-checkout", "us", "heroku-24",
        &["heroku-postgresql:standard-0", "heroku-redis:premium-0", "papertrail:choklad"]),
    (1, "kestrel-search", "us", "container", &["bonsai:standard-sm", "papertrail:choklad"]),
    (1, "kestrel-images", "us", "heroku-22", &["cloudinary:starter", "heroku-redis:mini"]),
    (1, "kestrel-landing", "eu", "heroku-24", &["scheduler:standard"]),
    (1, "kestrel-shop-jp", "tokyo", "heroku-24", &["heroku-postgresql:essential-1", "cloudinary:starter"]),
    (1, "kestrel-reviews", "eu", "heroku-24",
        &["heroku-postgresql:essential-1", "heroku-redis:mini", "sendgrid:starter"]),
    (1, "kestrel-blog", "eu", "heroku-22", &[]),
    (2, "kestrel-insights", "us", "heroku-24",
        &["heroku-postgresql:premium-0", "heroku-redis:premium-0", "scheduler:standard"]),
    (2, "kestrel-reports", "us", "heroku-24",
        &["heroku-postgresql:standard-0", "scheduler:standard", "papertrail:choklad"]),
    (2, "kestrel-ingest", "us", "container", &["heroku-kafka:basic-0", "heroku-postgresql:standard-0"]),
    (2, "kestrel-notebooks", "us", "heroku-24", &["heroku-postgresql:essential-0"]),
    (2, "kestrel-forecast", "eu", "container", &["heroku-redis:mini"]),
];

impl Organisation {
    /// The built-in organisation: 2 enterprise accounts, 5 teams, 34 people, 27 apps, 61 add-ons, 3 spaces, 4 pipelines.
    ///
    /// It contains these special cases:
    ///
    /// - People: one in both accounts, a team member in neither account, a team member whose `user` is null, account
    ///   members in no team, and people without a second factor, with an identity provider, or with a non-ASCII name.
    /// - Access: a contractor in a team but in no account, an agency's developer and a former colleague in neither, and
    ///   people without a second factor who may deploy.
    /// - Invitations: one each by a member, by the former colleague, and without a sender.
    /// - Spaces: one each with a shield and without its team in the body, open to everyone, and being allocated; one with
    ///   a peering and a VPN connection.
    /// - Teams: one whose body names no account, one without apps, and one outside the accounts.
    /// - Sign-in: an expired certificate beside a valid one, and an identity provider of one team, which is switched off.
    /// - Pipelines: two of teams, one of a member, and one of the former colleague.
    /// - Shared add-ons: the database of production in staging, a database under two names, and a log.
    /// - Apps: one each without an owner, without a web address, without the team in its body, archived, in
    ///   maintenance, locked, on a stack without support, in a private space, and without a team.
    /// - Add-ons: one each without a web address, without a price, billed by contract, being provisioned, and
    ///   deprovisioned; one of a service that is shut down, and one of a service that is not yet released.
    pub fn sample() -> Self {
        let mut organisation = Self::empty();
        organisation.add_sample_services();
        let accounts = [
            organisation.add_account(Account {
                identity_provider: Some(provider_of_the_account()),
                ..Account::new("kestrel-harbour")
            }),
            organisation.add_account(Account {
                permissions: vec![Permission::View],
                trial: true,
                ..Account::new("kestrel-labs")
            }),
        ];
        let teams = [
            organisation.add_team(Team {
                default: true,
                settings: careful_settings(),
                ..Team::new("kestrel-platform", Some(accounts[0]))
            }),
            organisation
                .add_team(Team { role: Some(Role::Member), ..Team::new("kestrel-storefront", Some(accounts[0])) }),
            organisation.add_team(Team { names_account: false, ..Team::new("kestrel-data", Some(accounts[1])) }),
            organisation.add_team(Team {
                role: None,
                membership_limit: None,
                identity_provider: Some(provider_of_the_team()),
                settings: careless_settings(),
                ..Team::new("kestrel-research", Some(accounts[1]))
            }),
        ];
        let people = organisation.add_sample_people(accounts, teams);
        organisation.add_sample_apps(teams, &people);
        let leaver = organisation.add_sample_access(teams, &people);
        organisation.add_sample_outside(people[0]);
        organisation.add_sample_pipelines(teams, people[0], &leaver);
        organisation
    }

    fn add_sample_people(&mut self, accounts: [AccountId; 2], teams: [TeamId; 4]) -> Vec<PersonId> {
        let mut added = Vec::new();
        for (n, (name, local_part, two_factor, federated)) in PEOPLE.into_iter().enumerate() {
            let domain = if n <= IN_BOTH_ACCOUNTS { "kestrel.example.com" } else { "labs.kestrel.example.org" };
            let person = Person { two_factor, federated, ..Person::new(format!("{local_part}@{domain}"), Some(name)) };
            if n <= IN_BOTH_ACCOUNTS {
                self.add_account_membership(AccountMembership::new(accounts[0], person.id, permissions_of(n)));
            }
            if n >= IN_BOTH_ACCOUNTS {
                self.add_account_membership(AccountMembership::new(accounts[1], person.id, permissions_of(n)));
            }
            for (team, role) in teams_of(n) {
                self.add_team_membership(TeamMembership::new(teams[team], &person, role));
            }
            added.push(self.add_person(person));
        }
        let contractor = Person { two_factor: false, ..Person::new("ruben.vos@studio.example.org", None) };
        self.add_team_membership(TeamMembership::new(teams[1], &contractor, Role::Collaborator));
        added.push(self.add_person(contractor));
        let gone = TeamMembership::without_user(teams[0], "former.colleague@kestrel.example.com", Role::Member);
        self.add_team_membership(gone);
        added
    }

    fn add_sample_apps(&mut self, teams: [TeamId; 4], people: &[PersonId]) {
        let mut number = 0;
        for (team, name, region, stack, plans) in APPS {
            let owner = people[(mixed(name, 6) % IN_BOTH_ACCOUNTS as u64) as usize];
            let app =
                App { region: region.into(), stack: stack.into(), owner: Some(owner), ..App::new(teams[team], name) };
            let app = awkward_app(app);
            for plan in plans {
                number += 1;
                let service = plan.split(':').next().unwrap_or(plan);
                let name = addon_name(service, 20_000 + number * 137);
                self.add_addon(awkward_addon(number, Addon::new(&app, name, *plan)));
            }
            self.add_app(app);
        }
    }
}

fn permissions_of(n: usize) -> Vec<Permission> {
    match n % 6 {
        0 => Permission::ALL.to_vec(),
        1 | 2 => vec![Permission::View, Permission::Manage],
        3 => vec![Permission::View, Permission::Billing],
        4 => vec![Permission::View, Permission::Create],
        _ => vec![Permission::View],
    }
}

/// The teams and roles of a person. People alternate between the teams of their account; two people are in no team.
fn teams_of(n: usize) -> Vec<(usize, Role)> {
    let role = match n % 5 {
        0 => Role::Admin,
        3 => Role::Collaborator,
        _ => Role::Member,
    };
    match n {
        0 => vec![(0, Role::Owner), (1, Role::Admin)],
        12 | 27 => Vec::new(),
        IN_BOTH_ACCOUNTS => vec![(1, Role::Member), (2, Role::Admin), (3, Role::Member)],
        20 => vec![(2, Role::Owner), (3, Role::Owner)],
        _ if n < IN_BOTH_ACCOUNTS => vec![(n % 2, role)],
        _ => vec![(2 + n % 2, role)],
    }
}

fn awkward_app(app: App) -> App {
    let autumn_2023 = Timestamp::constant(1_696_118_400, 0);
    match app.name.as_str() {
        "kestrel-landing" => App { owner: None, ..app },
        "kestrel-worker" => App { web: false, ..app },
        "kestrel-reviews" => App { names_team: false, ..app },
        "kestrel-legacy" => App { archived_at: Some(autumn_2023), repo_size: None, slug_size: None, ..app },
        "kestrel-blog" => App { maintenance: true, released_at: None, slug_size: None, ..app },
        "kestrel-billing" => App { locked: true, ..app },
        "kestrel-shop-jp" => App { space: Some("kestrel-tokyo".into()), internal_routing: Some(false), ..app },
        "kestrel-ingest" => App {
            space: Some("kestrel-private".into()),
            region: "virginia".into(),
            internal_routing: Some(true),
            ..app
        },
        _ => app,
    }
}

fn awkward_addon(number: usize, addon: Addon) -> Addon {
    match number {
        5 => Addon { web: false, ..addon },
        9 => Addon { price: None, ..addon },
        12 => Addon { billed_to_team: true, ..addon },
        20 => Addon { state: AddonState::Provisioning, config_vars: Vec::new(), ..addon },
        30 => Addon { price: Some(Price { cents: 180_000, contract: true }), billed_to_team: true, ..addon },
        49 => Addon { state: AddonState::Deprovisioned, ..addon },
        _ => addon,
    }
}
