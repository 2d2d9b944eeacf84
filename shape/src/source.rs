//! The sources as `syn` reads them: files, the module that each is, and the functions in it.

use proc_macro2::Span;
use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// One file of a crate.
pub struct SourceFile {
    /// As the repository names it: `src/plan/step.rs`
    pub path: String,
    /// `["plan", "step"]`; empty for the crate's root.
    pub module: Vec<String>,
    pub text: String,
    pub ast: syn::File,
    /// Reached only by a `#[cfg(test)] mod`.
    pub test: bool,
}

/// The files of one crate.
pub struct Crate {
    pub files: Vec<SourceFile>,
}

/// A function with a body, and the type that `Self` stands for.
pub struct Function {
    pub line: usize,
    pub last_line: usize,
    pub signature: syn::Signature,
    pub own_type: Option<syn::Type>,
}

/// The first and the last line of something.
pub fn lines_of(span: Span) -> (usize, usize) {
    (span.start().line, span.end().line)
}

/// `#[cfg(test)]`
pub fn only_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("cfg")
            && a.parse_args::<syn::Path>()
                .is_ok_and(|p| p.is_ident("test"))
    })
}

/// Sources below a folder with their paths, sorted.
pub fn texts(root: &Path, folder: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(root.join(&folder)).map_err(|e| format!("{folder}: {e}"))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("{folder}: {e}"))?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                let text = std::fs::read_to_string(entry.path());
                found.push((path.clone(), text.map_err(|e| format!("{path}: {e}"))?));
            }
        }
    }
    found.sort();
    Ok(found)
}

impl Crate {
    pub fn read(root: &Path, folder: &str) -> Result<Self, String> {
        Self::of(folder, texts(root, folder)?)
    }

    /// From texts with their paths; `folder` holds the crate's root.
    pub fn of(folder: &str, texts: Vec<(String, String)>) -> Result<Self, String> {
        let mut files = Vec::new();
        for (path, text) in texts {
            let ast = syn::parse_file(&text).map_err(|e| format!("{path}: {e}"))?;
            files.push(SourceFile {
                module: module_of(folder, &path),
                path,
                text,
                ast,
                test: false,
            });
        }
        let declared = files.iter().flat_map(|f| {
            let below = f.ast.items.iter().filter_map(|item| match item {
                syn::Item::Mod(m) if m.content.is_none() && only_for_tests(&m.attrs) => Some(m),
                _ => None,
            });
            below.map(|m| [&f.module[..], &[m.ident.to_string()]].concat())
        });
        let tests: Vec<Vec<String>> = declared.collect();
        for file in &mut files {
            file.test = tests.iter().any(|t| file.module.starts_with(t));
        }
        Ok(Self { files })
    }
}

/// The module that a file is; by its place, for no file here is named by `#[path]`. `main.rs` is a
/// crate of its own and stands for itself.
fn module_of(folder: &str, path: &str) -> Vec<String> {
    let inner = path.trim_start_matches(folder).trim_start_matches('/');
    let inner = inner.trim_end_matches(".rs");
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|l| l == "mod") || inner == "lib" {
        module.pop();
    }
    module
}

impl SourceFile {
    /// Functions with a body, those of tests apart.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Functions::default();
        if !self.test {
            found.visit_file(&self.ast);
        }
        found.found
    }

    #[cfg(test)]
    pub fn planted(path: &str, text: &str) -> Self {
        let texts = vec![(path.to_owned(), text.to_owned())];
        Crate::of("src", texts).unwrap().files.remove(0)
    }
}

#[derive(Default)]
struct Functions {
    own_type: Option<syn::Type>,
    found: Vec<Function>,
}

impl Functions {
    fn note(&mut self, signature: &syn::Signature, body: &syn::Block) {
        self.found.push(Function {
            line: signature.span().start().line,
            last_line: body.span().end().line,
            signature: signature.clone(),
            own_type: self.own_type.clone(),
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !only_for_tests(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }
    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = self.own_type.replace((*item.self_ty).clone());
        syn::visit::visit_item_impl(self, item);
        self.own_type = outer;
    }
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_for_tests(&item.attrs) {
            self.note(&item.sig, &item.block);
            syn::visit::visit_item_fn(self, item);
        }
    }
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !only_for_tests(&item.attrs) {
            self.note(&item.sig, &item.block);
            syn::visit::visit_impl_item_fn(self, item);
        }
    }
    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.note(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}
