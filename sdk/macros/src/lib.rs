//! The derives and the attribute of `integration-sdk`; use them through that crate.
#![deny(missing_docs)]

mod config;
mod entity;
mod properties;
mod step;
mod view;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// Makes a struct an entity type: its fields are the properties, in camel case.
///
/// | attribute of the struct | meaning |
/// | --- | --- |
/// | `type = "acme_team"` | the `_type` |
/// | `class = "Team"` | the `_class`; may be repeated |
/// | `resource = "Team"` | the name for people, in generated documentation |
/// | `merge` | several descriptions of one entity are merged, so several steps may emit the type |
///
/// | attribute of a field | meaning |
/// | --- | --- |
/// | `key` | the `_key`; exactly one field has it |
/// | `display_name` | the `displayName`, instead of the field `display_name`, `name`, or the key |
/// | `rename = "startOn"` | the name of the property |
///
/// A field can have any type that implements `Property`. The doc comments become the descriptions in the schema and in
/// generated documentation.
///
/// ```
/// use integration_sdk::prelude::*;
///
/// /// A team of an account.
/// #[derive(EntityKind)]
/// #[entity(type = "acme_team", class = "Team", class = "UserGroup", resource = "Team")]
/// struct Team {
///     /// The id that Acme assigned.
///     #[entity(key)]
///     id: String,
///     /// The name.
///     name: String,
///     /// The time of its creation.
///     created_on: Timestamp,
///     /// The number of seats, if it is limited.
///     #[entity(rename = "maxUsers")]
///     seats: Option<i64>,
/// }
/// let team = Team { id: "t1".into(), name: "Engine".into(), created_on: Timestamp::from_millis(0), seats: Some(5) };
/// let json = team.to_entity().into_json();
/// assert_eq!((&json["_key"], &json["displayName"]), (&"t1".into(), &"Engine".into()));
/// assert_eq!((&json["createdOn"], &json["maxUsers"]), (&0.into(), &5.into()));
/// assert_eq!(Team::declaration().schema["properties"]["name"]["description"], "The name.");
/// ```
///
/// A struct without a key does not compile:
///
/// ```compile_fail
/// # use integration_sdk::prelude::*;
/// #[derive(EntityKind)]
/// #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// struct Team { id: String, name: String }
/// ```
///
/// Objects are flat, so a property cannot have the type of another struct:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// struct Owner { email: String }
///
/// #[derive(EntityKind)]
/// #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// struct Team { #[entity(key)] id: String, owner: Owner }
/// ```
#[proc_macro_derive(EntityKind, attributes(entity))]
pub fn derive_entity(input: TokenStream) -> TokenStream {
    expand(entity::expand(parse_macro_input!(input)))
}

/// Makes a struct a view of an entity type, for steps that read some of its properties.
///
/// The fields have the names and types of those of the entity. On the struct: `#[entity(of = Team)]`. On a field: `key`,
/// and `rename = "..."` if the field of the entity has it.
///
/// ```
/// use integration_sdk::prelude::*;
///
/// /// A team of an account.
/// #[derive(EntityKind)]
/// #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// struct Team { #[entity(key)] id: String, name: String, created_on: Timestamp, lead: Option<String> }
///
/// /// The lead of a team.
/// #[derive(EntityView)]
/// #[entity(of = Team)]
/// struct Lead { #[entity(key)] id: String, lead: Option<String> }
///
/// /// Reads two of the four properties.
/// #[step(id = "link-leads", name = "Link leads")]
/// async fn link_leads(teams: Read<Lead>) -> StepResult {
///     let mut teams = teams.stream();
///     while let Some(team) = teams.try_next().await? {
///         println!("{} leads {}", team.lead.as_deref().unwrap_or("nobody"), team.id);
///     }
///     Ok(())
/// }
/// assert_eq!(link_leads().declaration().reads, [Team::object_type()].into());
/// ```
///
/// A field that the entity lacks does not compile, and neither does a field of another type:
///
/// ```compile_fail,E0609
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # struct Team { #[entity(key)] id: String, lead: Option<String> }
/// #[derive(EntityView)]
/// #[entity(of = Team)]
/// struct Lead { #[entity(key)] id: String, leader: Option<String> }
/// ```
///
/// ```compile_fail,E0308
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # struct Team { #[entity(key)] id: String, lead: Option<String> }
/// #[derive(EntityView)]
/// #[entity(of = Team)]
/// struct Lead { #[entity(key)] id: String, lead: String }
/// ```
#[proc_macro_derive(EntityView, attributes(entity))]
pub fn derive_view(input: TokenStream) -> TokenStream {
    expand(view::expand(parse_macro_input!(input)))
}

/// Makes a struct the properties of a relationship type; `relationship!` applies it.
///
/// ```
/// use integration_sdk::graph::RelationshipProperties as _;
///
/// #[derive(integration_sdk::RelationshipProperties)]
/// struct Membership {
///     /// The role in the team.
///     role: String,
/// }
/// assert_eq!(Membership::schema()["properties"]["role"]["type"], "string");
/// ```
#[proc_macro_derive(RelationshipProperties, attributes(entity))]
pub fn derive_relationship_properties(input: TokenStream) -> TokenStream {
    expand(properties::expand_relationship(parse_macro_input!(input)))
}

/// Makes a struct a configuration: each field is read from a variable.
///
/// On a field: `default = "..."`. The first paragraph of its documentation is its help text. The field `api_token` of
/// the integration `acme` is read from `ACME_API_TOKEN` or `API_TOKEN`.
///
/// ```
/// use integration_sdk::config::{Config as _, SecretString, Url, Values};
/// use integration_sdk::prelude::*;
///
/// #[derive(Config)]
/// struct AcmeConfig {
///     /// An API token with the scope `read`.
///     api_token: SecretString,
///     /// The address of the API.
///     #[config(default = "https://api.acme.example")]
///     api_url: Url,
/// }
/// let values = Values::new("acme", [("ACME_API_TOKEN".to_owned(), "s3cret".to_owned())]);
/// let config = AcmeConfig::read(&values)?;
/// assert_eq!(config.api_url.host_str(), Some("api.acme.example"));
/// # Ok::<(), integration_sdk::config::ConfigError>(())
/// ```
///
/// A field must have a type that can be read from a variable:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// #[derive(Config)]
/// struct AcmeConfig { regions: Vec<String> }
/// ```
#[proc_macro_derive(Config, attributes(config))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    expand(config::expand(parse_macro_input!(input)))
}

/// Makes an async function a step: its parameters declare its inputs and outputs.
///
/// | argument | meaning |
/// | --- | --- |
/// | `id = "fetch-teams"` | the id, for `--step` and for summaries |
/// | `name = "Fetch teams"` | the name for people |
/// | `scopes("read", "teams")` | the OAuth scopes or permissions that its requests need |
/// | `source = "teams"` | the ingestion source with which users switch the step on or off |
/// | `after("fetch-account")` | steps to wait for although nothing of them is read |
///
/// All except `id` and `name` are optional. The result is a function without parameters that returns the step. The doc
/// comment becomes its description.
///
/// ```
/// use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # struct Team { #[entity(key)] id: String, name: String }
///
/// /// Emits the teams.
/// #[step(id = "fetch-teams", name = "Fetch teams", scopes("read"), after("fetch-account"))]
/// async fn fetch_teams(teams: Emit<Team>) -> StepResult {
///     teams.add(Team { id: "t1".into(), name: "Engine".into() }).await?;
///     Ok(())
/// }
///
/// let step = fetch_teams();
/// assert_eq!(step.declaration().name, "Fetch teams");
/// assert_eq!(step.declaration().emits(), [Team::object_type()].into());
/// ```
///
/// A step is an `async fn`:
///
/// ```compile_fail
/// # use integration_sdk::prelude::*;
/// #[step(id = "fetch-teams", name = "Fetch teams")]
/// fn fetch_teams() -> StepResult { Ok(()) }
/// ```
///
/// It returns `StepResult`:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// #[step(id = "fetch-teams", name = "Fetch teams")]
/// async fn fetch_teams() -> Result<(), String> { Ok(()) }
/// ```
///
/// It receives its parameters by value:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # struct Team { #[entity(key)] id: String }
/// #[step(id = "fetch-teams", name = "Fetch teams")]
/// async fn fetch_teams(teams: &Emit<Team>) -> StepResult { Ok(()) }
/// ```
///
/// A step may move between threads at each `await`, so it must not hold a value that cannot, such as an `Rc`:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # struct Team { #[entity(key)] id: String }
/// #[step(id = "count-teams", name = "Count teams")]
/// async fn count_teams(teams: Read<Team>) -> StepResult {
///     let count = std::rc::Rc::new(1);
///     teams.is_empty().await?;
///     drop(count);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn step(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(step::expand(parse_macro_input!(attribute), parse_macro_input!(item)))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// The documentation of an item, as one line.
fn documentation(attributes: &[syn::Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let paragraph: Vec<String> = lines.skip_while(String::is_empty).take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}
