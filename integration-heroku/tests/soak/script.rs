//! The faults of a case, on random lists and with random frequency.

use integration_heroku::fake::{FakeHeroku, Fault, FaultRule, Organisation, Reply};
use proptest::prelude::*;
use serde_json::json;

/// A list that the collection requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Accounts,
    MembersOfAccount,
    TeamsOfAccount,
    Teams,
    MembersOfTeam,
    Apps,
    Addons,
    Spaces,
    Permissions,
    Invitations,
    OwnApps,
    OwnAddons,
    Pipelines,
    Couplings,
    Attachments,
    AddonServices,
    Preferences,
    Features,
    Rules,
    Addresses,
    Peerings,
    VpnConnections,
}

impl List {
    const ALL: [Self; 22] = [
        Self::Accounts,
        Self::MembersOfAccount,
        Self::TeamsOfAccount,
        Self::Teams,
        Self::MembersOfTeam,
        Self::Apps,
        Self::Addons,
        Self::Spaces,
        Self::Permissions,
        Self::Invitations,
        Self::OwnApps,
        Self::OwnAddons,
        Self::Pipelines,
        Self::Couplings,
        Self::Attachments,
        Self::AddonServices,
        Self::Preferences,
        Self::Features,
        Self::Rules,
        Self::Addresses,
        Self::Peerings,
        Self::VpnConnections,
    ];
    /// The lists of which an element without a valid key becomes a rejected object, and nothing else.
    const OF_KEYS: [Self; 7] = [
        Self::Accounts,
        Self::MembersOfAccount,
        Self::TeamsOfAccount,
        Self::Teams,
        Self::Apps,
        Self::Addons,
        Self::Invitations,
    ];

    /// The path of the list, for one parent or as a pattern for all parents.
    pub fn path(self, parent: Option<&str>) -> String {
        let id = parent.unwrap_or("{id}");
        match self {
            Self::Accounts => "/enterprise-accounts".to_owned(),
            Self::MembersOfAccount => format!("/enterprise-accounts/{id}/members"),
            Self::TeamsOfAccount => format!("/enterprise-accounts/{id}/teams"),
            Self::Teams => "/teams".to_owned(),
            Self::MembersOfTeam => format!("/teams/{id}/members"),
            Self::Apps => format!("/teams/{id}/apps"),
            Self::Addons => format!("/teams/{id}/addons"),
            Self::Spaces => "/spaces".to_owned(),
            Self::Permissions => format!("/teams/{id}/permissions"),
            Self::Invitations => format!("/teams/{id}/invitations"),
            Self::OwnApps => "/apps".to_owned(),
            Self::OwnAddons => "/addons".to_owned(),
            Self::Pipelines => "/pipelines".to_owned(),
            Self::Couplings => "/pipeline-couplings".to_owned(),
            Self::Attachments => "/addon-attachments".to_owned(),
            Self::AddonServices => "/addon-services".to_owned(),
            Self::Preferences => format!("/teams/{id}/preferences"),
            Self::Features => format!("/teams/{id}/features"),
            Self::Rules => format!("/spaces/{id}/inbound-ruleset"),
            Self::Addresses => format!("/spaces/{id}/nat"),
            Self::Peerings => format!("/spaces/{id}/peerings"),
            Self::VpnConnections => format!("/spaces/{id}/vpn-connections"),
        }
    }

    /// The ids of the parents that have such a list.
    fn parents(self, organisation: &Organisation) -> Vec<String> {
        match self {
            Self::Accounts | Self::Teams | Self::Spaces | Self::OwnApps | Self::OwnAddons => Vec::new(),
            Self::Pipelines | Self::Couplings | Self::Attachments | Self::AddonServices => Vec::new(),
            Self::Rules | Self::Addresses | Self::Peerings | Self::VpnConnections => {
                organisation.spaces().map(|space| space.id.to_string()).collect()
            }
            Self::MembersOfAccount | Self::TeamsOfAccount => {
                organisation.accounts().map(|account| account.id.to_string()).collect()
            }
            Self::MembersOfTeam
            | Self::Apps
            | Self::Addons
            | Self::Permissions
            | Self::Invitations
            | Self::Preferences
            | Self::Features => organisation.teams().map(|team| team.id.to_string()).collect(),
        }
    }
}

/// The requests that a fault affects.
#[derive(Debug, Clone)]
pub enum Times {
    Always,
    First(u64),
    FirstOfEachPath(u64),
    After(u64),
}

/// One fault of a script.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub fault: Fault,
    /// The affected list; `None` affects the check of the credentials.
    pub list: Option<List>,
    /// The index of the only affected parent; `None` affects the lists of all parents.
    pub parent: Option<usize>,
    pub times: Times,
}

impl Trouble {
    fn pattern(&self, organisation: &Organisation) -> String {
        let Some(list) = self.list else { return "/account".to_owned() };
        let parents = list.parents(organisation);
        let parent = self.parent.and_then(|number| parents.get(number.checked_rem(parents.len())?));
        list.path(parent.map(String::as_str))
    }

    /// Whether the fault affects a list of a parent.
    pub fn concerns(&self, organisation: &Organisation, list: List, parent: Option<&str>) -> bool {
        let pattern = self.pattern(organisation);
        pattern == list.path(None) || pattern == list.path(parent)
    }

    /// Whether the fault adds an invalid object to a list of this kind.
    pub fn adds_refused(&self, list: List) -> bool {
        self.list == Some(list) && matches!(&self.fault, Fault::Status(reply) if reply.body == refused().body)
    }

    /// Activates the fault.
    pub fn begin(&self, heroku: &FakeHeroku) {
        let rule: FaultRule = self.fault.clone().on(&self.pattern(heroku.organisation()));
        heroku.fault(match self.times {
            Times::Always => rule,
            Times::First(times) => rule.first(times),
            Times::FirstOfEachPath(times) => rule.first_of_each_path(times),
            Times::After(times) => rule.after(times),
        });
    }

    /// The number of attempts that the fault can spoil; 0 if the response remains usable.
    pub fn spoils(&self) -> u64 {
        let times = match self.times {
            Times::First(times) | Times::FirstOfEachPath(times) => times,
            Times::Always | Times::After(_) => u64::MAX,
        };
        match &self.fault {
            Fault::DuplicatedItems | Fault::WrongContentType(_) | Fault::SplitCharacters => 0,
            Fault::ConnectionReset | Fault::TruncatedBody { .. } | Fault::MalformedJson | Fault::EmptyBody => times,
            Fault::Status(reply) => match reply.status.as_u16() {
                408 | 429 | 500.. => times,
                // A foreign body ends the request at its second failed attempt, whatever the first failure was.
                200 if reply.header("content-type").is_some_and(|media| media.starts_with("text/html")) => {
                    2_u64.saturating_mul(times)
                }
                _ => u64::MAX,
            },
            // The remaining faults mislead the client permanently or are detected only by a time limit.
            _ => u64::MAX,
        }
    }

    /// Whether only a time limit can detect the fault.
    pub fn is_silence(&self) -> bool {
        matches!(self.fault, Fault::NoAnswer | Fault::Stall { .. })
    }
}

/// A replacement list with an element whose key is invalid.
fn refused() -> Reply {
    Reply::json(200, &json!([{"id": "", "name": "nameless", "user": {"id": "", "email": "nobody@wren.example.com"}}]))
}

fn answers() -> impl Strategy<Value = Fault> {
    let statuses = [400, 401, 402, 403, 404, 408, 409, 410, 416, 418, 422, 429, 500, 502, 503, 504];
    let told = |status: u16| Fault::Status(Reply::json(status, &json!({"id": "trouble", "message": "Not this time."})));
    let bare = [204, 301, 302, 304, 403, 429, 500, 503];
    let bodies = [json!({"id": "x"}), json!("x"), json!(null), json!([{"id": [7]}]), json!([null]), json!([[]])];
    prop_oneof![
        6 => proptest::sample::select(statuses.to_vec()).prop_map(told),
        1 => proptest::sample::select(bare.to_vec()).prop_map(|status| Fault::Status(Reply::empty(status))),
        1 => Just(Fault::Status(Reply::json(429, &json!({"id": "rate_limit"})).with_header("retry-after", "1"))),
        1 => Just(Fault::Status(Reply::html(503, "<h1>Application error</h1>"))),
        1 => Just(Fault::Status(Reply::html(200, "<h1>Down for maintenance</h1>"))),
        2 => proptest::sample::select(bodies.to_vec()).prop_map(|body| Fault::Status(Reply::json(200, &body))),
    ]
}

fn faults() -> impl Strategy<Value = Fault> {
    let body = (2..9_000_u64, any::<bool>()).prop_map(|(bytes, announced)| Fault::BodyOf { bytes, announced });
    prop_oneof![
        10 => answers(),
        2 => Just(Fault::ConnectionReset),
        2 => (0..900_usize).prop_map(|after| Fault::TruncatedBody { after }),
        1 => Just(Fault::MalformedJson),
        1 => Just(Fault::EmptyBody),
        1 => Just(Fault::WrongContentType("text/plain".into())),
        1 => Just(Fault::SplitCharacters),
        1 => body,
        2 => Just(Fault::RepeatedNextRange),
        2 => Just(Fault::CircularNextRange),
        3 => Just(Fault::DuplicatedItems),
    ]
}

fn times() -> impl Strategy<Value = Times> {
    prop_oneof![
        3 => Just(Times::Always),
        3 => (1..8_u64).prop_map(Times::First),
        3 => (1..4_u64).prop_map(Times::FirstOfEachPath),
        2 => (0..6_u64).prop_map(Times::After),
    ]
}

fn troubles() -> impl Strategy<Value = Trouble> {
    let lists = proptest::sample::select(List::ALL.to_vec());
    let place = prop_oneof![40 => lists.prop_map(Some), 1 => Just(None)];
    let silence = (0..300_usize).prop_map(|after| Fault::Stall { after, pause: None });
    let silence = prop_oneof![Just(Fault::NoAnswer), silence];
    // Time limits cost test time, so such faults are rare and short.
    let fault_and_times = prop_oneof![
        40 => (faults(), times()),
        1 => (silence, (1..3_u64).prop_map(Times::First)),
    ];
    let parent = || prop_oneof![1 => Just(None), 2 => (0..64_usize).prop_map(Some)];
    let trouble = (fault_and_times, place, parent()).prop_map(|((fault, times), list, parent)| Trouble {
        fault,
        list,
        parent,
        times,
    });
    // Other lists refer to objects by key, so an element without a valid key would not become an object there.
    let lists = List::OF_KEYS.to_vec();
    let refused = (proptest::sample::select(lists), times(), parent()).prop_map(|(list, times, parent)| {
        let (fault, list) = (Fault::Status(refused()), Some(list));
        Trouble { fault, list, parent, times }
    });
    prop_oneof![8 => trouble, 1 => refused]
}

/// Scripts of up to five faults; a few are empty.
pub fn scripts() -> impl Strategy<Value = Vec<Trouble>> {
    proptest::collection::vec(troubles(), 0..6)
}
