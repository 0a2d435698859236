//! `#[step(...)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{ItemFn, LitStr, Token, parenthesized};

/// The arguments of the attribute.
#[derive(Default)]
pub struct Attributes {
    id: Option<LitStr>,
    name: Option<LitStr>,
    scopes: Vec<LitStr>,
    after: Vec<LitStr>,
    source: Option<LitStr>,
}

impl Parse for Attributes {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = Self::default();
        let tokens: TokenStream = input.parse()?;
        syn::meta::parser(|meta| attributes.take(&meta)).parse2(tokens)?;
        Ok(attributes)
    }
}

impl Attributes {
    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("id") {
            self.id = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("name") {
            self.name = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("source") {
            self.source = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("scopes") {
            self.scopes = list(meta)?;
        } else if meta.path.is_ident("after") {
            self.after = list(meta)?;
        } else {
            return Err(meta.error("expected `id`, `name`, `scopes(...)`, `after(...)` or `source`"));
        }
        Ok(())
    }
}

fn list(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<LitStr>> {
    let content;
    parenthesized!(content in meta.input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

pub fn expand(attributes: Attributes, function: ItemFn) -> syn::Result<TokenStream> {
    let missing = |what| syn::Error::new_spanned(&function.sig.ident, format!("add `{what} = \"...\"` to `#[step]`"));
    let id = attributes.id.ok_or_else(|| missing("id"))?;
    let name = attributes.name.ok_or_else(|| missing("name"))?;
    if function.sig.asyncness.is_none() {
        return Err(syn::Error::new_spanned(&function.sig, "a step is an `async fn`"));
    }
    let Attributes { scopes, after, source, .. } = attributes;
    let source = source.map(|source| quote!(.source(#source)));
    let description = crate::documentation(&function.attrs);
    let docs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let (vis, ident) = (&function.vis, &function.sig.ident);
    Ok(quote! {
        #(#docs)*
        #vis fn #ident() -> ::integration_sdk::step::Step {
            #function
            ::integration_sdk::step::Step::function(#id, #name, #ident)
                .description(#description)
                #(.scope(#scopes))*
                #(.after(#after))*
                #source
        }
    })
}
