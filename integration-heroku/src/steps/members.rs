//! The step `fetch-members`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{Account, AccountHasMember, AccountMember};

/// Emits the people of every enterprise account.
#[step(id = "fetch-members", name = "Fetch members", scopes("read"))]
pub async fn fetch_members(
    api: Client<Heroku>,
    accounts: Follow<Account>,
    members: Emit<AccountMember>,
    has: Emit<AccountHasMember>,
) -> StepResult {
    accounts.for_each_concurrent(|account| members_of(account, &api, &members, &has)).await
}

async fn members_of(
    account: Account,
    api: &Heroku,
    members: &Emit<AccountMember>,
    has: &Emit<AccountHasMember>,
) -> StepResult {
    let mut listing = api.enterprise_members(&account.id);
    while let Some(membership) = listing.try_next().await? {
        let (membership, raw) = membership.into_parts();
        let member = AccountMember::new(membership, &account.id);
        // A person can be a member of several accounts. Naming the raw data after the account preserves all of them on
        // the one entity.
        let draft = Draft::from(member).with_raw_named(format!("member of {}", account.id), raw);
        let member = members.add(draft).await?;
        has.add(&account, &member).await?;
    }
    Ok(())
}
