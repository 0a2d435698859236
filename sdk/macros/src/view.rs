//! `#[derive(EntityView)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Path};

use crate::entity::key_field;
use crate::properties::{self, PropertyField};

pub fn expand(input: DeriveInput) -> syn::Result<TokenStream> {
    let of = viewed(&input)?;
    let fields = properties::fields(&input)?;
    let (ident, key, read) = (&input.ident, &key_field(&input, &fields)?.ident, properties::read(&fields));
    let names = fields.iter().map(|field| &field.name);
    let types = fields.iter().map(|field| &field.ty);
    let values = fields.iter().map(|PropertyField { ident, .. }| quote_spanned!(ident.span()=> &entity.#ident));
    Ok(quote! {
        // A field that is missing in the entity, or has another type there, does not compile.
        const _: fn(&#of) -> (#(&#types,)*) = |entity| (#(#values,)*);
        impl ::integration_sdk::graph::EntityView for #ident {
            type Entity = #of;
            fn entity_type() -> ::integration_sdk::graph::ObjectType {
                ::integration_sdk::macro_support::viewed_type::<#of>(&[#(#names),*])
            }
            fn entity_key(&self) -> ::std::string::String { ::std::string::ToString::to_string(&self.#key) }
            fn read(
                json: &str,
            ) -> ::core::result::Result<Self, ::integration_sdk::graph::PropertyError> { #read }
        }
    })
}

fn viewed(input: &DeriveInput) -> syn::Result<Path> {
    let mut of = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("of") {
                return Err(meta.error("expected `of`"));
            }
            of = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    of.ok_or_else(|| syn::Error::new_spanned(&input.ident, "add `#[entity(of = ...)]`: the entity type"))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_view_names_its_entity_type_and_has_its_key() {
        let refused = |input| expand(input).unwrap_err().to_string();
        assert_eq!(
            refused(parse_quote!(
                struct Lead {
                    #[entity(key)]
                    id: String,
                }
            )),
            "add `#[entity(of = ...)]`: the entity type"
        );
        assert_eq!(
            refused(parse_quote!(
                #[entity(of = Team)]
                struct Lead {
                    lead: String,
                }
            )),
            "mark exactly one field with `#[entity(key)]`"
        );
        assert_eq!(
            refused(parse_quote!(
                #[entity(type = "acme_team")]
                struct Lead {
                    #[entity(key)]
                    id: String,
                }
            )),
            "expected `of`"
        );
    }
}
