//! `#[derive(EntityKind)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, LitStr};

use crate::properties::{self, PropertyField};

struct Attributes {
    object_type: LitStr,
    classes: Vec<LitStr>,
    resource: LitStr,
    merge: bool,
}

pub fn expand(input: DeriveInput) -> syn::Result<TokenStream> {
    let attributes = attributes(&input)?;
    let fields = properties::fields(&input)?;
    let ident = &input.ident;
    let key = &key_field(&input, &fields)?.ident;
    let shown = shown(&fields);
    let (schema, read) = (properties::schema(&fields), properties::read(&fields));
    let write = properties::write(&fields, Some(shown.clone()));
    let Attributes { object_type, classes, resource, merge } = attributes;
    let description = crate::documentation(&input.attrs);
    let on_duplicate_key = if merge { quote!(Merge) } else { quote!(Reject) };
    Ok(quote! {
        impl ::integration_sdk::graph::EntityKind for #ident {
            fn declaration() -> ::integration_sdk::graph::EntityDeclaration {
                ::integration_sdk::graph::EntityDeclaration {
                    resource: ::std::string::String::from(#resource),
                    object_type: ::integration_sdk::graph::ObjectType::literal(#object_type),
                    classes: ::std::vec![#(::integration_sdk::graph::Class::literal(#classes)),*],
                    description: ::std::string::String::from(#description),
                    on_duplicate_key: ::integration_sdk::graph::OnDuplicateKey::#on_duplicate_key,
                    schema: #schema,
                }
            }
            fn key(&self) -> ::std::string::String { ::std::string::ToString::to_string(&self.#key) }
            fn display_name(&self) -> ::std::string::String { ::std::string::ToString::to_string(&#shown) }
            fn write(&self, object: &mut ::integration_sdk::graph::ObjectWriter) { #write }
            fn from_json(
                json: &str,
            ) -> ::core::result::Result<Self, ::integration_sdk::graph::PropertyError> { #read }
        }
        impl ::integration_sdk::step::Emittable for #ident {
            type Emitter = ::integration_sdk::step::EntityEmitter<Self>;
        }
    })
}

fn attributes(input: &DeriveInput) -> syn::Result<Attributes> {
    let (mut object_type, mut classes, mut resource, mut merge) = (None, Vec::new(), None, false);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("type") {
                object_type = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("class") {
                classes.push(meta.value()?.parse()?);
            } else if meta.path.is_ident("resource") {
                resource = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("merge") {
                merge = true;
            } else {
                return Err(meta.error("expected `type`, `class`, `resource` or `merge`"));
            }
            Ok(())
        })?;
    }
    let missing = |what| syn::Error::new_spanned(&input.ident, format!("add `#[entity({what} = \"...\")]`"));
    if classes.is_empty() {
        return Err(missing("class"));
    }
    Ok(Attributes {
        object_type: object_type.ok_or_else(|| missing("type"))?,
        classes,
        resource: resource.ok_or_else(|| missing("resource"))?,
        merge,
    })
}

pub fn key_field<'a>(input: &DeriveInput, fields: &'a [PropertyField]) -> syn::Result<&'a PropertyField> {
    let mut keys = fields.iter().filter(|field| field.key);
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        _ => Err(syn::Error::new_spanned(&input.ident, "mark exactly one field with `#[entity(key)]`")),
    }
}

/// The display name: the marked field, else `display_name`, else `name`, else the key. The key also stands in for an
/// optional field without a value.
fn shown(fields: &[PropertyField]) -> TokenStream {
    let named = |name: &str| fields.iter().find(|field| field.ident == name);
    let chosen =
        fields.iter().find(|field| field.display_name).or_else(|| named("display_name")).or_else(|| named("name"));
    match chosen {
        Some(PropertyField { ident, ty, .. }) if is_option(ty) => quote!(
            self.#ident.as_ref().map_or_else(
                || ::integration_sdk::graph::EntityKind::key(self),
                ::std::string::ToString::to_string,
            )
        ),
        Some(PropertyField { ident, .. }) => quote!(self.#ident),
        None => quote!(::integration_sdk::graph::EntityKind::key(self)),
    }
}

/// Whether a type is written as an `Option`.
fn is_option(ty: &syn::Type) -> bool {
    let syn::Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Option")
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// Returns the message of the error that the derive reports.
    fn refused(input: DeriveInput) -> String {
        expand(input).unwrap_err().to_string()
    }

    #[test]
    fn an_entity_needs_a_type_a_class_and_a_resource() {
        let without = |attribute: TokenStream| {
            refused(parse_quote!(
                #[entity(#attribute)]
                struct Team {
                    #[entity(key)]
                    id: String,
                }
            ))
        };
        assert_eq!(without(quote!(type = "acme_team", resource = "Team")), "add `#[entity(class = \"...\")]`");
        assert_eq!(without(quote!(class = "Team", resource = "Team")), "add `#[entity(type = \"...\")]`");
        assert_eq!(without(quote!(type = "acme_team", class = "Team")), "add `#[entity(resource = \"...\")]`");
        assert_eq!(without(quote!(kind = "acme_team")), "expected `type`, `class`, `resource` or `merge`");
    }

    #[test]
    fn an_entity_has_exactly_one_key() {
        let keys = |fields: TokenStream| {
            refused(parse_quote!(
                #[entity(type = "acme_team", class = "Team", resource = "Team")]
                struct Team { #fields }
            ))
        };
        let expected = "mark exactly one field with `#[entity(key)]`";
        assert_eq!(keys(quote!(id: String)), expected);
        assert_eq!(keys(quote!(#[entity(key)] id: String, #[entity(key)] name: String)), expected);
        assert_eq!(keys(quote!(#[entity(primary)] id: String)), "expected `key`, `display_name` or `rename = \"...\"`");
    }

    #[test]
    fn only_a_struct_with_named_fields_is_an_entity() {
        let attribute = quote!(#[entity(type = "acme_team", class = "Team", resource = "Team")]);
        assert_eq!(refused(parse_quote!(#attribute struct Team(String);)), "properties are named fields");
        assert_eq!(refused(parse_quote!(#attribute enum Team { One })), "only a struct has properties");
    }
}
