//! Layers of rooms: each room uses lower layers only.

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

/// The room of a file, given its path below `src/`.
fn room_of(path: &Path) -> String {
    let first = path.iter().next().unwrap_or_default().to_string_lossy();
    first.strip_suffix(".rs").unwrap_or(&first).to_owned()
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

/// The first name of each path that follows `crate::`, with its offset in `text`.
fn names(text: &str) -> Vec<(usize, &str)> {
    let first_word = |at: usize| {
        let rest = &text[at..];
        let name = rest.trim_start();
        let end = name.find(|letter| !is_word(letter)).unwrap_or(name.len());
        (at + rest.len() - name.len(), &name[..end])
    };
    if !text.starts_with('{') {
        return vec![first_word(0)];
    }
    let mut out = Vec::new();
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && (at == 0 || letter == ',') {
            let (start, name) = first_word(at + 1);
            // Nothing follows the last comma.
            if !text[start..].starts_with('}') {
                out.push((start, name));
            }
        }
    }
    out
}

/// Uses that violate the layers, each with its line.
fn violations(file: &str, room: &str, source: &str) -> Vec<String> {
    let Some(own) = layer(room) else {
        return vec![format!("{file}:1: room {room:?} is in no layer")];
    };
    let code = code(source);
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    let mut out = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        if code[..at].ends_with(is_word) {
            continue;
        }
        let after = at + path.len();
        for (offset, used) in names(&code[after..]) {
            let problem = match layer(used) {
                None => "which is in no layer",
                Some(other) if other < own => "which is above it",
                Some(other) if other == own && used != room => "which is of the same layer",
                Some(_) => continue,
            };
            let line = line(after + offset);
            out.push(format!("{file}:{line}: {room} uses {used:?}, {problem}"));
        }
    }
    for (at, path) in code.match_indices("super::super::") {
        let line = line(at);
        out.push(format!("{file}:{line}: {room} uses {path}, not crate::"));
    }
    out
}

#[test]
fn rooms_use_lower_layers_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files(&root);
    assert!(files.len() > 1, "no sources in {}", root.display());
    let mut found = Vec::new();
    for path in files {
        let below = path.strip_prefix(&root).unwrap();
        let source = fs::read_to_string(&path).unwrap();
        let file = format!("src/{}", below.display());
        found.extend(violations(&file, &room_of(below), &source));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn violations_are_found_with_their_line() {
    for (room, source, expected) in [
        (
            "flow",
            "use crate::ip::Ip;\nuse crate::flow::schema;",
            vec![],
        ),
        (
            "flow",
            "use std::fmt;\nuse crate::direction::rules;",
            vec![2],
        ),
        ("search", "use crate::aggregate::index;", vec![1]),
        ("ip", "\nfn f() { crate::flow::batch::new(); }", vec![2]),
        (
            "ip",
            "use crate::{\n    error::{Error, Result},\n    flow::batch,\n};",
            vec![3],
        ),
        (
            "ip",
            "use crate::{columns, error, search::{named, port}, flow};",
            vec![1, 1],
        ),
        ("ip", "pub use crate::places::Place;", vec![1]),
        ("ip", "use crate::*;", vec![1]),
        (
            "ip",
            "/// As [`crate::flow::batch`].\n// use crate::flow;",
            vec![],
        ),
        ("ip", "use my_crate::flow;", vec![]),
        ("ip", "use super::super::flow;", vec![1]),
        ("places", "use crate::error::Error;", vec![1]),
    ] {
        let lines: Vec<usize> = violations("a.rs", room, source)
            .iter()
            .map(|text| text.split(':').nth(1).unwrap().parse().unwrap())
            .collect();
        assert_eq!(lines, expected, "{room}: {source}");
    }
}
