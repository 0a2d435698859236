//! The type `heroku_account_member`.

use std::collections::BTreeSet;

use integration_sdk::EntityKind;

use crate::resource;

/// A person in one or more enterprise accounts. All memberships of a person are merged into one entity.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_account_member", class = "User", resource = "User", merge)]
pub struct AccountMember {
    /// The id of the person; memberships have different ids.
    #[entity(key)]
    pub id: String,
    /// The e-mail address, which serves as the name.
    #[entity(display_name)]
    pub name: String,
    /// The e-mail address with which the person signs in.
    pub username: String,
    /// The e-mail address of the person, in lower case.
    pub email: String,
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
    /// Whether sign-in requires a second factor.
    pub mfa_enabled: Option<bool>,
    /// The permissions in the enterprise accounts: `view`, `create`, `manage`, `billing`.
    pub permissions: BTreeSet<String>,
    /// The identity provider through which the person signs in.
    pub sso_provider: Option<String>,
    /// The ids of all enterprise accounts that the person belongs to.
    pub enterprise_account_id: BTreeSet<String>,
    /// Whether the person is active; always true for a member of an enterprise account.
    pub active: bool,
}

impl AccountMember {
    /// Creates a person from one membership.
    pub fn new(membership: resource::EnterpriseMember, enterprise_account_id: &str) -> Self {
        let resource::Person { id, email, name } = membership.user;
        let (short_login_id, domain) = address_parts(&email);
        let (first_name, last_name) = names(name.as_deref());
        Self {
            id,
            name: email.clone(),
            username: email.clone(),
            email_domain: domain.into_iter().collect(),
            short_login_id,
            first_name,
            last_name,
            mfa_enabled: membership.two_factor_authentication,
            permissions: membership
                .permissions
                .into_iter()
                .flatten()
                .filter_map(|permission| permission.name)
                .collect(),
            sso_provider: resource::name_of(membership.identity_provider),
            enterprise_account_id: BTreeSet::from([enterprise_account_id.to_owned()]),
            active: true,
            untagged_email: untagged(&email),
            email: email.to_lowercase(),
        }
    }
}

/// Splits an e-mail address into the local part and the domain.
pub(super) fn address_parts(email: &str) -> (Option<String>, Option<String>) {
    email.rsplit_once('@').map(|(login, domain)| (login.to_owned(), domain.to_owned())).unzip()
}

/// Returns an address in lower case without the tag between `+` and `@`; `None` if it has no tag.
pub(super) fn untagged(email: &str) -> Option<String> {
    let (login, domain) = email.rsplit_once('@')?;
    let (mailbox, _) = login.split_once('+').filter(|(mailbox, _)| !mailbox.is_empty())?;
    Some(format!("{mailbox}@{domain}").to_lowercase())
}

/// Splits a full name into first and last name. A single word becomes the first name.
pub fn names(full: Option<&str>) -> (Option<String>, Option<String>) {
    let full = full.map(str::trim).filter(|name| !name.is_empty());
    match full.map(|name| name.split_once(char::is_whitespace).ok_or(name)) {
        Some(Ok((first, last))) => (Some(first.to_owned()), Some(last.trim_start().to_owned())),
        Some(Err(only)) => (Some(only.to_owned()), None),
        None => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use integration_sdk::serde_json::{self, json};

    use super::*;

    fn some(first: &str, last: Option<&str>) -> (Option<String>, Option<String>) {
        (Some(first.to_owned()), last.map(str::to_owned))
    }

    #[test]
    fn an_address_without_its_tag_is_that_of_the_mailbox() {
        assert_eq!(untagged("Ada+ops+1@Example.com").as_deref(), Some("ada@example.com"));
        assert_eq!(
            (untagged("ada@example.com"), untagged("+ops@example.com"), untagged("ada+ops")),
            (None, None, None)
        );
    }

    #[test]
    fn addresses_are_compared_in_lower_case_and_names_stay_as_written() {
        let membership = json!({"id": "m1", "user": {"id": "u1", "email": "Ada@Example.com"}});
        let member = AccountMember::new(serde_json::from_value(membership).expect("a membership"), "a1");
        assert_eq!((member.email.as_str(), member.name.as_str()), ("ada@example.com", "Ada@Example.com"));
    }

    #[test]
    fn names_are_told_apart_and_never_invented() {
        assert_eq!(names(Some("Ada Lovelace")), some("Ada", Some("Lovelace")));
        assert_eq!(names(Some(" Vincent  van Gogh ")), some("Vincent", Some("van Gogh")));
        assert_eq!(names(Some("Björk")), some("Björk", None));
        assert_eq!(names(Some("  ")), (None, None));
        assert_eq!(names(None), (None, None));
    }
}
