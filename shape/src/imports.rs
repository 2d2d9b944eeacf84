//! Which file imports which.
//!
//! An import is a `use` of `crate::`, `super::`, `self::` or of a module declared in the same file,
//! and any such path in code. It leads to the file that declares what is named: modules are followed
//! down, and names that a module takes from elsewhere (re-exports as well as private `use`s, which
//! children may name) are followed to where they are declared. A name that cannot be followed, made
//! by a macro or brought by a `*` from outside, counts for the last module on its way; so does `*`
//! itself. `mod x;` and re-exports (`pub use`, however restricted) of a module's own children are no
//! imports: they say where things are. What only tests import is left out.

use crate::source::{Crate, SourceFile, only_for_tests};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::Visit;

/// Files by their indices: who imports whom, and the line that does first.
pub type Edges = BTreeMap<(usize, usize), usize>;

/// So many re-exports are followed one after the other.
const DEPTH: usize = 8;

type Path = Vec<String>;

/// What a module holds.
struct Scope {
    file: usize,
    items: BTreeSet<String>,
    /// Names that `use` brings, with the absolute paths that they stand for.
    taken: BTreeMap<String, Path>,
    /// Absolute paths of modules that are brought whole.
    all_of: Vec<Path>,
}

type Scopes = BTreeMap<Path, Scope>;

pub fn edges(krate: &Crate) -> Edges {
    let mut scopes = Scopes::new();
    let files = || krate.files.iter().enumerate().filter(|(_, f)| !f.test);
    for (at, file) in files() {
        declare(at, &file.module, &file.ast.items, &mut scopes);
    }
    let modules: BTreeSet<Path> = scopes.keys().cloned().collect();
    for (_, file) in files() {
        take(&file.module, &file.ast.items, &modules, &mut scopes);
    }
    let mut edges = Edges::new();
    for (at, file) in files() {
        for (path, line) in references(file, &modules) {
            let to = declared_in(&scopes, &path, 0);
            if let Some(to) = to.filter(|to| *to != at) {
                let first = edges.entry((at, to)).or_insert(line);
                *first = line.min(*first);
            }
        }
    }
    edges
}

fn declare(file: usize, module: &[String], items: &[syn::Item], scopes: &mut Scopes) {
    let mut scope = Scope {
        file,
        items: BTreeSet::new(),
        taken: BTreeMap::new(),
        all_of: Vec::new(),
    };
    for item in items {
        let name = match item {
            syn::Item::Const(i) => &i.ident,
            syn::Item::Enum(i) => &i.ident,
            syn::Item::Fn(i) => &i.sig.ident,
            syn::Item::Static(i) => &i.ident,
            syn::Item::Struct(i) => &i.ident,
            syn::Item::Trait(i) => &i.ident,
            syn::Item::Type(i) => &i.ident,
            syn::Item::Mod(i) => {
                if let (Some((_, inner)), false) = (&i.content, only_for_tests(&i.attrs)) {
                    let below = [module, &[i.ident.to_string()]].concat();
                    declare(file, &below, inner, scopes);
                }
                continue;
            }
            _ => continue,
        };
        scope.items.insert(name.to_string());
    }
    scopes.insert(module.to_vec(), scope);
}

fn take(module: &[String], items: &[syn::Item], modules: &BTreeSet<Path>, scopes: &mut Scopes) {
    for item in items {
        match item {
            syn::Item::Use(item) => {
                for (path, name) in leaves(&item.tree) {
                    let Some(path) = absolute(module, &path, modules) else {
                        continue;
                    };
                    let Some(scope) = scopes.get_mut(module) else {
                        continue;
                    };
                    match name {
                        Some(name) => drop(scope.taken.insert(name, path)),
                        None => scope.all_of.push(path),
                    }
                }
            }
            syn::Item::Mod(i) => {
                if let Some((_, inner)) = &i.content {
                    let below = [module, &[i.ident.to_string()]].concat();
                    take(&below, inner, modules, scopes);
                }
            }
            _ => {}
        }
    }
}

/// Paths of a `use`, with the name that each gets; `None` for `*`.
fn leaves(tree: &syn::UseTree) -> Vec<(Path, Option<String>)> {
    fn walk(tree: &syn::UseTree, before: &[String], found: &mut Vec<(Path, Option<String>)>) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(p) => walk(&p.tree, &with(&p.ident), found),
            syn::UseTree::Name(n) if n.ident == "self" => {
                found.push((before.to_vec(), before.last().cloned()));
            }
            syn::UseTree::Name(n) => found.push((with(&n.ident), Some(n.ident.to_string()))),
            syn::UseTree::Rename(r) if r.ident == "self" => {
                found.push((before.to_vec(), Some(r.rename.to_string())));
            }
            syn::UseTree::Rename(r) => found.push((with(&r.ident), Some(r.rename.to_string()))),
            syn::UseTree::Glob(_) => found.push((before.to_vec(), None)),
            syn::UseTree::Group(g) => g.items.iter().for_each(|t| walk(t, before, found)),
        }
    }
    let mut found = Vec::new();
    walk(tree, &[], &mut found);
    found
}

/// From the crate's root; `None` for what is not this crate's or a name in scope.
fn absolute(module: &[String], path: &[String], modules: &BTreeSet<Path>) -> Option<Path> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" if rest.first().is_some_and(|s| s == "super") => absolute(module, rest, modules),
        "self" => Some([module, rest].concat()),
        "super" => {
            let ups = path.iter().take_while(|s| *s == "super").count();
            Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat())
        }
        _ => {
            let below = [module, path].concat();
            modules.contains(&below[..=module.len()]).then_some(below)
        }
    }
}

/// The file that declares what a path names.
fn declared_in(scopes: &Scopes, path: &[String], depth: usize) -> Option<usize> {
    let mut at: Path = Vec::new();
    let mut scope = scopes.get(&at)?;
    for (index, name) in path.iter().enumerate() {
        at.push(name.clone());
        if let Some(below) = scopes.get(&at) {
            scope = below;
            continue;
        }
        if scope.items.contains(name) || depth > DEPTH {
            return Some(scope.file);
        }
        if let Some(source) = scope.taken.get(name) {
            let whole = [&source[..], &path[index + 1..]].concat();
            return declared_in(scopes, &whole, depth + 1);
        }
        let brought = scope.all_of.iter().filter(|m| **m != at[..index]);
        let mut brought = brought.filter(|m| holds(scopes, m, name, depth));
        let Some(source) = brought.next() else {
            return Some(scope.file);
        };
        let whole = [&source[..], &path[index..]].concat();
        return declared_in(scopes, &whole, depth + 1);
    }
    Some(scope.file)
}

/// Whether a module has a name, its own or one that it brings.
fn holds(scopes: &Scopes, module: &[String], name: &str, depth: usize) -> bool {
    scopes.get(module).is_some_and(|s| {
        let brings = |m: &Path| depth < DEPTH && holds(scopes, m, name, depth + 1);
        s.items.contains(name) || s.taken.contains_key(name) || s.all_of.iter().any(brings)
    })
}

/// Absolute paths that a file names, with the lines that do.
fn references(file: &SourceFile, modules: &BTreeSet<Path>) -> Vec<(Path, usize)> {
    let mut visitor = References {
        module: file.module.clone(),
        modules,
        found: Vec::new(),
    };
    visitor.visit_file(&file.ast);
    visitor.found
}

struct References<'a> {
    module: Path,
    modules: &'a BTreeSet<Path>,
    found: Vec<(Path, usize)>,
}

impl<'ast> Visit<'ast> for References<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !only_for_tests(&item.attrs) {
            self.module.push(item.ident.to_string());
            syn::visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if only_for_tests(&item.attrs) {
            return;
        }
        let shown = !matches!(item.vis, syn::Visibility::Inherited);
        let line = item.use_token.span.start().line;
        for (path, _) in leaves(&item.tree) {
            let path = absolute(&self.module, &path, self.modules);
            let own = |p: &Path| p.len() > self.module.len() && p.starts_with(&self.module);
            self.found
                .extend(path.filter(|p| !(shown && own(p))).map(|p| (p, line)));
        }
    }
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Path = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if let (Some(first), true) = (path.segments.first(), names.len() > 1) {
            let line = first.ident.span().start().line;
            let path = absolute(&self.module, &names, self.modules);
            self.found.extend(path.map(|p| (p, line)));
        }
        syn::visit::visit_path(self, path);
    }
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !only_for_tests(&item.attrs) {
            syn::visit::visit_item_fn(self, item);
        }
    }
    /// `pub(in crate::x)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}
}
