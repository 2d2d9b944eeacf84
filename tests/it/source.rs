//! The sources as `syn` reads them: which module each file is, and what it refers to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::buffer::Cursor;
use syn::parse::{ParseStream, Parser};
use syn::visit::Visit;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Files below a folder whose names end so, as paths from the root, sorted.
pub fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        let entries =
            std::fs::read_dir(&next).unwrap_or_else(|e| panic!("{}: {e}", next.display()));
        for path in entries.map(|e| e.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// One file of a crate.
pub struct Module {
    /// `["steps", "files"]`; empty for the crate's root.
    pub path: Vec<String>,
    pub file: String,
    pub ast: syn::File,
}

/// Every file that the crate's root reaches through `mod`.
pub fn modules(crate_root: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let folder = Path::new(crate_root).parent().unwrap().to_path_buf();
    walk(crate_root.to_owned(), folder, Vec::new(), &mut found);
    found
}

fn walk(file: String, folder: PathBuf, path: Vec<String>, found: &mut Vec<Module>) {
    let ast = syn::parse_file(&read(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let declared: Vec<String> = ast
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Mod(m) if m.content.is_none() => Some(m.ident.to_string()),
            _ => None,
        })
        .collect();
    found.push(Module {
        path: path.clone(),
        file,
        ast,
    });
    for name in declared {
        let flat = folder.join(format!("{name}.rs"));
        let nested = folder.join(&name).join("mod.rs");
        let file = if root().join(&flat).is_file() {
            flat
        } else {
            nested
        };
        let below = [path.clone(), vec![name.clone()]].concat();
        walk(file.display().to_string(), folder.join(name), below, found);
    }
}

/// The string literals of a file, those inside of macros as well; comments are none.
pub fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let read = |input: ParseStream<'_>| {
        input.step(|cursor| {
            collect(*cursor, &mut found);
            let mut rest = *cursor;
            while let Some((_, after)) = rest.token_tree() {
                rest = after;
            }
            Ok(((), rest))
        })
    };
    read.parse_str(text).expect("a file of Rust");
    found
}

fn collect(mut at: Cursor<'_>, found: &mut Vec<String>) {
    while let Some((_, after)) = at.token_tree() {
        if let Some((inside, ..)) = at.any_group() {
            if !documents(inside) {
                collect(inside, found);
            }
        } else if let Some((literal, _)) = at.literal() {
            let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
            found.extend(text.ok().map(|t| t.value()));
        }
        at = after;
    }
}

/// A comment of documentation is an attribute: `[doc = "…"]`.
fn documents(inside: Cursor<'_>) -> bool {
    inside.ident().is_some_and(|(name, rest)| {
        name == "doc" && rest.punct().is_some_and(|(sign, _)| sign.as_char() == '=')
    })
}

/// What a file refers to: every path in it, with the module that it stands in.
pub fn references(module: &Module) -> Vec<(Vec<String>, Vec<String>)> {
    let mut visitor = References {
        at: module.path.clone(),
        found: BTreeSet::new(),
    };
    visitor.visit_file(&module.ast);
    visitor.found.into_iter().collect()
}

struct References {
    at: Vec<String>,
    found: BTreeSet<(Vec<String>, Vec<String>)>,
}

impl References {
    fn note(&mut self, path: Vec<String>) {
        self.found.insert((self.at.clone(), path));
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            syn::UseTree::Path(p) => self.tree(&p.tree, &with(p.ident.to_string())),
            syn::UseTree::Name(n) => self.note(with(n.ident.to_string())),
            syn::UseTree::Rename(r) => self.note(with(r.ident.to_string())),
            syn::UseTree::Glob(_) => self.note(with("*".into())),
            syn::UseTree::Group(g) => g.items.iter().for_each(|t| self.tree(t, before)),
        }
    }

    /// Paths in the text of a macro's or an attribute's tokens, which `syn` does not parse.
    fn text(&mut self, tokens: &str) {
        let text: String = tokens.chars().filter(|c| !c.is_whitespace()).collect();
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        for word in text.split(|c: char| !part(c)).filter(|w| w.contains("::")) {
            self.note(word.split("::").map(str::to_owned).collect());
        }
    }
}

impl<'ast> Visit<'ast> for References {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.at.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.at.pop();
    }
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &[]);
    }
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note(path.segments.iter().map(|s| s.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.text(&item.tokens.to_string());
        syn::visit::visit_macro(self, item);
    }
    /// `pub(crate)` refers to nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
    fn visit_attribute(&mut self, item: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &item.meta {
            self.text(&list.tokens.to_string());
        }
    }
}
