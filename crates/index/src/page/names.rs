//! The list of an index's projects (PEP 503, PEP 691).

use html5gum::{Token, Tokenizer};
use serde::Deserialize;

use pinfast_packaging::PackageName;

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
}

#[derive(Deserialize)]
struct Project {
    name: String,
}

/// The projects that a list in JSON or HTML names: as far as it can be read.
pub(crate) fn names(body: &[u8]) -> Vec<PackageName> {
    let names: Vec<String> = match serde_json::from_slice::<Projects>(body) {
        Ok(list) => list.projects.into_iter().map(|project| project.name).collect(),
        Err(_) => links(body),
    };
    names.iter().filter_map(|name| PackageName::new(name.trim().trim_end_matches('/')).ok()).collect()
}

/// What the links of a page of HTML say.
fn links(body: &[u8]) -> Vec<String> {
    let mut said = Vec::new();
    let mut inside = None;
    for Ok(token) in Tokenizer::new(body) {
        match token {
            Token::StartTag(tag) if tag.name.as_slice() == b"a" => inside = Some(String::new()),
            Token::EndTag(tag) if tag.name.as_slice() == b"a" => said.extend(inside.take()),
            Token::String(text) => {
                inside.iter_mut().for_each(|link| link.push_str(&String::from_utf8_lossy(&text)));
            }
            _ => {}
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_list_is_read_in_either_form() {
        let json = br#"{"meta": {"api-version": "1.0"}, "projects": [{"name": "A.b"}, {"name": "c"}, {"name": "?"}]}"#;
        let html = b"<!DOCTYPE html><html><body><a href=\"/simple/a-b/\">A.b</a> <a href='c/'> c/ </a><a>?</a></body>";
        for body in [&json[..], &html[..]] {
            let names: Vec<String> = names(body).iter().map(ToString::to_string).collect();
            assert_eq!(names, ["a-b", "c"]);
        }
        assert!(names(b"\0{").is_empty());
    }
}
