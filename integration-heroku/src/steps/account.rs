//! The step `fetch-account`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::Account;

/// Emits the enterprise accounts of the key's owner.
#[step(id = "fetch-account", name = "Fetch enterprise accounts", scopes("read"))]
pub async fn fetch_account(api: Client<Heroku>, accounts: Emit<Account>) -> StepResult {
    let mut listing = api.enterprise_accounts();
    while let Some(account) = listing.try_next().await? {
        let is_stand_in = account.is_stand_in();
        let (account, raw) = account.into_parts();
        let account = Account::from(account).with_raw(raw);
        if is_stand_in {
            accounts.quarantine(account).await?;
        } else {
            accounts.add(account).await?;
        }
    }
    Ok(())
}
