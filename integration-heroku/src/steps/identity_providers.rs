//! The step `fetch-identity-providers`.

use std::collections::BTreeMap;

use integration_sdk::REDACTED;
use integration_sdk::graph::ObjectKey;
use integration_sdk::prelude::*;
use integration_sdk::step::{Parent, StepContext};

use crate::client::Heroku;
use crate::types::{
    Account, AccountUsesIdentityProvider, IdentityProvider, IdentityProviderHasCertificate, ProviderCertificate, Team,
    TeamUsesIdentityProvider, fingerprint,
};

/// A view of an account with its identity provider.
#[derive(EntityView)]
#[entity(of = Account)]
pub struct AccountSignIn {
    #[entity(key)]
    id: String,
    sso_provider_id: Option<String>,
}

/// A view of a team with its identity provider.
#[derive(EntityView)]
#[entity(of = Team)]
pub struct TeamSignIn {
    #[entity(key)]
    id: String,
    sso_provider_id: Option<String>,
}

/// The accounts and teams that sign in through one identity provider.
#[derive(Default)]
struct Users {
    accounts: Vec<String>,
    teams: Vec<String>,
}

/// Emits the identity providers of accounts and teams, with one request for each.
///
/// The API lists none, so the step requests those that accounts and teams refer to. A gap is limited to the first
/// account or team that refers to the identity provider.
#[step(id = "fetch-identity-providers", name = "Fetch identity providers", scopes("read"))]
#[allow(clippy::too_many_arguments, reason = "the parameters of a step are its declaration")]
pub async fn fetch_identity_providers(
    context: StepContext,
    api: Client<Heroku>,
    accounts: Read<AccountSignIn>,
    teams: Read<TeamSignIn>,
    providers: Emit<IdentityProvider>,
    certificates: Emit<ProviderCertificate>,
    has: Emit<IdentityProviderHasCertificate>,
    by_account: Emit<AccountUsesIdentityProvider>,
    by_team: Emit<TeamUsesIdentityProvider>,
) -> StepResult {
    let mut used: BTreeMap<String, Users> = BTreeMap::new();
    let mut stream = accounts.stream();
    while let Some(AccountSignIn { id, sso_provider_id }) = stream.try_next().await? {
        sso_provider_id.into_iter().for_each(|provider| used.entry(provider).or_default().accounts.push(id.clone()));
    }
    let mut stream = teams.stream();
    while let Some(TeamSignIn { id, sso_provider_id }) = stream.try_next().await? {
        sso_provider_id.into_iter().for_each(|provider| used.entry(provider).or_default().teams.push(id.clone()));
    }
    for (id, users) in used {
        let parent = match (users.accounts.first(), users.teams.first()) {
            (Some(account), _) => (Account::object_type(), account),
            (None, Some(team)) => (Team::object_type(), team),
            (None, None) => continue,
        };
        let Ok(key) = ObjectKey::new(parent.1.clone()) else { continue };
        let parent = Parent { object_type: parent.0, key };
        let fetch = async {
            let provider = fetch(&id, &api, &providers, &certificates, &has).await?;
            for account in &users.accounts {
                by_account.add(&EntityRef::new(account), &provider).await?;
            }
            for team in &users.teams {
                by_team.add(&EntityRef::new(team), &provider).await?;
            }
            Ok(())
        };
        context.partition(parent, fetch).await?;
    }
    Ok(())
}

/// Emits one identity provider with its certificates. A certificate that cannot be decoded is a gap.
async fn fetch(
    id: &str,
    api: &Heroku,
    providers: &Emit<IdentityProvider>,
    certificates: &Emit<ProviderCertificate>,
    has: &Emit<IdentityProviderHasCertificate>,
) -> StepResult<IdentityProvider> {
    let (provider, raw) = api.identity_provider(id).await?.into_parts();
    let listed = provider.certificates.as_deref().unwrap_or_default();
    let known: Vec<_> = listed.iter().map(|certificate| ProviderCertificate::new(certificate, &provider)).collect();
    for certificate in listed {
        let body = certificate.body.as_deref().filter(|body| *body != REDACTED);
        if body.is_some_and(|body| fingerprint(body).is_none()) {
            certificates.miss("the fingerprints of certificates that cannot be decoded", &certificate.id);
        }
    }
    let provider = providers.add(IdentityProvider::new(provider, &known).with_raw(raw)).await?;
    for certificate in known {
        let certificate = certificates.add(certificate).await?;
        has.add(&provider, &certificate).await?;
    }
    Ok(provider)
}
