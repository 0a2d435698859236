//! The types of the graph.

use std::collections::BTreeSet;

use integration_sdk::prelude::*;

/// A person in the directory of the organisation.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "directory_person", class = "Person", resource = "Person")]
pub struct DirectoryPerson {
    /// The id in the directory, or the e-mail address of a person without a unique one.
    #[entity(key)]
    pub key: String,
    /// The full name; the e-mail address if the directory has no name.
    pub name: String,
    /// The e-mail address, in lower case.
    pub email: String,
    /// The further e-mail addresses, in lower case.
    pub aliases: BTreeSet<String>,
    /// The domains of all addresses.
    pub email_domain: BTreeSet<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The id of the person in the directory.
    pub employee_id: Option<String>,
    /// The manager: the e-mail address if the directory contains the manager, or else the text of the directory.
    pub manager: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The job title.
    pub title: Option<String>,
    /// The status as written in the directory.
    pub status: Option<String>,
    /// Whether the person belongs to the organisation; false after the end date; absent if the status is unknown.
    pub active: Option<bool>,
    /// The first day.
    pub start_on: Option<Timestamp>,
    /// The last day.
    pub end_on: Option<Timestamp>,
}

relationship!(
    /// The manager of a person.
    pub PersonManagesPerson: DirectoryPerson -[MANAGES]-> DirectoryPerson
);

mapped_relationship!(
    /// The login of a person in any other integration.
    pub PersonIsUser: DirectoryPerson -[IS]-> "user" User by ["email"]
);
