//! Fields as properties: names, schema, writing and reading. Shared by entities and relationships.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Field, Fields, Ident, LitStr, Type};

/// One field of a struct, as a property.
pub struct PropertyField {
    pub ident: Ident,
    pub ty: Type,
    pub name: String,
    pub description: String,
    pub key: bool,
    pub display_name: bool,
}

pub fn fields(input: &DeriveInput) -> syn::Result<Vec<PropertyField>> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => named.named.iter().map(property_field).collect(),
            other => Err(syn::Error::new_spanned(other, "properties are named fields")),
        },
        _ => Err(syn::Error::new_spanned(&input.ident, "only a struct has properties")),
    }
}

fn property_field(field: &Field) -> syn::Result<PropertyField> {
    let Some(ident) = field.ident.clone() else { return Err(syn::Error::new_spanned(field, "a field has a name")) };
    let mut property = PropertyField {
        name: camel_case(&ident.to_string()),
        description: crate::documentation(&field.attrs),
        ty: field.ty.clone(),
        ident,
        key: false,
        display_name: false,
    };
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("key") {
                property.key = true;
            } else if meta.path.is_ident("display_name") {
                property.display_name = true;
            } else if meta.path.is_ident("rename") {
                property.name = meta.value()?.parse::<LitStr>()?.value();
            } else {
                return Err(meta.error("expected `key`, `display_name` or `rename = \"...\"`"));
            }
            Ok(())
        })?;
    }
    Ok(property)
}

fn camel_case(name: &str) -> String {
    let mut words = name.trim_start_matches("r#").split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

/// Generates the expression for the JSON Schema of the fields.
pub fn schema(fields: &[PropertyField]) -> TokenStream {
    let properties = fields.iter().map(|field| {
        let (name, ty, description) = (&field.name, &field.ty, &field.description);
        quote! {
            .property::<#ty>(#name, #description)
        }
    });
    quote! { ::integration_sdk::graph::PropertySchema::new() #(#properties)* .into_value() }
}

/// Generates the statements that write the fields into `object`, sorted by name, with `shown` as `displayName`.
pub fn write(fields: &[PropertyField], shown: Option<TokenStream>) -> TokenStream {
    const DISPLAY_NAME: &str = "displayName";
    let property = |field: &PropertyField| {
        let (name, ident) = (&field.name, &field.ident);
        (name.clone(), quote! { object.property(#name, &self.#ident); })
    };
    let mut members: Vec<(String, TokenStream)> =
        fields.iter().filter(|field| shown.is_none() || field.name != DISPLAY_NAME).map(property).collect();
    members.extend(shown.map(|shown| (DISPLAY_NAME.to_owned(), quote! { object.display(#DISPLAY_NAME, &#shown); })));
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    members.into_iter().map(|(_, statement)| statement).collect()
}

/// Generates the expression that reads the struct from `json`.
pub fn read(fields: &[PropertyField]) -> TokenStream {
    let mut in_order: Vec<&PropertyField> = fields.iter().collect();
    in_order.sort_by(|one, other| one.name.cmp(&other.name));
    let names = in_order.iter().map(|field| &field.name);
    let idents = in_order.iter().map(|field| &field.ident);
    let reads = fields.iter().map(|field| {
        let (name, ident) = (&field.name, &field.ident);
        quote! { #ident: ::integration_sdk::macro_support::read_property(#name, #ident)? }
    });
    quote! {{
        let [#(#idents),*] = ::integration_sdk::macro_support::pick_properties(json, [#(#names),*])?;
        ::core::result::Result::Ok(Self { #(#reads),* })
    }}
}

pub fn expand_relationship(input: DeriveInput) -> syn::Result<TokenStream> {
    let fields = fields(&input)?;
    let (ident, schema, write) = (&input.ident, schema(&fields), write(&fields, None));
    Ok(quote! {
        impl ::integration_sdk::graph::RelationshipProperties for #ident {
            fn schema() -> ::integration_sdk::serde_json::Value { #schema }
            fn write(&self, object: &mut ::integration_sdk::graph::ObjectWriter) { #write }
        }
    })
}
