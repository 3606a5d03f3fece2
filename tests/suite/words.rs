//! What guests read is in `src/language`: a template has no words of its own.

use crate::support::root;

/// Names, which are the same in every language.
const NAMES: [&str; 5] = ["Apple, Thunderbird", "CSV", "Google", "JSON", "Outlook.com"];
/// Attributes that are read by people, or aloud to them.
const SAID: [&str; 7] =
    ["aria-label", "aria-description", "aria-roledescription", "title", "alt", "placeholder", "label"];

/// A template without what is filled in.
fn literal(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        text.push_str(&rest[..start]);
        let end = match &rest[start..start + 2] {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        rest = rest[start..].split_once(end).expect("an expression ends").1;
    }
    text + rest
}

/// The words of a template that are neither filled in nor names.
fn words(template: &str) -> Vec<String> {
    let literal = literal(template);
    let mut found = Vec::new();
    let mut note = |text: &str| {
        let text = text.trim();
        if text.chars().filter(|c| c.is_alphabetic()).count() > 1 && !NAMES.contains(&text) {
            found.push(text.to_owned());
        }
    };
    for part in literal.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        note(text);
        for name in SAID {
            for value in tag.split(&format!(" {name}=\"")).skip(1) {
                note(value.split('"').next().unwrap_or_default());
            }
        }
    }
    found
}

#[test]
fn no_template_has_words_of_its_own() {
    let (mut read, mut left) = (0, vec![root().join("src/http/pages/templates")]);
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let template = std::fs::read_to_string(&path).unwrap();
        assert_eq!(words(&template), Vec::<String>::new(), "{}", path.display());
        read += 1;
    }
    assert!(read > 10, "{read} templates");
}

#[test]
fn words_are_found_where_they_are() {
    let template = "<p title=\"{{ a }}\">{{ t.b }} {% if x < 2 %}·{% endif %}</p><img alt=\"A dog\"><b>Google</b><i>Cancel {{ it }}</i>";
    assert_eq!(words(template), ["A dog", "Cancel"]);
}
