//! Log lines on standard error, as text or JSON, one per event, each with the node's name.
//!
//! tracing-subscriber escapes some of a message's control characters, and none of a `%` field's: a newline in a pod
//! annotation would forge a line. So every line passes through [`Line`], which escapes what is unsafe.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::escape::{Style, escape};

/// Conventional field names. `node` is on every line already and is not set by hand.
pub mod field {
    /// The node that this agent serves.
    pub const NODE: &str = "node";
    /// A pod, as namespace/name.
    pub const POD: &str = "pod";
    /// An EIP's id, `eip-...`.
    pub const EIP: &str = "eip";
    /// An ENI's id, `eni-...`.
    pub const ENI: &str = "eni";
    /// The cloud's `RequestId`.
    pub const REQUEST_ID: &str = "request_id";
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level is neither a level nor a list of `target=level`.
    #[error("log level {level:?}: {reason}")]
    Level { level: String, reason: String },
    /// Somebody has set a global subscriber already.
    #[error("logs are already set up")]
    AlreadySet,
}

/// Libraries that say at `info` and `debug` what only their authors want to know.
const QUIET: &str = "kube=warn,kube_client=warn,kube_runtime=warn,hyper=warn,hyper_util=warn,reqwest=warn,\
                     rustls=warn,tower=warn,h2=warn";

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Installs the process-wide subscriber.
pub fn init(format: Format, level: &str, node: &str) -> Result<(), Error> {
    let writer = Lines {
        format,
        node: node.to_owned(),
        out: io::stderr,
    };
    subscriber(format, level, writer)?
        .try_init()
        .map_err(|_| Error::AlreadySet)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic's own message would be several raw lines.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    let message = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(at, "panic: {message}");
}

/// The filter for `level`: a level (`info`), or directives as in `info,eipd::cloud=debug`.
pub fn filter(level: &str) -> Result<EnvFilter, Error> {
    let refuse = |reason: String| Error::Level {
        level: level.to_owned(),
        reason,
    };
    let parts: Vec<&str> = level.split(',').map(str::trim).collect();
    parts
        .iter()
        .try_for_each(|part| check_directive(part))
        .map_err(refuse)?;
    EnvFilter::builder()
        .with_regex(false)
        .parse(format!("{QUIET},{}", parts.join(",")))
        .map_err(|e| refuse(e.to_string()))
}

/// `EnvFilter` takes a misspelt level for the name of a module, whose every line it then shows; so look first.
fn check_directive(part: &str) -> Result<(), String> {
    let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
    if LEVELS.contains(&level.to_ascii_lowercase().as_str()) {
        return Ok(());
    }
    Err(format!("{level:?} is none of {}", LEVELS.join(", ")))
}

fn subscriber<W>(
    format: Format,
    level: &str,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // No colours, ever: the place of these lines is a file, and an escape sequence in one is somebody's attack.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(level)?)
        .with_ansi(false)
        .with_writer(writer);
    Ok(match format {
        Format::Text => Box::new(builder.finish()),
        Format::Json => Box::new(
            builder
                .json()
                .flatten_event(true)
                .with_span_list(false)
                .finish(),
        ),
    })
}

/// Makes one [`Line`] per event.
struct Lines<M> {
    format: Format,
    node: String,
    out: M,
}

/// One log line on its way out; tracing-subscriber writes a whole event with one call.
struct Line<'a, W> {
    format: Format,
    node: &'a str,
    out: W,
}

impl<'a, W: Write, M: Fn() -> W> MakeWriter<'a> for Lines<M> {
    type Writer = Line<'a, W>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            format: self.format,
            node: &self.node,
            out: (self.out)(),
        }
    }
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(buf);
        let line = self.finish(text.strip_suffix('\n').unwrap_or(&text));
        self.out.write_all(line.as_bytes())?;
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W> Line<'_, W> {
    fn finish(&self, line: &str) -> String {
        match self.format {
            Format::Text => format!("{} node={}\n", escape(line, Style::Text), self.node),
            Format::Json => {
                let rest = line.strip_prefix('{').unwrap_or(line);
                let node = serde_json::Value::from(self.node);
                format!("{{\"node\":{node},{}\n", escape(rest, Style::Json))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(buf)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format, level: &str, say: impl FnOnce()) -> String {
        let sink = Sink::default();
        let to = sink.clone();
        let writer = Lines {
            format,
            node: "cn-hangzhou.10.0.0.1".into(),
            out: move || to.clone(),
        };
        let subscriber = subscriber(format, level, writer).unwrap();
        tracing::subscriber::with_default(subscriber, say);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    const EVIL: &str = "x\nERROR forged\r\u{1b}[2J\u{85}\u{202e}end";

    fn say_evil() {
        tracing::info!(pod = %EVIL, eip = EVIL, why = ?EVIL, "message {EVIL}");
    }

    #[test]
    fn text_is_one_line_whatever_users_wrote() {
        let text = logged(Format::Text, "info", say_evil);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            !text
                .trim_end_matches('\n')
                .contains(super::super::escape::is_unsafe),
            "{text:?}"
        );
        assert!(
            text.contains(r"pod=x\nERROR forged\r\u{1b}[2J\u{85}\u{202e}end"),
            "{text}"
        );
        assert!(text.ends_with(" node=cn-hangzhou.10.0.0.1\n"), "{text}");
    }

    #[test]
    fn json_is_one_object_whatever_users_wrote() {
        let text = logged(Format::Json, "info", say_evil);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            !text
                .trim_end_matches('\n')
                .contains(super::super::escape::is_unsafe),
            "{text:?}"
        );
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["pod"], EVIL);
        assert_eq!(line["eip"], EVIL);
        assert_eq!(line["message"], format!("message {EVIL}"));
        assert_eq!(line["level"], "INFO");
        assert_eq!(line[field::NODE], "cn-hangzhou.10.0.0.1");
    }

    #[test]
    fn fields_of_the_span_come_along() {
        let say = || {
            let span = tracing::info_span!("record", pod = "default/web-0", eip = "eip-1");
            span.in_scope(|| tracing::info!(request_id = "R-1", "bound"));
        };
        let text = logged(Format::Text, "info", say);
        assert!(
            text.contains(r#"pod="default/web-0" eip="eip-1""#),
            "{text}"
        );
        let line: serde_json::Value =
            serde_json::from_str(&logged(Format::Json, "info", say)).unwrap();
        assert_eq!(line["span"][field::POD], "default/web-0");
        assert_eq!(line[field::REQUEST_ID], "R-1");
    }

    #[test]
    fn libraries_are_quiet_unless_asked() {
        let say = || {
            tracing::info!(target: "kube_client::client", "chatter");
            tracing::warn!(target: "hyper_util::client", "trouble");
        };
        let text = logged(Format::Text, "debug", say);
        assert!(
            !text.contains("chatter") && text.contains("trouble"),
            "{text}"
        );
        assert!(logged(Format::Text, "info,kube_client=info", say).contains("chatter"));
    }

    #[test]
    fn levels_are_checked() {
        for good in [
            "info",
            "DEBUG",
            "off",
            "info,eipd=debug",
            "warn, eipd::cloud=trace",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["", "inof", "info,", "eipd=loud", "verbose,eipd=debug"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
