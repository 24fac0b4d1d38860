//! Layers of rooms: each room uses lower layers only, and imports form no cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of each layer, from the top; those of one layer do not use each other.
const LAYERS: &[&[&str]] = &[
    &["lib"],
    &["python"],
    &["aggregate", "search", "detect", "quality", "flow_words"],
    &["group_by", "records", "normalise", "enrich"],
    &["direction"],
    &["flow"],
    &["ip"],
    &["columns"],
    &["error"],
];

fn layer(room: &str) -> Option<usize> {
    LAYERS.iter().position(|rooms| rooms.contains(&room))
}

/// All Rust files below a directory, sorted.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the entry can be read").path())
        .collect();
    paths.sort();
    let files = paths.into_iter().flat_map(|path| {
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    files
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// The files below `src/`, each with its code.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files(&root);
    assert!(files.len() > 1, "no sources in {}", root.display());
    let read = |path: PathBuf| {
        let below = path.strip_prefix(&root).expect("the file is below src/");
        let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
        let source = fs::read_to_string(&path).expect("the file can be read");
        (names.join("/"), source)
    };
    files.into_iter().map(read).collect()
}

/// The room of a file below `src/`.
fn room_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The names of the module that a file contains, from the root of the crate.
fn module_of(file: &str) -> Vec<&str> {
    let module = file.strip_suffix(".rs").unwrap_or(file);
    let module = module.strip_suffix("/mod").unwrap_or(module);
    module.split('/').filter(|name| *name != "lib").collect()
}

/// The code with empty lines for comments.
fn code(source: &str) -> String {
    let lines = source.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with("//") => "",
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The items of a group in braces, each with its offset; `text` starts after the opening brace.
fn items(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let item = text[start..at].trim_start();
                if !item.is_empty() {
                    out.push((at - item.len(), item));
                }
                start = at + 1;
            }
            _ => {}
        }
        if letter == '}' && start > at {
            break;
        }
    }
    out
}

/// The paths of a use tree as names, each with the offset of its outermost item.
fn paths(text: &str) -> Vec<(usize, Vec<&str>)> {
    if let Some(group) = text.strip_prefix('{') {
        let nested = items(group).into_iter().flat_map(|(at, item)| {
            let paths = paths(item).into_iter();
            paths.map(move |(_, names)| (at + 1, names))
        });
        return nested.collect();
    }
    let end = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let Some(rest) = rest.strip_prefix("::") else {
        return vec![(0, vec![name])];
    };
    let rest = paths(rest).into_iter();
    rest.map(|(_, names)| (0, [vec![name], names].concat()))
        .collect()
}

/// The module around the end of `code`: that of the file, and those in braces inside it.
fn module_around<'a>(file: &'a str, code: &'a str) -> Vec<&'a str> {
    let mut inner: Vec<(usize, &str)> = Vec::new();
    for line in code.lines() {
        let words = line.trim_start();
        let indent = line.len() - words.len();
        let head = words.strip_suffix(" {").and_then(|w| w.rsplit_once(' '));
        match head {
            Some((before, name)) if before.ends_with("mod") => inner.push((indent, name)),
            _ => drop(inner.pop_if(|(outer, _)| words == "}" && indent == *outer)),
        }
    }
    let inner = inner.into_iter().map(|(_, name)| name);
    module_of(file).into_iter().chain(inner).collect()
}

/// Paths from the root of the crate that follow `crate::`, `super::` or a module of this file,
/// each with its offset.
fn used<'a>(file: &'a str, code: &'a str) -> Vec<(usize, Vec<&'a str>)> {
    let modules = code.lines().filter_map(|line| {
        let (_, name) = line.strip_suffix(';')?.split_once("mod ")?;
        name.chars().all(is_word).then_some(name)
    });
    let mut out = Vec::new();
    for root in ["crate", "super"].into_iter().chain(modules) {
        let is_module = !matches!(root, "crate" | "super");
        for (at, prefix) in code.match_indices(&format!("{root}::")) {
            let before = &code[..at];
            // A re-export is no use: the importer uses the module behind it.
            let is_reexport = is_module && before.ends_with("pub use ");
            if is_reexport || before.ends_with(|letter| is_word(letter) || letter == ':') {
                continue;
            }
            let mut base = module_around(file, before);
            match root {
                "crate" => base.clear(),
                "super" => drop(base.pop()),
                _ => base.push(root),
            }
            let after = at + prefix.len();
            for (offset, names) in paths(&code[after..]) {
                let mut path = base.clone();
                for name in names {
                    match name {
                        "super" => drop(path.pop()),
                        "self" => {}
                        _ => path.push(name),
                    }
                }
                out.push((after + offset, path));
            }
        }
    }
    out
}

/// Uses that violate the layers, each with its line.
fn violations(file: &str, source: &str) -> Vec<String> {
    let room = room_of(file);
    let Some(own) = layer(room) else {
        return vec![format!("src/{file}:1: room {room:?} is in no layer")];
    };
    let code = code(source);
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    let mut out = Vec::new();
    for (at, path) in used(file, &code) {
        let used = path.first().copied().unwrap_or_default();
        let problem = match layer(used) {
            None => "which is in no layer",
            Some(other) if other < own => "which is above it",
            Some(other) if other == own && used != room => "which is of the same layer",
            Some(_) => continue,
        };
        let line = line(at);
        out.push((
            at,
            format!("src/{file}:{line}: {room} uses {used:?}, {problem}"),
        ));
    }
    // One of several paths into the same room.
    out.dedup();
    out.into_iter().map(|(_, text)| text).collect()
}

/// The files that each file uses.
fn graph(sources: &[(String, String)]) -> BTreeMap<&str, BTreeSet<&str>> {
    let codes: Vec<(&str, String)> = sources
        .iter()
        .map(|(file, source)| (file.as_str(), code(source)))
        .collect();
    let files: BTreeMap<Vec<&str>, &str> = codes.iter().map(|(f, _)| (module_of(f), *f)).collect();
    // Files behind the names that a module re-exports from its own modules.
    let mut behind: BTreeMap<Vec<&str>, Vec<&str>> = BTreeMap::new();
    for (file, code) in &codes {
        for (at, start) in code.match_indices("pub use ") {
            for (_, names) in paths(&code[at + start.len()..]) {
                let module = [module_of(file), names[..1].to_vec()].concat();
                if let (Some(target), Some(name)) = (files.get(&module), names.last()) {
                    let exported = [module_of(file), vec![name]].concat();
                    behind.entry(exported).or_default().push(target);
                }
            }
        }
    }
    let targets = |path: &[&str]| -> Vec<&str> {
        let mut prefixes = (0..=path.len()).rev().map(|end| &path[..end]);
        let found = prefixes.find_map(|prefix| {
            let target = || files.get(prefix).map(|file| vec![*file]);
            behind.get(prefix).cloned().or_else(target)
        });
        found.unwrap_or_default()
    };
    let edges = codes.iter().map(|(file, code)| {
        let used = used(file, code).into_iter();
        let mut used: BTreeSet<&str> = used.flat_map(|(_, path)| targets(&path)).collect();
        used.remove(file);
        (*file, used)
    });
    edges.collect()
}

/// An import cycle that is reached from a file, by depth-first search.
fn cycle<'a>(
    file: &'a str,
    graph: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    done: &mut BTreeSet<&'a str>,
    trail: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(start) = trail.iter().position(|before| *before == file) {
        return Some(trail[start..].to_vec());
    }
    if !done.insert(file) {
        return None;
    }
    trail.push(file);
    let mut used = graph[file].iter();
    let found = used.find_map(|used| cycle(used, graph, done, trail));
    trail.pop();
    found
}

/// Import cycles between files; of those that share a file, some.
fn cycles(sources: &[(String, String)]) -> Vec<String> {
    let graph = graph(sources);
    let mut done = BTreeSet::new();
    let found = graph
        .keys()
        .filter_map(|file| cycle(file, &graph, &mut done, &mut Vec::new()));
    found.map(|files| files.join(" -> ")).collect()
}

#[test]
fn rooms_use_lower_layers_only() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(file, source)| violations(file, source))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn imports_between_files_form_no_cycles() {
    let found = cycles(&sources());
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn violations_are_found_with_their_line() {
    for (file, source, expected) in [
        (
            "flow/a.rs",
            "use crate::ip::Ip;\nuse crate::flow::schema;",
            vec![],
        ),
        (
            "flow/a.rs",
            "use std::fmt;\nuse crate::direction::rules;",
            vec![2],
        ),
        ("search/a.rs", "use crate::aggregate::index;", vec![1]),
        (
            "ip/a.rs",
            "\nfn f() { crate::flow::batch::new(); }",
            vec![2],
        ),
        (
            "ip/a.rs",
            "use crate::{\n    error::{Error, Result},\n    flow::batch,\n};",
            vec![3],
        ),
        (
            "ip/a.rs",
            "use crate::{columns, error, search::{named, port}, flow};",
            vec![1, 1],
        ),
        ("ip/a.rs", "pub use crate::places::Place;", vec![1]),
        ("ip/a.rs", "use crate::*;", vec![1]),
        (
            "ip/a.rs",
            "/// As [`crate::flow::batch`].\n// use crate::flow;",
            vec![],
        ),
        ("ip/a.rs", "use my_crate::flow;", vec![]),
        ("ip/a.rs", "use super::super::flow;", vec![1]),
        ("ip/mod.rs", "use super::flow::batch;", vec![1]),
        ("ip/mod.rs", "use super::columns;", vec![]),
        ("flow_words.rs", "use super::search;", vec![1]),
        ("error.rs", "fn f() { super::ip::f(); }", vec![1]),
        ("ip/a.rs", "use super::flow;", vec![]),
        (
            "ip/mod.rs",
            "mod tests {\n    use super::*;\n}\nuse super::*;",
            vec![4],
        ),
        ("places/a.rs", "use crate::error::Error;", vec![1]),
    ] {
        let lines: Vec<usize> = violations(file, source)
            .iter()
            .map(|text| text.split(':').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(lines, expected, "{file}: {source}");
    }
}

#[test]
fn cycles_are_found() {
    for (a, b, module, expected) in [
        (
            "use crate::ip::b::B;",
            "use crate::flow::a;",
            "pub mod a;",
            "",
        ),
        (
            "use crate::ip::b::B;",
            "fn f() { super::a::f(); }",
            "",
            "ip/a.rs -> ip/b.rs",
        ),
        (
            "use crate::ip::{f, B};",
            "use crate::ip::a;",
            "pub use b::{A, B};",
            "ip/a.rs -> ip/b.rs",
        ),
        (
            "use crate::ip::f;",
            "",
            "mod a;\npub fn f() { a::g(); }",
            "ip/a.rs -> ip/mod.rs",
        ),
        (
            "use crate::ip::B;",
            "",
            "mod a;\npub use a::A;\npub use b::B;",
            "",
        ),
    ] {
        let files = [("ip/a.rs", a), ("ip/b.rs", b), ("ip/mod.rs", module)];
        let sources = files.map(|(file, source)| (file.to_owned(), source.to_owned()));
        assert_eq!(cycles(&sources).join("\n"), expected, "{a} {b} {module}");
    }
}
