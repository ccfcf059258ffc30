//! The parser of the reference page, with pages of a few lines.

use super::*;

const SMALL: &str = r"
| annotation | meaning | example | test |
| --- | --- | --- | --- |
| `eip-name`<br>alias `k8s.aliyun.com/old` | a `word` | `one`, `two` | `a::b` |

| output | example | test |
| --- | --- | --- |
| `k8s.aliyun.com/out` | `one` | `a::c`, `a::b` |

| reason | meaning |
| --- | --- |
| `Said` | something |

```yaml example=one
kind: Pod
```

```yaml
kind: ignored
```

```yaml example=two
kind: Job
```

```text events=two
Z second
A first
```
";

#[test]
fn a_row_has_keys_examples_and_tests() {
    let page = Page::parse(SMALL).unwrap();
    let strings = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    assert_eq!(page.rows.len(), 2);
    let keys = [
        "network.alibabacloud.com/eip-name",
        "k8s.aliyun.com/eip-name",
        "k8s.aliyun.com/old",
    ];
    assert_eq!(page.rows[0].keys, strings(&keys));
    assert_eq!(page.rows[0].examples, strings(&["one", "two"]));
    assert_eq!(page.rows[0].tests, strings(&["a::b"]));
    assert!(
        page.rows[1].keys.is_empty(),
        "an output is no annotation to set"
    );
}

#[test]
fn a_block_is_taken_as_it_stands() {
    let page = Page::parse(SMALL).unwrap();
    assert_eq!(page.example("one").unwrap().yaml, "kind: Pod\n");
    assert_eq!(page.example("two").unwrap().events, ["A first", "Z second"]);
    assert_eq!(page.examples.len(), 2);
}

#[test]
fn a_test_shows_the_examples_of_its_rows() {
    let page = Page::parse(SMALL).unwrap();
    let names = |test| {
        let found = page
            .shown_by(test)
            .map(|all| all.iter().map(|one| one.name.clone()).collect::<Vec<_>>());
        found.map(|names| names.join(" "))
    };
    assert_eq!(names("a::b").unwrap(), "one two");
    assert_eq!(names("a::c").unwrap(), "one");
    assert_eq!(names("a::d"), Err(PageError::NoRow("a::d".to_owned())));
}

#[test]
fn what_makes_no_sense_is_an_error() {
    let error = |text: &str| Page::parse(text).unwrap_err();
    assert_eq!(error("```yaml example=x\n"), PageError::Open(1));
    let twice = "```yaml example=x\n```\n```yaml example=x\n```\n";
    assert_eq!(error(twice), PageError::Twice("x".to_owned()));
    assert_eq!(
        error("```text events=x\n```\n"),
        PageError::NoExample("x".to_owned())
    );
    let head = "| output | example | test |\n| --- | --- | --- |\n";
    assert_eq!(
        error(&format!("{head}| x | `y` | `t` |\n")),
        PageError::NoExample("y".to_owned())
    );
    assert_eq!(
        error(&format!("{head}| x | `y` | |\n")),
        PageError::Bare("x".to_owned())
    );
}
