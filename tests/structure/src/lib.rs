//! The uses between the files of a crate, read from their text.
//!
//! A file uses another one if it names one of its items: in a `use` declaration, or in a path that begins with `crate`,
//! `self`, `super`, a child module, or an imported name. Re-exports lead to the file that defines the item. The uses of
//! tests do not count, and neither do those of a parent module by its children: a child may extend its parent.
#![deny(missing_docs)]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use source::Source;

/// The path of a module within its crate.
type ModulePath = Vec<String>;

/// The modules of one crate.
#[derive(Debug, Default)]
pub struct Modules {
    modules: BTreeMap<ModulePath, Source>,
    files: BTreeMap<ModulePath, PathBuf>,
}

impl Modules {
    /// Reads the files below the `src` folder of a crate.
    ///
    /// # Errors
    /// [`io::Error`] if a file cannot be read.
    pub fn read(src: &Path) -> io::Result<Self> {
        let mut modules = Self::default();
        for file in rust_files(src)? {
            let relative = file.strip_prefix(src).map_err(io::Error::other)?.with_extension("");
            let mut path: ModulePath = relative.iter().map(|name| name.to_string_lossy().into_owned()).collect();
            if matches!(path.last().map(String::as_str), Some("mod" | "lib" | "main")) {
                path.pop();
            }
            modules.add(path, &fs::read_to_string(&file)?, file);
        }
        Ok(modules)
    }

    fn add(&mut self, path: ModulePath, text: &str, file: PathBuf) {
        self.modules.insert(path.clone(), Source::parse(text));
        self.files.insert(path, file);
    }

    /// Returns the files that use each other in a circle, one list for each circle.
    pub fn cycles(&self) -> Vec<Vec<&Path>> {
        let paths: Vec<&ModulePath> = self.modules.keys().filter(|path| self.is_declared(path)).collect();
        let number = |path: &ModulePath| paths.iter().position(|known| *known == path);
        let mut uses = DiGraph::<usize, ()>::new();
        let nodes: Vec<_> = (0..paths.len()).map(|file| uses.add_node(file)).collect();
        for (from, path) in paths.iter().enumerate() {
            for used in self.used_by(path).iter().filter_map(number) {
                uses.add_edge(nodes[from], nodes[used], ());
            }
        }
        let circles = tarjan_scc(&uses).into_iter().filter(|files| files.len() > 1);
        let file_of = |node| self.files[paths[uses[node]]].as_path();
        circles.map(|files| files.into_iter().map(file_of).collect()).collect()
    }

    /// Returns whether the crate contains a module outside of tests.
    fn is_declared(&self, path: &[String]) -> bool {
        let declares = |(at, name): (usize, &String)| {
            self.modules.get(&path[..at]).is_none_or(|parent| parent.children.contains(name))
        };
        path.iter().enumerate().all(declares)
    }

    /// Returns the modules that a module uses, without its ancestors.
    fn used_by(&self, user: &ModulePath) -> BTreeSet<ModulePath> {
        let source = &self.modules[user];
        let named = source.paths().into_iter().filter_map(|path| self.absolute(user, &path));
        let defining = named.filter_map(|path| self.defining(&path, &mut BTreeSet::new()));
        defining.filter(|module| !user.starts_with(module)).collect()
    }

    /// Returns the path from the root of the crate; `None` for the path of another crate.
    fn absolute(&self, module: &ModulePath, path: &[String]) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        let mut base = module.clone();
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([base, rest.to_vec()].concat()),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                base.truncate(base.len().checked_sub(ups)?);
                Some([base, path[ups..].to_vec()].concat())
            }
            child if self.modules[module].children.contains(child) => Some([base, path.to_vec()].concat()),
            _ => None,
        }
    }

    /// Returns the module that defines the item at a path, behind all re-exports.
    fn defining(&self, path: &[String], seen: &mut BTreeSet<ModulePath>) -> Option<ModulePath> {
        if !seen.insert(path.to_vec()) {
            return None;
        }
        let end = (0..=path.len()).rev().find(|end| self.modules.contains_key(&path[..*end]))?;
        let (module, rest) = (path[..end].to_vec(), &path[end..]);
        let source = &self.modules[&module];
        let name = rest.first()?;
        if source.definitions.contains(name) {
            return Some(module);
        }
        let imported = source.imports.iter().filter(|import| import.name == *name || import.name == "*");
        imported.into_iter().find_map(|import| {
            let is_glob = import.name == "*";
            let target = if is_glob { &import.path[..import.path.len() - 1] } else { &import.path };
            let from = if is_glob { rest } else { &rest[1..] };
            self.defining(&[self.absolute(&module, target)?, from.to_vec()].concat(), seen)
        })
    }
}

/// Returns the Rust files below a folder.
///
/// # Errors
/// [`io::Error`] if a folder cannot be read.
pub fn rust_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let mut modules = Modules::default();
        for (path, text) in files {
            let names = path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            modules.add(names, text, PathBuf::from(path));
        }
        let named = |cycle: Vec<&Path>| {
            let mut names: Vec<String> = cycle.into_iter().map(|path| path.display().to_string()).collect();
            names.sort();
            names
        };
        modules.cycles().into_iter().map(named).collect()
    }

    #[test]
    fn files_that_use_each_other_are_a_cycle() {
        let root = ("", "mod a;\nmod b;\npub use b::B;\n");
        let both = [root, ("a", "use super::B;\npub struct A(B);"), ("b", "pub struct B;\nfn f(_: crate::a::A) {}")];
        assert_eq!(cycles(&both), [["a", "b"]]);
        let one_way = [root, ("a", "use super::B;\npub struct A(B);"), ("b", "pub struct B;")];
        assert!(cycles(&one_way).is_empty());
    }

    #[test]
    fn a_name_behind_a_glob_an_alias_or_braces_is_found() {
        let root = ("", "mod a;\nmod b;\nmod c;\n");
        let (b, c) = (
            ("b", "pub use crate::c::*;"),
            ("c", "pub struct C;\nuse crate::a::{self, A as Other};\nstatic X: Other = a::A;"),
        );
        assert_eq!(cycles(&[root, ("a", "use crate::b::{C};\npub struct A(C);"), b, c]), [["a", "c"]]);
    }

    #[test]
    fn parents_tests_comments_and_texts_do_not_count() {
        let root = ("", "mod a;\nmod b;\nuse a::A;\npub struct Root(A);");
        let a =
            ("a", "use super::Root;\npub struct A;\nimpl Root {}\n// crate::b::B\nconst T: &str = \"crate::b::B\";");
        let b = ("b", "use crate::a::A;\npub struct B(A);\n#[cfg(test)]\nmod tests {\n    use crate::a;\n}");
        assert!(cycles(&[root, a, b]).is_empty());
    }
}
