//! A step, an action or evidence is made from types, never from text: text that is made up is then
//! no evidence of anything. What parses text is apart.

use crate::Violation;
use crate::source::{Function, SourceFile};

const MODULES: &[&str] = &["src/journal", "src/engine", "src/plan", "src/steps"];
const MADE: &[&str] = &["Step", "StepId", "StoredAction", "Evidence"];
const PARSERS: &[&str] = &["parse", "from_str", "deserialize"];

pub fn violations(file: &SourceFile) -> Vec<Violation> {
    if !MODULES.iter().any(|module| file.path.starts_with(module)) {
        return Vec::new();
    }
    let functions = file.functions();
    let wrong = functions.iter().filter(|f| makes(f) && takes_text(f));
    wrong
        .map(|f| Violation {
            file: file.path.clone(),
            line: f.line,
            what: format!("`{}` makes it of text, not of a type", f.signature.ident),
        })
        .collect()
}

fn makes(function: &Function) -> bool {
    let parser = PARSERS.iter().any(|p| function.signature.ident == p);
    match &function.signature.output {
        syn::ReturnType::Type(_, given) if !parser => is_made(given, function.own_type.as_ref()),
        _ => false,
    }
}

fn is_made(given: &syn::Type, own: Option<&syn::Type>) -> bool {
    let path = match given {
        syn::Type::Reference(r) => return is_made(&r.elem, own),
        syn::Type::Path(p) => &p.path,
        _ => return false,
    };
    let Some(last) = path.segments.last() else {
        return false;
    };
    if path.is_ident("Self") {
        return own.is_some_and(|own| is_made(own, None));
    }
    if last.ident == "Option" || last.ident == "Result" {
        return first_argument(last).is_some_and(|inner| is_made(inner, own));
    }
    MADE.iter().any(|made| last.ident == made)
}

fn first_argument(segment: &syn::PathSegment) -> Option<&syn::Type> {
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|a| match a {
        syn::GenericArgument::Type(t) => Some(t),
        _ => None,
    })
}

fn takes_text(function: &Function) -> bool {
    let signature = &function.signature;
    let generics = &signature.generics;
    let bounds_of = |param: &syn::TypeParam| bounded_by_text(&param.bounds);
    let in_where = generics.where_clause.iter().flat_map(|w| &w.predicates);
    let mut in_where = in_where.filter_map(|p| match p {
        syn::WherePredicate::Type(t) => Some(&t.bounds),
        _ => None,
    });
    generics.type_params().any(bounds_of)
        || in_where.any(bounded_by_text)
        || signature.inputs.iter().any(|input| match input {
            syn::FnArg::Typed(typed) => is_text(&typed.ty),
            syn::FnArg::Receiver(_) => false,
        })
}

fn is_text(ty: &syn::Type) -> bool {
    match ty {
        syn::Type::Reference(r) => is_text(&r.elem),
        syn::Type::Path(p) => {
            let last = p.path.segments.last();
            last.is_some_and(|s| s.ident == "str" || s.ident == "String")
        }
        syn::Type::ImplTrait(i) => bounded_by_text(&i.bounds),
        _ => false,
    }
}

type Bounds = syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>;

/// `AsRef<str>`, `Into<String>`
fn bounded_by_text(bounds: &Bounds) -> bool {
    bounds.iter().any(|bound| {
        let syn::TypeParamBound::Trait(bound) = bound else {
            return false;
        };
        bound.path.segments.last().is_some_and(|s| {
            (s.ident == "AsRef" || s.ident == "Into") && first_argument(s).is_some_and(is_text)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        violations(&SourceFile::planted(path, text)).len()
    }

    #[test]
    fn a_step_made_of_text_is_found_in_every_form() {
        for text in [
            "fn f(name: &str) -> StepId { g() }",
            "fn f(name: String) -> Option<Step> { g() }",
            "fn f(name: &String) -> Result<Evidence, Fail> { g() }",
            "fn f(name: impl Into<String>) -> StoredAction { g() }",
            "fn f<T: AsRef<str>>(name: T) -> crate::plan::Step { g() }",
            "fn f<T>(name: T) -> Step where T: Into<String> { g() }",
            "impl Step { fn new(name: &str) -> Self { g() } }",
        ] {
            assert_eq!(found("src/plan/step.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn types_parsers_and_other_modules_are_let_pass() {
        for text in [
            "fn f(name: &Name) -> StepId { g() }",
            "fn f(name: &str) -> Other { g() }",
            "fn f(name: &str) -> Result<Other, Step> { g() }",
            "impl Step { fn parse(text: &str) -> Option<Self> { g() } }",
            "impl FromStr for StepId { fn from_str(t: &str) -> Result<Self, E> { g() } }",
        ] {
            assert_eq!(found("src/engine/mod.rs", text), 0, "{text}");
        }
        assert_eq!(
            found("src/model/run.rs", "fn f(t: &str) -> StepId { g() }"),
            0
        );
    }
}
