//! The codes of errors and findings, as the sources hold them.

use crate::source;
use std::collections::BTreeSet;
use syn::visit::Visit;

/// Where a call carries a code: the name of what is called, and which argument it is.
const CALLS: &[(&str, usize)] = &[
    ("StepError::new", 1),
    ("StepError::finding", 0),
    ("StepError::refused", 0),
    ("StepError::stuck", 0),
    ("Self::finding", 0),
    ("Self::refused", 0),
    ("Self::stuck", 0),
    ("Self::new", 1),
    ("Fail::new", 1),
    ("Fail::refused", 0),
    ("finding", 0),
    ("warning", 0),
    ("super::warning", 0),
    ("wrong", 0),
    ("say", 0),
];

/// Methods of the policy check.
const METHODS: &[&str] = &["error", "warning"];

pub fn codes() -> BTreeSet<String> {
    let mut codes = Codes(BTreeSet::new());
    // The clients' codes are the services': SQLSTATE, and what AWS answers.
    let ours = |m: &source::Module| {
        !matches!(m.path.first().map(String::as_str), Some("aws" | "database"))
    };
    for module in source::modules("src/lib.rs").into_iter().filter(ours) {
        codes.visit_file(&module.ast);
    }
    codes.0
}

struct Codes(BTreeSet<String>);

fn is_code(text: &str) -> bool {
    text.len() > 3
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '-' || c == '_')
}

impl Codes {
    fn literals(&mut self, expr: &syn::Expr) {
        struct Literals<'a>(&'a mut BTreeSet<String>);
        impl<'ast> Visit<'ast> for Literals<'_> {
            fn visit_lit_str(&mut self, lit: &'ast syn::LitStr) {
                if is_code(&lit.value()) {
                    self.0.insert(lit.value());
                }
            }
        }
        Literals(&mut self.0).visit_expr(expr);
    }
}

fn test_only(attributes: &[syn::Attribute]) -> bool {
    attributes
        .iter()
        .any(|a| a.path().is_ident("cfg") || a.path().is_ident("test"))
}

impl<'ast> Visit<'ast> for Codes {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !test_only(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func {
            let name = path
                .path
                .segments
                .iter()
                .map(|s| s.ident.to_string())
                .collect::<Vec<_>>()
                .join("::");
            if let Some((_, at)) = CALLS.iter().find(|(n, _)| *n == name)
                && let Some(argument) = call.args.iter().nth(*at)
            {
                self.literals(argument);
            }
        }
        syn::visit::visit_expr_call(self, call);
    }
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let receiver = matches!(&*call.receiver, syn::Expr::Path(p) if p.path.is_ident("found"));
        if receiver
            && METHODS.contains(&call.method.to_string().as_str())
            && let Some(argument) = call.args.first()
        {
            self.literals(argument);
        }
        syn::visit::visit_expr_method_call(self, call);
    }
    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if matches!(&field.member, syn::Member::Named(name) if name == "code") {
            self.literals(&field.expr);
        }
        syn::visit::visit_field_value(self, field);
    }
    /// `let code = …`, `let (kind, code) = match …`.
    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init
            && names_code(&local.pat)
        {
            self.literals(&init.expr);
        }
        syn::visit::visit_local(self, local);
    }
}

fn names_code(pattern: &syn::Pat) -> bool {
    match pattern {
        syn::Pat::Ident(ident) => ident.ident == "code",
        syn::Pat::Tuple(tuple) => tuple.elems.iter().any(names_code),
        _ => false,
    }
}
