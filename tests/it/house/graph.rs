//! The files of a crate and what each uses of the others, and the circles among them.
//!
//! In: a tree of Rust files. Out: every path that leads from the code of one file to what another one
//! defines, whoever exports it. Code that only tests see does not count.
//!
//! A module and what stands inside it are one thing: a parent declares its children, exports what they
//! define and calls them, and they speak its words. So a use between a file and one of its ancestors
//! makes no circle; every other use may.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// How often a name may be exported further on its way. Names that export each other have no end.
const DEPTH: usize = 8;

/// Where a module stands: the names that lead to it from the crate's root.
type ModulePath = Vec<String>;

/// The files of a crate by the modules that they are, with what each needs of the others.
#[derive(Debug, Default)]
pub struct Graph {
    files: BTreeMap<ModulePath, File>,
}

/// One file of a crate.
#[derive(Debug, Default)]
struct File {
    /// Names that `use` brings in, and what they stand for.
    imports: BTreeMap<String, ModulePath>,
    /// Paths in code and in `use`, relative to the root of the crate, and their lines.
    paths: Vec<(ModulePath, usize)>,
    /// Modules that only tests see.
    test_modules: BTreeSet<String>,
}

/// A use of a file by another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The file.
    pub from: ModulePath,
    /// The line of it, from 1.
    pub line: usize,
    /// The path as it is written, from the root of the crate.
    pub path: ModulePath,
    /// The file that defines what the path leads to.
    pub to: ModulePath,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &ModulePath| path.join("::");
        let (from, to, path) = (name(&self.from), name(&self.to), name(&self.path));
        write!(f, "{from} uses {to}: `{path}` on line {}", self.line)
    }
}

impl Graph {
    /// Reads the files of a crate, each by its path below `src` and its text.
    pub fn new<'t>(tree: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let tree: Vec<(ModulePath, &str)> =
            tree.into_iter().map(|(path, text)| (module_path(path), text)).collect();
        let all: BTreeSet<ModulePath> = tree.iter().map(|(module, _)| module.clone()).collect();
        let mut files = BTreeMap::new();
        for (module, text) in tree {
            let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{module:?}: {e}"));
            let mut reader = Reader { module: &module, all: &all, file: File::default() };
            reader.read(tokens);
            let file = reader.file;
            files.insert(module, file);
        }
        let tests: Vec<ModulePath> = files
            .iter()
            .flat_map(|(module, file)| file.test_modules.iter().map(|name| child(module, name)))
            .collect();
        files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Self { files }
    }

    /// Returns every use of a file by another one.
    pub fn uses(&self) -> BTreeSet<Use> {
        let mut uses = BTreeSet::new();
        for (from, file) in &self.files {
            for (path, line) in &file.paths {
                if let Some(to) = self.definition(path, 0)
                    && to != *from
                {
                    uses.insert(Use { from: from.clone(), line: *line, path: path.clone(), to });
                }
            }
        }
        uses
    }

    /// Returns the file that defines what `path` leads to, through whatever exports it; nothing if it
    /// is a module.
    fn definition(&self, path: &ModulePath, depth: usize) -> Option<ModulePath> {
        let mut length = (0..=path.len()).rev().find(|n| self.files.contains_key(&path[..*n]))?;
        if length == path.len() {
            // A module, and maybe what its parent exports under the same name.
            length = length.checked_sub(1)?;
            self.files.get(&path[..length])?.imports.get(&path[length])?;
        }
        let module = &path[..length];
        let name = path.get(length)?;
        let file = &self.files[module];
        if depth < DEPTH
            && let Some(target) = file.imports.get(name)
        {
            let mut target = target.clone();
            target.extend_from_slice(&path[length + 1..]);
            return self.definition(&target, depth + 1);
        }
        Some(module.to_vec())
    }

    /// Returns the files that use one another in circles: each group, with the uses among them.
    pub fn circles(&self) -> Vec<Vec<Use>> {
        let mut uses = self.uses();
        // Between a file and its ancestor.
        uses.retain(|one| !one.from.starts_with(&one.to) && !one.to.starts_with(&one.from));
        let mut reach: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> = BTreeMap::new();
        for one in &uses {
            reach.entry(&one.from).or_default().insert(&one.to);
        }
        let reached = |from: &ModulePath| {
            let mut seen = BTreeSet::new();
            let mut open = vec![from];
            while let Some(next) = open.pop() {
                for to in reach.get(next).into_iter().flatten() {
                    if seen.insert(*to) {
                        open.push(to);
                    }
                }
            }
            seen.into_iter().cloned().collect::<BTreeSet<ModulePath>>()
        };
        let all: BTreeMap<&ModulePath, BTreeSet<ModulePath>> =
            self.files.keys().map(|module| (module, reached(module))).collect();
        let mut groups: BTreeSet<BTreeSet<&ModulePath>> = BTreeSet::new();
        for (module, reached) in &all {
            if reached.contains(*module) {
                let group = all
                    .keys()
                    .filter(|other| reached.contains(**other) && all[**other].contains(*module));
                groups.insert(group.copied().collect());
            }
        }
        let among = |group: &BTreeSet<&ModulePath>| {
            uses.iter()
                .filter(|u| group.contains(&u.from) && group.contains(&u.to))
                .cloned()
                .collect()
        };
        groups.iter().map(among).collect()
    }
}

/// The module that a file is: `a/b.rs` and `a/b/mod.rs` are `a::b`, `lib.rs` is the root.
fn module_path(file: &str) -> ModulePath {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    if stem == "lib" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

fn child(module: &[String], name: &str) -> ModulePath {
    let mut child = module.to_vec();
    child.push(name.to_owned());
    child
}

/// Collects what one file declares and uses.
struct Reader<'r> {
    module: &'r ModulePath,
    all: &'r BTreeSet<ModulePath>,
    file: File,
}

impl Reader<'_> {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        // First what names stand for, since a name can be used above its `use`.
        let rest = self.imports(&tokens);
        self.code(&rest);
    }

    /// Takes `use` and `mod` out of `tokens`, on every level, and leaves out what only tests see.
    fn imports(&mut self, tokens: &[TokenTree]) -> Vec<TokenTree> {
        let mut rest = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            if is_punct(tokens.get(at), '#')
                && let Some(TokenTree::Group(attribute)) = tokens.get(at + 1)
                && is_test(&attribute.stream())
            {
                at = self.skip_item(tokens, at + 2);
                continue;
            }
            match &tokens[at] {
                TokenTree::Ident(word) if *word == "use" => {
                    let end = end_of_statement(tokens, at);
                    let exported = is_exported(&rest);
                    let mut found = Vec::new();
                    use_tree(&tokens[at + 1..end], &mut Vec::new(), &mut found);
                    for (path, name) in found {
                        self.import(&path, name, exported, word.span().start().line);
                    }
                    at = end + 1;
                }
                TokenTree::Group(group) => {
                    let inner = self.imports(&group.stream().into_iter().collect::<Vec<_>>());
                    let mut new = Group::new(group.delimiter(), inner.into_iter().collect());
                    new.set_span(group.span());
                    rest.push(TokenTree::Group(new));
                    at += 1;
                }
                other => {
                    rest.push(other.clone());
                    at += 1;
                }
            }
        }
        rest
    }

    /// Returns where the item behind an attribute ends.
    fn skip_item(&mut self, tokens: &[TokenTree], mut at: usize) -> usize {
        while is_punct(tokens.get(at), '#') {
            at += 2;
        }
        if matches!(tokens.get(at), Some(TokenTree::Ident(word)) if *word == "mod")
            && let Some(TokenTree::Ident(name)) = tokens.get(at + 1)
        {
            self.file.test_modules.insert(name.to_string());
        }
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',') => return at + 1,
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at + 1,
                _ => at += 1,
            }
        }
        at
    }

    fn import(&mut self, path: &[String], name: String, exported: bool, line: usize) {
        let Some(path) = self.absolute(path) else { return };
        if name == "*" {
            self.file.paths.push((child(&path, "*"), line));
            return;
        }
        let own = exported && path.starts_with(self.module);
        if !own {
            self.file.paths.push((path.clone(), line));
        }
        self.file.imports.insert(name, path);
    }

    /// Returns `path` from the root of the crate, if it leads to something of the crate.
    fn absolute(&self, path: &[String]) -> Option<ModulePath> {
        let mut base = self.module.clone();
        let rest = match path.first()?.as_str() {
            "crate" => {
                base.clear();
                &path[1..]
            }
            "self" => &path[1..],
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                base.truncate(base.len().saturating_sub(ups));
                &path[ups..]
            }
            first if self.all.contains(&child(&base, first)) => path,
            _ => return None,
        };
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Collects the paths of code.
    fn code(&mut self, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => {
                    self.code(&group.stream().into_iter().collect::<Vec<_>>());
                    at += 1;
                }
                TokenTree::Ident(word) if *word == "mod" => at += 2,
                TokenTree::Ident(word) => {
                    let after = at.checked_sub(1).map(|before| &tokens[before]);
                    let field = is_punct(after, '.');
                    let mut path = vec![word.to_string()];
                    at += 1;
                    while let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
                        && is_punct(tokens.get(at), ':')
                        && is_punct(tokens.get(at + 1), ':')
                    {
                        path.push(next.to_string());
                        at += 3;
                    }
                    if !field {
                        self.path(&path, word);
                    }
                }
                _ => at += 1,
            }
        }
    }

    fn path(&mut self, path: &[String], word: &Ident) {
        let line = word.span().start().line;
        if let Some(import) = self.file.imports.get(&path[0]) {
            let mut absolute = import.clone();
            absolute.extend_from_slice(&path[1..]);
            self.file.paths.push((absolute, line));
        } else if path.len() > 1
            && let Some(absolute) = self.absolute(path)
        {
            self.file.paths.push((absolute, line));
        }
    }
}

fn is_punct(token: Option<&TokenTree>, c: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == c)
}

/// Returns whether an attribute is `cfg(test)`, or `cfg(all(test, …))`.
fn is_test(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text == "test" || text.starts_with("cfg(test") || text.starts_with("cfg(all(test")
}

/// Returns whether what stands in front of `use` makes it an export.
fn is_exported(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(word)] => *word == "pub",
        [.., TokenTree::Ident(word), TokenTree::Group(_)] => *word == "pub",
        _ => false,
    }
}

fn end_of_statement(tokens: &[TokenTree], from: usize) -> usize {
    (from..tokens.len()).find(|at| is_punct(tokens.get(*at), ';')).unwrap_or(tokens.len())
}

/// Appends each path of the tree of a `use`, with the name that it gets.
fn use_tree(tokens: &[TokenTree], prefix: &mut ModulePath, found: &mut Vec<(ModulePath, String)>) {
    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
        let length = prefix.len();
        let mut name = None;
        let mut tokens = branch.iter();
        let mut group = false;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if *word == "as" => {
                    name = tokens.next().map(ToString::to_string);
                }
                TokenTree::Ident(word) if *word == "self" && !prefix.is_empty() => {}
                TokenTree::Ident(word) => prefix.push(word.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => name = Some("*".to_owned()),
                TokenTree::Group(inner) => {
                    group = true;
                    use_tree(&inner.stream().into_iter().collect::<Vec<_>>(), prefix, found);
                }
                _ => {}
            }
        }
        if !group && let Some(last) = prefix.last() {
            let name = name.unwrap_or_else(|| last.clone());
            found.push((prefix.clone(), name));
        }
        prefix.truncate(length);
    }
}
