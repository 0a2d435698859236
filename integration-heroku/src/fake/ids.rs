//! Reproducible ids and dates: they derive from names, without a clock and without random numbers.

use std::fmt;

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// Hashes a text to the same number on every machine.
///
/// The algorithm is FNV-1a with the finaliser of SplitMix64.
pub(crate) fn mixed(text: &str, seed: u64) -> u64 {
    let folded = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    finished(folded.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

/// The finaliser of SplitMix64, which spreads every change over all bits.
pub(crate) fn finished(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Derives a UUID from a kind and a name.
pub(crate) fn uuid_of(kind: &str, name: &str) -> Uuid {
    let text = format!("{kind}/{name}");
    let bits = (u128::from(mixed(&text, 1)) << 64) | u128::from(mixed(&text, 2));
    Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

/// Derives a date between 2019 and 2023 from an id.
pub(crate) fn created_at(id: Uuid) -> Timestamp {
    const YEAR_2019: i64 = 1_546_300_800;
    const FIVE_YEARS: u64 = 5 * 365 * 86_400;
    at(YEAR_2019 + (finished(id.as_u128() as u64) % FIVE_YEARS) as i64)
}

/// Derives a date from an id, up to one year after another date.
pub(crate) fn later_than(earlier: Timestamp, id: Uuid) -> Timestamp {
    const YEAR: u64 = 365 * 86_400;
    at(earlier.as_second() + (finished((id.as_u128() >> 64) as u64) % YEAR) as i64)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident from $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Derives the id from a name.
            pub fn derived(name: &str) -> Self {
                Self(uuid_of($kind, name))
            }

            /// The UUID of the id.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// The id of an enterprise account.
    AccountId from "account";
    /// The id of a membership in an enterprise account, which differs from the person's id.
    AccountMembershipId from "account-membership";
    /// The id of a team.
    TeamId from "team";
    /// The id of a membership in a team, which differs from the person's id.
    TeamMembershipId from "team-membership";
    /// The id of a person, which bodies contain as `user.id`.
    PersonId from "person";
    /// The id of an app.
    AppId from "app";
    /// The id of an add-on.
    AddonId from "addon";
    /// The id of a service of which there are add-ons.
    AddonServiceId from "addon-service";
    /// The id of a private space.
    SpaceId from "space";
    /// The id of an identity provider.
    IdentityProviderId from "identity-provider";
    /// The id of a pipeline.
    PipelineId from "pipeline";
    /// The id of a coupling of an app and a pipeline.
    CouplingId from "pipeline-coupling";
    /// The id of an attachment of an add-on.
    AttachmentId from "addon-attachment";
    /// The id of an invitation to a team.
    InvitationId from "team-invitation";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_follows_from_kind_and_name() {
        assert_eq!(TeamId::derived("a"), TeamId::derived("a"));
        assert_ne!(TeamId::derived("a").uuid(), AppId::derived("a").uuid());
        assert_ne!(TeamId::derived("a"), TeamId::derived("b"));
        assert_eq!(TeamId::derived("a").uuid().get_version_num(), 4);
    }

    #[test]
    fn an_id_never_changes() {
        assert_eq!(PersonId::derived("a").to_string(), "196a1860-7af3-45de-a39c-7a5c88a014d8");
    }
}
