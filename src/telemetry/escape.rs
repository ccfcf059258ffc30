//! Makes text from users and from the cloud safe to print: no control characters, no hidden direction changes.
//!
//! A pod annotation or an error message may hold anything. Printed raw, a newline forges a log line, and an escape
//! sequence or a bidirectional override makes a terminal show what is not there.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How an escaped character is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As Rust and most languages write it: `\n`, `\u{1b}`.
    Text,
    /// As JSON strings write it: `\u001b`.
    Json,
}

/// Whether `c` must not reach a terminal or a log as it is.
///
/// C0, DEL and C1 controls; the two Unicode line ends; and the bidirectional controls (Unicode UAX 9).
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` with each unsafe character written out; borrowed where there is none.
pub fn escape(text: &str, style: Style) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match (is_unsafe(c), style) {
            (false, _) => out.push(c),
            (true, Style::Text) => out.extend(c.escape_default()),
            // Every unsafe character is in the basic plane: four digits are enough. Writing to a String cannot fail.
            (true, Style::Json) => drop(write!(out, "\\u{:04x}", u32::from(c))),
        }
    }
    Cow::Owned(out)
}

/// `text`, escaped as [`Style::Text`].
pub fn plain(text: &str) -> Cow<'_, str> {
    escape(text, Style::Text)
}

/// The longest beginning of `text` with at most `max` bytes that does not cut a character in two.
pub fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_direction_changes_are_written_out() {
        let table = [
            ("a\nb", r"a\nb"),
            ("a\r\tb", r"a\r\tb"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{7f}\u{85}", r"\u{7f}\u{85}"),
            ("\u{202e}txt", r"\u{202e}txt"),
            ("\u{2028}", r"\u{2028}"),
            ("\0", r"\u{0}"),
        ];
        for (given, want) in table {
            assert_eq!(plain(given), want, "{given:?}");
        }
    }

    #[test]
    fn ordinary_text_is_borrowed_unchanged() {
        for text in ["", "plain", r"back\slash", "公网地址", "é🦀"] {
            assert!(matches!(plain(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn json_style_stays_valid_json() {
        let line = format!("\"{}\"", escape("\u{1b}\n\u{85}\u{202e}x", Style::Json));
        let back: String = serde_json::from_str(&line).unwrap();
        assert_eq!(back, "\u{1b}\n\u{85}\u{202e}x");
        assert!(!line.contains(is_unsafe));
    }

    #[test]
    fn cut_keeps_characters_whole() {
        assert_eq!(cut("añb", 2), "a");
        assert_eq!(cut("añb", 3), "añ");
        assert_eq!(cut("ab", 9), "ab");
    }
}
