//! GraphQL: only queries are sent, and of the answer only the outline is read.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::GraphqlError;

/// The outline of an answer.
#[derive(Debug)]
pub(crate) struct Outline {
    pub(crate) has_data: bool,
    pub(crate) errors: Vec<GraphqlError>,
}

#[derive(Deserialize)]
struct Envelope<'b> {
    #[serde(borrow)]
    data: Option<&'b RawValue>,
    errors: Option<Vec<GraphqlError>>,
}

/// Reads the outline; `None` if this is no answer to a query.
pub(crate) fn outline(body: &[u8]) -> Option<Outline> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).ok()?;
    let (has_data, errors) = (envelope.data.is_some(), envelope.errors.unwrap_or_default());
    (has_data || !errors.is_empty()).then_some(Outline { has_data, errors })
}

/// Whether a document holds only queries and fragments: nothing in it changes anything.
pub(crate) fn is_read_only(document: &str) -> bool {
    definitions(document).iter().all(|word| !matches!(word.as_str(), "mutation" | "subscription"))
}

/// The name of the document's first query.
pub(crate) fn operation_name(document: &str) -> Option<String> {
    let words = definitions(document);
    let at = words.iter().position(|word| word == "query")?;
    words.get(at + 1).cloned()
}

/// The words of a document that stand outside of all brackets, strings and comments.
fn definitions(document: &str) -> Vec<String> {
    let (mut words, mut word, mut depth) = (Vec::new(), String::new(), 0_usize);
    let mut rest = document.chars();
    while let Some(letter) = rest.next() {
        if letter.is_alphanumeric() || letter == '_' {
            if depth == 0 {
                word.push(letter);
            }
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        match letter {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            '#' => rest = skip_to_line_end(rest),
            '"' => rest = skip_string(rest),
            _ => {}
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

fn skip_to_line_end(rest: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let text = rest.as_str();
    text[text.find(['\n', '\r']).unwrap_or(text.len())..].chars()
}

fn skip_string(rest: std::str::Chars<'_>) -> std::str::Chars<'_> {
    let text = rest.as_str();
    if let Some(block) = text.strip_prefix("\"\"") {
        return block.split_once("\"\"\"").map_or("", |(_, after)| after).chars();
    }
    let mut escaped = false;
    let end = text.find(|letter| {
        let closes = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        closes
    });
    text[end.map_or(text.len(), |end| end + 1)..].chars()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_queries_are_read_only() {
        for query in [
            "{ currentUser { id } }",
            "query Q($mutation: ID) { a(b: \"}mutation\") { mutation } } # mutation",
            "fragment F on X { a } query { ...F }",
        ] {
            assert!(is_read_only(query), "{query}");
        }
        for change in [
            "mutation { a }",
            "query { a }\nmutation M { b }",
            "{ a(b: \"\\\"\") } subscription S { c }",
            "{ a(b: \"\"\"x\"\"\") } mutation { c }",
        ] {
            assert!(!is_read_only(change), "{change}");
        }
    }

    #[test]
    fn a_query_is_known_by_its_name() {
        assert_eq!(operation_name("query MergeRequests($id: ID!) { a }").as_deref(), Some("MergeRequests"));
        assert_eq!(operation_name("{ a }"), None);
    }

    #[test]
    fn the_outline_tells_data_and_errors() {
        let body = br#"{"data":null,"errors":[{"message":"no","path":["project",0,"x"],"locations":[]}]}"#;
        let outline = outline(body).unwrap();
        assert!(!outline.has_data);
        assert_eq!(outline.errors[0].path.as_deref(), Some("project.0.x"));
        assert!(super::outline(b"{}").is_none());
    }
}
