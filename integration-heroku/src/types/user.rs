//! The type `heroku_user`.

use std::collections::BTreeSet;

use integration_sdk::EntityKind;

use super::member::{address_parts, names, untagged};
use crate::resource;

/// A person in no enterprise account, such as an external collaborator. All descriptions are merged into one entity.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_user", class = "User", resource = "External User", merge)]
pub struct User {
    /// The id of the person; memberships have different ids.
    #[entity(key)]
    pub id: String,
    /// The e-mail address, which serves as the name; the id if the API returns no address.
    #[entity(display_name)]
    pub name: String,
    /// The e-mail address with which the person signs in.
    pub username: Option<String>,
    /// The e-mail address of the person, in lower case.
    pub email: Option<String>,
    /// The e-mail address without its tag, if it has one: `ada@example.com` for `ada+ops@example.com`.
    pub untagged_email: Option<String>,
    /// The domain of the e-mail address, after the `@`.
    pub email_domain: BTreeSet<String>,
    /// The local part of the e-mail address, before the `@`.
    pub short_login_id: Option<String>,
    /// The first name, if the list of a team contains the full name.
    pub first_name: Option<String>,
    /// The last name, if the list of a team contains the full name.
    pub last_name: Option<String>,
    /// Whether sign-in requires a second factor; only the lists of team members contain it.
    pub mfa_enabled: Option<bool>,
    /// Whether the person belongs to no enterprise account; true, or absent if no account was collected.
    pub external: Option<bool>,
    /// Whether the person is active; always true for a person with access.
    pub active: bool,
}

impl User {
    /// Creates a person from a reference.
    pub fn new(user: resource::User) -> Self {
        let (short_login_id, domain) = user.email.as_deref().map(address_parts).unwrap_or_default();
        let (first_name, last_name) = names(user.name.as_deref());
        Self {
            name: user.email.clone().unwrap_or_else(|| user.id.clone()),
            username: user.email.clone(),
            email_domain: domain.into_iter().collect(),
            short_login_id,
            first_name,
            last_name,
            mfa_enabled: None,
            external: None,
            active: true,
            id: user.id,
            untagged_email: user.email.as_deref().and_then(untagged),
            email: user.email.map(|email| email.to_lowercase()),
        }
    }

    /// Sets whether the person is outside the enterprise accounts. Without an account, nobody is inside or outside.
    #[must_use]
    pub fn outside_of_accounts(self, has_accounts: bool) -> Self {
        Self { external: has_accounts.then_some(true), ..self }
    }

    /// Sets whether sign-in requires a second factor.
    #[must_use]
    pub fn with_second_factor(self, required: Option<bool>) -> Self {
        Self { mfa_enabled: required, ..self }
    }
}
