//! `#[derive(Config)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, LitStr};

pub fn expand(input: DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "a configuration is a struct"));
    };
    let Fields::Named(named) = &data.fields else {
        return Err(syn::Error::new_spanned(&input.ident, "a configuration has named fields"));
    };
    let (mut declarations, mut reads) = (Vec::new(), Vec::new());
    for field in &named.named {
        let Some(ident) = &field.ident else { continue };
        let (ty, name, description) = (&field.ty, ident.to_string(), crate::documentation(&field.attrs));
        let default = match default_of(&field.attrs)? {
            Some(text) => quote!(::core::option::Option::Some(#text)),
            None => quote!(::core::option::Option::None),
        };
        declarations.push(quote! {
            ::integration_sdk::config::Field::of::<#ty>(#name, #description, #default)
        });
        reads.push(quote! { #ident: values.read::<#ty>(#name, #default)? });
    }
    let ident = &input.ident;
    Ok(quote! {
        impl ::integration_sdk::config::Config for #ident {
            fn fields() -> ::std::vec::Vec<::integration_sdk::config::Field> { ::std::vec![#(#declarations),*] }
            fn read(
                values: &::integration_sdk::config::Values,
            ) -> ::core::result::Result<Self, ::integration_sdk::config::ConfigError> {
                ::core::result::Result::Ok(Self { #(#reads),* })
            }
        }
    })
}

fn default_of(attributes: &[syn::Attribute]) -> syn::Result<Option<LitStr>> {
    let mut default = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("config")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                default = Some(meta.value()?.parse()?);
                Ok(())
            } else {
                Err(meta.error("expected `default = \"...\"`"))
            }
        })?;
    }
    Ok(default)
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_configuration_is_a_struct_with_named_fields() {
        let refused = |input| expand(input).unwrap_err().to_string();
        assert_eq!(
            refused(parse_quote!(
                enum Settings {
                    One,
                }
            )),
            "a configuration is a struct"
        );
        assert_eq!(
            refused(parse_quote!(
                struct Settings(String);
            )),
            "a configuration has named fields"
        );
        assert_eq!(
            refused(parse_quote!(
                struct Settings {
                    #[config(fallback = "x")]
                    region: String,
                }
            )),
            "expected `default = \"...\"`"
        );
    }
}
