//! `docs/annotations.md` and `docs/dnat.md` as data: their rows and examples, for the tests that hold page and program to each other.
//!
//! What is read: tables whose last two columns are `example` and `test`; fenced blocks opened by ```` ```yaml example=NAME ````;
//! and ```` ```text events=NAME ````, the Events that the pods of that example get, one a line, reason first.

use std::collections::BTreeMap;

/// The page as it stands in the clone that this was built from.
const TEXT: &str = include_str!("../../../docs/annotations.md");
const PORTS: &str = include_str!("../../../docs/dnat.md");
/// What a short name in the first column of the table of annotations stands under.
const PREFIXES: [&str; 2] = ["network.alibabacloud.com/", "k8s.aliyun.com/"];

/// What the page has.
#[derive(Debug, Default)]
pub struct Page {
    pub rows: Vec<Row>,
    pub examples: Vec<Example>,
}

/// A row that names a test.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The first cell, as written.
    pub about: String,
    /// The annotations that it is about, prefix included; none in another table than that of annotations.
    pub keys: Vec<String>,
    /// Names of examples.
    pub examples: Vec<String>,
    /// As `hack/test --list` prints them.
    pub tests: Vec<String>,
}

/// A manifest that tests apply as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub name: String,
    pub yaml: String,
    /// `REASON TEXT` of each Event about the request, sorted.
    pub events: Vec<String>,
}

/// What makes no sense on the page.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    #[error("line {0}: a block that does not end")]
    Open(usize),
    #[error("the example {0} is there twice")]
    Twice(String),
    #[error("no example is called {0}")]
    NoExample(String),
    #[error("no row names the test {0}")]
    NoRow(String),
    #[error("the row of {0} names no example or no test")]
    Bare(String),
}

impl Page {
    /// The page of this clone.
    pub fn read() -> Result<Self, PageError> {
        Self::parse(TEXT)
    }

    /// The page about ports of this clone.
    pub fn of_ports() -> Result<Self, PageError> {
        Self::parse(PORTS)
    }

    /// Reads a page.
    pub fn parse(text: &str) -> Result<Self, PageError> {
        let mut page = Self::default();
        let mut events = BTreeMap::new();
        let mut lines = text.lines().enumerate();
        let mut heads: Option<Vec<String>> = None;
        while let Some((number, line)) = lines.next() {
            if let Some(info) = line.strip_prefix("```") {
                let body = block(&mut lines).ok_or(PageError::Open(number + 1))?;
                match info.split_once('=') {
                    Some(("yaml example", name)) => page.add(name, body)?,
                    Some(("text events", name)) => {
                        events.insert(name.to_owned(), sorted(&body));
                    }
                    _ => {}
                }
                heads = None;
                continue;
            }
            match (cells(line), &heads) {
                (None, _) => heads = None,
                (Some(cells), None) => heads = Some(cells),
                (Some(cells), Some(heads)) => page.rows.extend(row(heads, &cells)?),
            }
        }
        for (name, events) in events {
            let example = page
                .examples
                .iter_mut()
                .find(|example| example.name == name);
            example.ok_or(PageError::NoExample(name))?.events = events;
        }
        for name in page.rows.iter().flat_map(|row| &row.examples) {
            page.example(name)?;
        }
        Ok(page)
    }

    /// The example of that name.
    pub fn example(&self, name: &str) -> Result<&Example, PageError> {
        let found = self.examples.iter().find(|example| example.name == name);
        found.ok_or_else(|| PageError::NoExample(name.to_owned()))
    }

    /// The examples of the rows that name this test, each once.
    pub fn shown_by(&self, test: &str) -> Result<Vec<&Example>, PageError> {
        let mut found: Vec<&Example> = Vec::new();
        let rows = self
            .rows
            .iter()
            .filter(|row| row.tests.iter().any(|one| one == test));
        for name in rows.flat_map(|row| &row.examples) {
            let example = self.example(name)?;
            if !found.contains(&example) {
                found.push(example);
            }
        }
        match found.is_empty() {
            true => Err(PageError::NoRow(test.to_owned())),
            false => Ok(found),
        }
    }

    fn add(&mut self, name: &str, yaml: String) -> Result<(), PageError> {
        if self.example(name).is_ok() {
            return Err(PageError::Twice(name.to_owned()));
        }
        let (name, events) = (name.to_owned(), Vec::new());
        self.examples.push(Example { name, yaml, events });
        Ok(())
    }
}

/// The lines up to the end of the block.
fn block<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Option<String> {
    let mut body = String::new();
    for (_, line) in lines {
        if line.starts_with("```") {
            return Some(body);
        }
        body.push_str(line);
        body.push('\n');
    }
    None
}

fn sorted(body: &str) -> Vec<String> {
    let mut lines: Vec<_> = body.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The cells of a table's line; no cell of the page holds a `|` of its own.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect(),
    )
}

/// A row of a table whose last two columns are example and test.
fn row(heads: &[String], cells: &[String]) -> Result<Option<Row>, PageError> {
    let (Some(head), Some(about)) = (heads.first(), cells.first()) else {
        return Ok(None);
    };
    let [.., examples, tests] = cells else {
        return Ok(None);
    };
    if !heads.ends_with(&["example".to_owned(), "test".to_owned()]) || about.starts_with("---") {
        return Ok(None);
    }
    let spans = |cell: &str| spans(cell).map(str::to_owned).collect::<Vec<_>>();
    let row = Row {
        about: about.clone(),
        keys: match head == "annotation" {
            true => spans(about).iter().flat_map(|name| keys(name)).collect(),
            false => Vec::new(),
        },
        examples: spans(examples),
        tests: spans(tests),
    };
    match row.examples.is_empty() || row.tests.is_empty() {
        true => Err(PageError::Bare(row.about)),
        false => Ok(Some(row)),
    }
}

/// What stands in backticks.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// A name without prefix stands for both.
fn keys(name: &str) -> Vec<String> {
    match name.contains('/') {
        true => vec![name.to_owned()],
        false => PREFIXES
            .iter()
            .map(|prefix| format!("{prefix}{name}"))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
