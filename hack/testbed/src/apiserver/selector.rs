//! Label and field selectors of lists and watches.

use super::json::{at, text};
use super::kind::Kind;
use super::refusal::Refusal;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Label {
    Is(String, String),
    Not(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    path: String,
    value: String,
    equal: bool,
}

/// What a list or watch is narrowed to; the default lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    namespace: Option<String>,
    labels: Vec<Label>,
    fields: Vec<Field>,
}

impl Selector {
    /// From the request's namespace and its `labelSelector` and `fieldSelector`.
    pub fn parse(
        kind: &Kind,
        namespace: Option<&str>,
        labels: &str,
        fields: &str,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            labels: parts(labels)
                .iter()
                .map(|p| label(p))
                .collect::<Result<_, _>>()?,
            fields: parts(fields)
                .iter()
                .map(|p| field(kind, p))
                .collect::<Result<_, _>>()?,
        })
    }

    pub fn lets_through(&self, object: &Value) -> bool {
        let here = self
            .namespace
            .as_deref()
            .is_none_or(|ns| ns == super::json::namespace(object));
        let labels = at(object, "/metadata/labels");
        here && self.labels.iter().all(|l| l.holds(labels))
            && self.fields.iter().all(|f| f.holds(object))
    }

    /// Whether labels or fields narrow it: then the server counts no remaining items.
    pub fn is_narrow(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }
}

impl Label {
    fn holds(&self, labels: &Value) -> bool {
        let value = |key: &String| labels.get(key).and_then(Value::as_str);
        match self {
            Self::Is(key, want) => value(key) == Some(want),
            Self::Not(key, want) => value(key) != Some(want),
            Self::In(key, any) => value(key).is_some_and(|v| any.iter().any(|a| a == v)),
            Self::NotIn(key, none) => !value(key).is_some_and(|v| none.iter().any(|a| a == v)),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

impl Field {
    fn holds(&self, object: &Value) -> bool {
        let pointer = format!("/{}", self.path.replace('.', "/"));
        (text(object, &pointer) == self.value) == self.equal
    }
}

/// Splits at commas outside parentheses.
fn parts(selector: &str) -> Vec<String> {
    let mut depth = 0;
    let mut out = vec![String::new()];
    for c in selector.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out.retain(|p| !p.trim().is_empty());
    out
}

fn label(part: &str) -> Result<Label, Refusal> {
    let part = part.trim();
    let own = |s: &str| s.trim().to_owned();
    if let Some((key, set)) = part.split_once(" notin ") {
        return Ok(Label::NotIn(own(key), values(set)?));
    }
    if let Some((key, set)) = part.split_once(" in ") {
        return Ok(Label::In(own(key), values(set)?));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Ok(Label::Not(own(key), own(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Label::Is(own(key), own(value)));
    }
    match part.strip_prefix('!') {
        Some(key) => Ok(Label::Absent(own(key))),
        None if part.contains(' ') => Err(Refusal::bad_request(format!(
            "unable to parse requirement: {part}"
        ))),
        None => Ok(Label::Exists(own(part))),
    }
}

fn values(set: &str) -> Result<Vec<String>, Refusal> {
    let inside = set
        .trim()
        .strip_prefix('(')
        .and_then(|s| s.strip_suffix(')'));
    let inside = inside
        .ok_or_else(|| Refusal::bad_request(format!("unable to parse requirement: {set}")))?;
    Ok(inside.split(',').map(|v| v.trim().to_owned()).collect())
}

fn field(kind: &Kind, part: &str) -> Result<Field, Refusal> {
    let cut = part.split_once("!=").map(|(p, v)| (p, v, false));
    let cut = cut.or_else(|| {
        part.split_once("==")
            .or_else(|| part.split_once('='))
            .map(|(p, v)| (p, v, true))
    });
    let (path, value, equal) =
        cut.ok_or_else(|| Refusal::bad_request(format!("invalid selector: '{part}'")))?;
    if !kind.selectable.iter().any(|f| f == path) {
        return Err(Refusal::bad_request(format!(
            "field label not supported: {path}"
        )));
    }
    Ok(Field {
        path: path.to_owned(),
        value: value.to_owned(),
        equal,
    })
}
