//! The steps, from requests to emitted objects.

use integration_sdk::prelude::*;

use crate::client::Api;
use crate::types::User;

/// Emits the people of the account.
#[step(id = "fetch-users", name = "Fetch users")]
pub async fn fetch_users(api: Client<Api>, users: Emit<User>) -> StepResult {
    let mut listing = api.users();
    while let Some(user) = listing.try_next().await? {
        let (body, raw) = user.into_parts();
        users.add(User::from(body).with_raw(raw)).await?;
    }
    Ok(())
}
