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
/// On the struct: `#[entity(type = "acme_team", class = "Team", resource = "Team")]`, and `merge` if
/// several descriptions of one entity are merged. On a field: `key`, `display_name`, `rename = "..."`.
#[proc_macro_derive(EntityKind, attributes(entity))]
pub fn derive_entity(input: TokenStream) -> TokenStream {
    expand(entity::expand(parse_macro_input!(input)))
}

/// Makes a struct a view of an entity type, for steps that read some of its properties. Fields have the names and types of
/// those of the entity.
///
/// On the struct: `#[entity(of = Team)]`. On a field: `key`, and `rename = "..."` if the field of the entity has it.
#[proc_macro_derive(EntityView, attributes(entity))]
pub fn derive_view(input: TokenStream) -> TokenStream {
    expand(view::expand(parse_macro_input!(input)))
}

/// Makes a struct the properties of a relationship type; `relationship!` applies it.
#[proc_macro_derive(RelationshipProperties, attributes(entity))]
pub fn derive_relationship_properties(input: TokenStream) -> TokenStream {
    expand(properties::expand_relationship(parse_macro_input!(input)))
}

/// Makes a struct a configuration: each field is read from the environment.
///
/// On a field: `default = "..."`. The first sentence of its documentation is its help text.
#[proc_macro_derive(Config, attributes(config))]
pub fn derive_config(input: TokenStream) -> TokenStream {
    expand(config::expand(parse_macro_input!(input)))
}

/// Makes an async function a step: its parameters declare its inputs and outputs.
///
/// `#[step(id = "fetch-teams", name = "Fetch teams", scopes("read"), after("fetch-account"), source = "teams")]`;
/// all except `id` and `name` are optional. The result is a function without parameters that returns the step.
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
