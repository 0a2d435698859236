//! The parameter `People`, which finds the entity of a person.

use std::collections::{BTreeMap, HashMap};

use integration_sdk::prelude::*;
use integration_sdk::step::{Declaration, Parameter, StepContext};

use crate::types::{Account, AccountMember, User};

/// The reason why a person has no entity for now.
pub(super) const MAY_BE_MEMBERS: &str = "these people may be among the account members that were not collected";

/// Finds the entities of people. As a parameter, it declares that the step may emit users outside the accounts.
///
/// A person is outside only if the members of all accounts were collected. Otherwise an unknown person may be a member,
/// so the person has no entity, and the summary reports a gap. The same rule applies in every step, and users are
/// merged, so the graph does not depend on the step that meets a person first.
pub struct People {
    accounts: Read<Subscription>,
    members: Known<AccountMember>,
    users: Emit<User>,
}

/// A view of an account: its existence is enough.
#[derive(EntityView)]
#[entity(of = Account)]
struct Subscription {
    #[entity(key)]
    #[allow(dead_code, reason = "a view has a key")]
    id: String,
}

/// The entity of a person.
pub(super) enum Person {
    /// A member of an enterprise account.
    Member(EntityRef<AccountMember>),
    /// A person in no enterprise account.
    Outside(EntityRef<User>),
}

impl Parameter for People {
    fn declare(declaration: &mut Declaration) {
        Read::<Subscription>::declare(declaration);
        Known::<AccountMember>::declare(declaration);
        Emit::<User>::declare(declaration);
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self {
            accounts: Read::bind(context).await?,
            members: Known::bind(context).await?,
            users: Emit::bind(context).await?,
        })
    }
}

impl People {
    /// Returns the entities of people by their ids, and emits those of users outside the accounts.
    pub(super) async fn find(&self, people: impl IntoIterator<Item = User>) -> StepResult<HashMap<String, Person>> {
        let people: BTreeMap<String, User> = people.into_iter().map(|person| (person.id.clone(), person)).collect();
        let members = self.members.known(people.keys().map(String::as_str)).await?;
        let has_all_members = self.members.is_complete().await?;
        let has_accounts = has_all_members && !self.accounts.is_empty().await?;
        let mut found = HashMap::new();
        for (id, person) in people {
            if members.contains(&id) {
                found.insert(id.clone(), Person::Member(EntityRef::new(id)));
            } else if has_all_members {
                self.users.add(person.outside_of_accounts(has_accounts)).await?;
                found.insert(id.clone(), Person::Outside(EntityRef::new(id)));
            } else {
                self.users.miss(MAY_BE_MEMBERS, person.name);
            }
        }
        Ok(found)
    }
}
