//! `#[step(...)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{FnArg, ItemFn, LitStr, ReturnType, Signature, Token, Type, parenthesized};

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

/// The maximum number of parameters, for which `StepFunction` is implemented.
const MAX_PARAMETERS: usize = 9;

/// Returns the types of the parameters and of the result.
fn signature(signature: &Signature) -> syn::Result<(Vec<&Type>, &Type)> {
    let error = |at: &dyn ToTokens, text: String| Err(syn::Error::new_spanned(at.to_token_stream(), text));
    if signature.asyncness.is_none() {
        return error(signature, "a step is an `async fn`".to_owned());
    }
    if !signature.generics.params.is_empty() {
        return error(&signature.generics, "a step has no generic parameters".to_owned());
    }
    if signature.inputs.len() > MAX_PARAMETERS {
        let count = signature.inputs.len();
        return error(
            &signature.inputs,
            format!(
                "a step has at most {MAX_PARAMETERS} parameters, not {count}: split the step, or combine some of them in \
                 a type that implements `Parameter`"
            ),
        );
    }
    let mut parameters = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Typed(parameter) => parameters.push(&*parameter.ty),
            FnArg::Receiver(receiver) => return error(receiver, "a step is a function, not a method".to_owned()),
        }
    }
    match &signature.output {
        ReturnType::Type(_, output) => Ok((parameters, output)),
        ReturnType::Default => error(signature, "a step returns `StepResult`".to_owned()),
    }
}

pub fn expand(attributes: Attributes, function: ItemFn) -> syn::Result<TokenStream> {
    let missing = |what| syn::Error::new_spanned(&function.sig.ident, format!("add `{what} = \"...\"` to `#[step]`"));
    let id = attributes.id.ok_or_else(|| missing("id"))?;
    let name = attributes.name.ok_or_else(|| missing("name"))?;
    let (parameters, output) = signature(&function.sig)?;
    let Attributes { scopes, after, source, .. } = attributes;
    let source = source.map(|source| quote!(.source(#source)));
    let description = crate::documentation(&function.attrs);
    let docs = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let (vis, ident) = (&function.vis, &function.sig.ident);
    let values = (0..parameters.len()).map(|at| format_ident!("parameter_{at}")).collect::<Vec<_>>();
    Ok(quote! {
        #(#docs)*
        #vis fn #ident() -> ::integration_sdk::step::Step {
            #function
            // Nothing of this has an effect. The errors point to the parameter, the result, or the value that does not fit.
            #(::integration_sdk::macro_support::assert_parameter::<#parameters>();)*
            ::integration_sdk::macro_support::assert_output::<#output>();
            let _ = |#(#values: #parameters),*| ::integration_sdk::macro_support::assert_send(#ident(#(#values),*));
            ::integration_sdk::step::Step::function(#id, #name, #ident)
                .description(#description)
                #(.scope(#scopes))*
                #(.after(#after))*
                #source
        }
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    /// Returns the message of the error that the attribute reports.
    fn refused(attributes: TokenStream, function: ItemFn) -> String {
        syn::parse2(attributes).and_then(|attributes| expand(attributes, function)).unwrap_err().to_string()
    }

    fn attributes() -> TokenStream {
        quote!(id = "fetch-teams", name = "Fetch teams")
    }

    #[test]
    fn a_step_needs_an_id_and_a_name() {
        let function: ItemFn = parse_quote!(
            async fn f() -> StepResult {
                Ok(())
            }
        );
        assert_eq!(refused(quote!(id = "f"), function.clone()), "add `name = \"...\"` to `#[step]`");
        assert_eq!(refused(quote!(name = "F"), function.clone()), "add `id = \"...\"` to `#[step]`");
        let unknown = refused(quote!(id = "f", name = "F", needs("g")), function);
        assert_eq!(unknown, "expected `id`, `name`, `scopes(...)`, `after(...)` or `source`");
    }

    #[test]
    fn a_step_is_an_async_function_with_a_result() {
        let refused = |function| refused(attributes(), function);
        assert_eq!(
            refused(parse_quote!(
                fn f() -> StepResult {
                    Ok(())
                }
            )),
            "a step is an `async fn`"
        );
        assert_eq!(
            refused(parse_quote!(
                async fn f() {}
            )),
            "a step returns `StepResult`"
        );
        assert_eq!(
            refused(parse_quote!(
                async fn f(&self) -> StepResult {
                    Ok(())
                }
            )),
            "a step is a function, not a method"
        );
        assert_eq!(
            refused(parse_quote!(
                async fn f<T>(t: Emit<T>) -> StepResult {
                    Ok(())
                }
            )),
            "a step has no generic parameters"
        );
    }

    #[test]
    fn a_step_has_at_most_nine_parameters() {
        let step = |count: usize| {
            let names = (0..count).map(|at| format_ident!("p{at}"));
            let function: ItemFn = parse_quote!(async fn f(#(#names: Read<Team>),*) -> StepResult { Ok(()) });
            expand(syn::parse2(attributes()).expect("valid attributes"), function)
        };
        assert!(step(9).is_ok());
        assert_eq!(
            step(10).unwrap_err().to_string(),
            "a step has at most 9 parameters, not 10: split the step, or combine some of them in a type that \
             implements `Parameter`"
        );
    }
}
