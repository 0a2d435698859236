//! The relationships that give access, for path finding.
//!
//! A path answers "who can reach this?" only if each of its edges means real access. Most relationships do not: a member
//! of a team with the permission to view has no access to what the team owns, and the network that an application runs in
//! gives no access to it. The rules concern classes and properties of the data model, not a provider:
//!
//! | relationship | gives access if |
//! | --- | --- |
//! | a group HAS or CONTAINS a person | the person administers the group, or the group passes its access to all members |
//! | a group HAS or CONTAINS a group | always: the administrator of the outer one administers the inner one |
//! | a group or a person OWNS or MANAGES | always |
//! | a person ASSIGNED | a permission is one of [`CONTROL`], the person is the owner, or permissions are not known |
//! | a group ASSIGNED | the same |
//! | an application HAS or USES something that is no person and no group | always: it has the credentials |
//! | any other | never |

use integration_graph::{Values, json_string};
use integration_sink::Record;

use crate::labels::member;

/// The classes of entities that act on their own.
const PRINCIPALS: [&str; 2] = ["User", "Person"];
/// The classes of entities that have members.
const GROUPS: [&str; 6] = ["Account", "Team", "Group", "UserGroup", "Organization", "AccessRole"];
/// The groups that pass their access to all members. Members of the others have access of their own.
const SHARING: [&str; 3] = ["Group", "UserGroup", "AccessRole"];
/// The classes of entities that hold the credentials of what they use.
const WORKLOADS: [&str; 4] = ["Application", "Function", "Host", "Workload"];
/// The classes of relationships between a group and its members.
const MEMBERSHIP: [&str; 2] = ["HAS", "CONTAINS"];
/// The roles and permissions that administer a group.
const ADMINISTRATORS: [&str; 6] = ["admin", "administrator", "manage", "manager", "owner", "superadmin"];
/// The permissions that change a resource or read its secrets.
const CONTROL: [&str; 13] = [
    "admin",
    "administrator",
    "deploy",
    "edit",
    "editor",
    "maintain",
    "manage",
    "manager",
    "operate",
    "owner",
    "push",
    "superadmin",
    "write",
];

/// The part that an entity can have in a relationship.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Party {
    is_principal: bool,
    is_group: bool,
    shares_access: bool,
    is_workload: bool,
    /// Whether the person has the permissions of an administrator in some group.
    administers: bool,
}

/// The meaning of a membership for the access of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    /// The person administers the group.
    Administers,
    /// The person has the access of the group.
    SharesAccess,
    /// The person has a role that gives no access by itself.
    HasRole,
    /// The person has the permissions of an administrator, in this group or in another one.
    Undecided,
}

impl Party {
    pub(crate) fn of(record: &Record, classes: &[String]) -> Self {
        let is_one_of = |names: &[&str]| classes.iter().any(|class| names.contains(&class.as_str()));
        let permissions = texts(record, "\"permissions\"").unwrap_or_default();
        Self {
            is_principal: is_one_of(&PRINCIPALS),
            is_group: is_one_of(&GROUPS),
            shares_access: is_one_of(&SHARING),
            is_workload: is_one_of(&WORKLOADS),
            administers: contains_one(&permissions, &ADMINISTRATORS),
        }
    }
}

/// Returns the meaning of a relationship from a group to a person; `None` of any other relationship.
pub(crate) fn membership(class: &str, record: &Record, from: Party, to: Party) -> Option<Membership> {
    if !MEMBERSHIP.contains(&class) || !from.is_group || !to.is_principal {
        return None;
    }
    let role = member(&record.object.properties, "\"role\"").and_then(json_string);
    let roles: Vec<String> = role.into_iter().map(|role| role.to_lowercase()).collect();
    Some(match (contains_one(&roles, &ADMINISTRATORS), roles.is_empty()) {
        (true, _) => Membership::Administers,
        (false, _) if from.shares_access => Membership::SharesAccess,
        (false, true) if to.administers => Membership::Undecided,
        (false, _) => Membership::HasRole,
    })
}

/// Returns whether a relationship gives its start access to its end.
pub(crate) fn gives_access(class: &str, record: &Record, from: Party, to: Party) -> bool {
    let is_actor = from.is_principal || from.is_group;
    match class {
        "OWNS" | "MANAGES" => is_actor,
        "ASSIGNED" => is_actor && controls(record),
        "HAS" | "CONTAINS" if from.is_group => to.is_group,
        "HAS" | "USES" => from.is_workload && !to.is_principal && !to.is_group,
        _ => false,
    }
}

/// Returns whether an assignment includes more than viewing.
fn controls(record: &Record) -> bool {
    let is_owner = member(&record.object.properties, "\"owner\"") == Some("true");
    is_owner || texts(record, "\"permissions\"").is_none_or(|permissions| contains_one(&permissions, &CONTROL))
}

fn contains_one(texts: &[String], names: &[&str]) -> bool {
    texts.iter().any(|text| names.contains(&text.as_str()))
}

/// Returns the texts of a property in lower case; `None` if the object lacks it.
fn texts(record: &Record, property: &str) -> Option<Vec<String>> {
    let value = member(&record.object.properties, property).filter(|value| *value != "null")?;
    let lower = |value: &str| json_string(value).map(|text| text.to_lowercase());
    match value.starts_with('[') {
        true => Some(Values::within(value).filter_map(lower).collect()),
        false => Some(lower(value).into_iter().collect()),
    }
}
