//! The sources as the layer rules see them: the paths that the code names, without comments, texts and tests.

use std::collections::BTreeSet;
use std::fs;
use std::iter::Peekable;
use std::path::Path;
use std::vec;

/// One file of `src/`.
pub(crate) struct Source {
    /// Its path in `src/`, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// Every file of `src/`, sorted by path.
pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src/ can be listed") {
            let path = entry.expect("src/ can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).expect("the path begins with the root");
                let text = fs::read_to_string(&path).expect("a source is readable UTF-8");
                sources.push(Source::new(&inside.to_string_lossy().replace('\\', "/"), &text));
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// The rooms in the bullets of the map at the top of `library`: ``//! - [`solve`], [`lock`]: …``.
pub(crate) fn map_of(library: &str) -> BTreeSet<&str> {
    let bullets = library.lines().filter_map(|line| line.strip_prefix("//! - "));
    let heads = bullets.map(|bullet| bullet.split_once(':').map_or(bullet, |(head, _)| head));
    heads.flat_map(|head| head.split('`').skip(1).step_by(2)).collect()
}

impl Source {
    /// The file `path` of `src/` with this text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// The room in which it is: its folder in `src/`, or itself; none for the library's and the program's root.
    pub(crate) fn room(&self) -> Option<&str> {
        let first = self.path.split('/').next().unwrap_or(&self.path);
        let room = first.strip_suffix(".rs").unwrap_or(first);
        (room != "lib" && room != "main").then_some(room)
    }

    /// The rooms whose names follow `crate::`, or as many `super::` as lead there.
    pub(crate) fn rooms_used(&self) -> BTreeSet<String> {
        let depth = self.path.split('/').count() - usize::from(self.path.ends_with("/mod.rs"));
        let room_of = |path: Vec<String>| {
            let ups = path.iter().take_while(|segment| *segment == "super").count();
            let skipped = if path[0] == "crate" { 1 } else { depth };
            (path[0] == "crate" || ups >= depth).then(|| path.get(skipped).cloned()).flatten()
        };
        self.paths().into_iter().filter_map(room_of).collect()
    }

    /// Every path of several segments that the code names, `use` trees spread out, and every macro called
    /// (`println!`). Tests are left out.
    pub(crate) fn paths(&self) -> Vec<Vec<String>> {
        if self.path.ends_with("tests.rs") || self.path.contains("/tests/") {
            return Vec::new();
        }
        let mut paths = Vec::new();
        let mut tokens = without_tests(tokens(&code(&self.text))).into_iter().peekable();
        while let Some(token) = tokens.next() {
            if is_word(&token) && token != "use" {
                follow(vec![token], &mut tokens, &mut paths);
            }
        }
        paths.retain(|path| path.len() > 1 || path[0].ends_with('!'));
        paths
    }
}

type Tokens = Peekable<vec::IntoIter<String>>;

/// Reads on behind the segments `path`, into braces too, and adds every whole path to `paths`.
fn follow(mut path: Vec<String>, tokens: &mut Tokens, paths: &mut Vec<Vec<String>>) {
    while tokens.next_if(|token| token == "::").is_some() {
        if tokens.next_if(|token| token == "{").is_some() {
            return branches(&path, tokens, paths);
        }
        match tokens.next_if(|token| is_word(token) || token == "*") {
            Some(segment) => path.push(segment),
            None => break,
        }
    }
    if tokens.next_if(|token| token == "!").is_some() {
        path.last_mut().expect("a path has a segment").push('!');
    }
    paths.push(path);
}

/// Reads the branches of a `use` tree behind its `{`.
fn branches(stem: &[String], tokens: &mut Tokens, paths: &mut Vec<Vec<String>>) {
    while let Some(token) = tokens.next_if(|token| token != "}") {
        match token.as_str() {
            "self" => paths.push(stem.to_vec()),
            "as" => drop(tokens.next()),
            "*" => paths.push([stem, &[token]].concat()),
            _ if is_word(&token) => follow([stem, &[token]].concat(), tokens, paths),
            _ => {}
        }
    }
    tokens.next();
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let len = if rest.starts_with("::") { 2 } else { word.max(first.len_utf8()) };
        tokens.push(rest[..len].to_owned());
        rest = rest[len..].trim_start();
    }
    tokens
}

/// Leaves out each item that stands under `#[cfg(test)]`: up to its closing brace or its semicolon.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept: Vec<String> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        kept.push(token);
        if kept.ends_with(&attribute.map(str::to_owned)) {
            kept.truncate(kept.len() - attribute.len());
            skip_item(&mut tokens);
        }
    }
    kept
}

fn skip_item(tokens: &mut vec::IntoIter<String>) {
    let mut open = 0_usize;
    for token in tokens {
        match token.as_str() {
            "{" | "(" | "[" => open += 1,
            "}" if open == 1 => return,
            "}" | ")" | "]" => open = open.saturating_sub(1),
            ";" if open == 0 => return,
            _ => {}
        }
    }
}

/// The code alone: a space for each comment, and `""` for each text and character.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (len, stand_in) = match opaque(rest, code.chars().next_back()) {
            Some((len, stand_in)) => (len, stand_in),
            None => (first.len_utf8(), &rest[..first.len_utf8()]),
        };
        code.push_str(stand_in);
        rest = &rest[len..];
    }
    code
}

/// The length of the comment, text or character with which `rest` begins, and what stands for it.
fn opaque(rest: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let raw = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r').filter(|_| !in_word);
    if rest.starts_with("//") {
        return Some((rest.find('\n').unwrap_or(rest.len()), " "));
    }
    if rest.starts_with("/*") {
        return Some((block_comment(rest), " "));
    }
    if let Some(fence) = raw.and_then(|raw| raw.split_once('"')).map(|(fence, _)| fence)
        && fence.bytes().all(|byte| byte == b'#')
    {
        let start = rest.find('"')? + 1;
        let close = format!("\"{fence}");
        return Some((
            rest[start..].find(&close).map_or(rest.len(), |end| start + end + close.len()),
            "\"\"",
        ));
    }
    if rest.starts_with('"') {
        return Some((quoted(rest, '"'), "\"\""));
    }
    let is_char = rest.starts_with("'\\") || (rest.starts_with('\'') && rest.chars().nth(2) == Some('\''));
    is_char.then(|| (quoted(rest, '\''), "\"\""))
}

/// The length of the text up to its closing `quote`.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &str) -> usize {
    let mut open = 0_usize;
    for (at, pair) in rest.as_bytes().windows(2).enumerate() {
        match pair {
            b"/*" => open += 1,
            b"*/" if open == 1 => return at + 2,
            b"*/" => open -= 1,
            _ => {}
        }
    }
    rest.len()
}
