//! `#[derive(EntityView)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::entity::key_field;
use crate::properties;

pub fn expand(input: DeriveInput) -> syn::Result<TokenStream> {
    let of = viewed(&input)?;
    let fields = properties::fields(&input)?;
    let (ident, key, read) = (&input.ident, &key_field(&input, &fields)?.ident, properties::read(&fields));
    let names = fields.iter().map(|field| &field.name);
    let (idents, types): (Vec<_>, Vec<_>) = fields.iter().map(|field| (&field.ident, &field.ty)).unzip();
    Ok(quote! {
        // A field that is missing in the entity, or has another type there, does not compile.
        const _: fn(&#of) -> (#(&#types,)*) = |entity| (#(&entity.#idents,)*);
        impl ::integration_sdk::graph::EntityView for #ident {
            type Entity = #of;
            fn entity_type() -> ::integration_sdk::graph::ObjectType {
                ::integration_sdk::graph::viewed_type::<#of>(&[#(#names),*])
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
