//! The list of an index's projects, as JSON (PEP 691) or HTML (PEP 503).

use html5gum::{Token, Tokenizer};
use serde::Deserialize;

use pinfast_packaging::PackageName;

#[derive(Deserialize)]
struct ProjectList {
    projects: Vec<ListedProject>,
}

#[derive(Deserialize)]
struct ListedProject {
    name: String,
}

/// The names in a project list; unreadable ones are skipped.
pub(crate) fn parse_project_list(body: &[u8]) -> Vec<PackageName> {
    let names: Vec<String> = match serde_json::from_slice::<ProjectList>(body) {
        Ok(list) => list.projects.into_iter().map(|project| project.name).collect(),
        Err(_) => anchor_labels(body),
    };
    names.iter().filter_map(|name| PackageName::new(name.trim().trim_end_matches('/')).ok()).collect()
}

/// The texts of a page's anchors.
fn anchor_labels(body: &[u8]) -> Vec<String> {
    let mut labels = Vec::new();
    let mut open = None;
    for Ok(token) in Tokenizer::new(body) {
        match token {
            Token::StartTag(tag) if tag.name.as_slice() == b"a" => open = Some(String::new()),
            Token::EndTag(tag) if tag.name.as_slice() == b"a" => labels.extend(open.take()),
            Token::String(text) => {
                open.iter_mut().for_each(|label| label.push_str(&String::from_utf8_lossy(&text)));
            }
            _ => {}
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::parse_project_list;

    #[test]
    fn names_are_parsed_from_json_and_html() {
        let json = br#"{"meta": {"api-version": "1.0"}, "projects": [{"name": "A.b"}, {"name": "c"}, {"name": "?"}]}"#;
        let html = b"<!DOCTYPE html><html><body><a href=\"/simple/a-b/\">A.b</a> <a href='c/'> c/ </a><a>?</a></body>";
        for body in [&json[..], &html[..]] {
            let names: Vec<String> = parse_project_list(body).iter().map(ToString::to_string).collect();
            assert_eq!(names, ["a-b", "c"]);
        }
        assert!(parse_project_list(b"\0{").is_empty());
    }
}
