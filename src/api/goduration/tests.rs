//! Durations read as Go reads them: the tables are those of Go's own tests (`src/time/time_test.go`).

use proptest::prelude::*;

use super::*;

const NS: i64 = 1;
const US: i64 = 1_000 * NS;
const MS: i64 = 1_000 * US;
const S: i64 = 1_000 * MS;
const M: i64 = 60 * S;
const H: i64 = 60 * M;

#[test]
fn reads_what_go_reads() {
    let table = [
        ("0", 0),
        ("5s", 5 * S),
        ("30s", 30 * S),
        ("1478s", 1478 * S),
        ("-5s", -5 * S),
        ("+5s", 5 * S),
        ("-0", 0),
        ("+0", 0),
        ("5.0s", 5 * S),
        ("5.6s", 5 * S + 600 * MS),
        ("5.s", 5 * S),
        (".5s", 500 * MS),
        ("1.0s", S),
        ("1.00s", S),
        ("1.004s", S + 4 * MS),
        ("1.0040s", S + 4 * MS),
        ("100.00100s", 100 * S + MS),
        ("10ns", 10 * NS),
        ("11us", 11 * US),
        ("12\u{b5}s", 12 * US),
        ("12\u{3bc}s", 12 * US),
        ("13ms", 13 * MS),
        ("14s", 14 * S),
        ("15m", 15 * M),
        ("16h", 16 * H),
        ("3h30m", 3 * H + 30 * M),
        ("10.5s4m", 4 * M + 10 * S + 500 * MS),
        ("-2m3.4s", -(2 * M + 3 * S + 400 * MS)),
        ("1h2m3s4ms5us6ns", H + 2 * M + 3 * S + 4 * MS + 5 * US + 6),
        ("39h9m14.425s", 39 * H + 9 * M + 14 * S + 425 * MS),
        ("52763797000ns", 52_763_797_000),
        ("0.3333333333333333333h", 20 * M),
        ("9007199254740993ns", (1 << 53) + 1),
        ("9223372036854775807ns", i64::MAX),
        ("9223372036854775.807us", i64::MAX),
        ("9223372036s854ms775us807ns", i64::MAX),
        ("-9223372036854775808ns", i64::MIN),
        ("-9223372036854775.808us", i64::MIN),
        ("-9223372036s854ms775us808ns", i64::MIN),
        ("-2562047h47m16.854775808s", i64::MIN),
        ("0.100000000000000000000h", 6 * M),
        ("0.830103483285477580700h", 49 * M + 48 * S + 372_539_827),
        ("5m30s", 5 * M + 30 * S),
    ];
    for (text, nanos) in table {
        assert_eq!(parse_nanos(text), Ok(nanos), "{text}");
        assert_eq!(GoDuration::parse(text).unwrap().as_given(), text);
    }
}

#[test]
fn refuses_what_go_refuses() {
    use GoDurationError::{Malformed, NoUnit, Overflow, UnknownUnit};
    let table = [
        ("", Malformed),
        ("3", NoUnit),
        ("-", Malformed),
        ("s", Malformed),
        (".", Malformed),
        ("-.", Malformed),
        (".s", Malformed),
        ("+.s", Malformed),
        ("1d", UnknownUnit),
        ("5 m", UnknownUnit),
        (" 5m", Malformed),
        ("5m ", UnknownUnit),
        ("5M", UnknownUnit),
        ("banana", Malformed),
        ("1h 30m", UnknownUnit),
        ("--5m", Malformed),
        ("\u{fffd}", Malformed),
        ("1\u{fffd}", UnknownUnit),
        ("9223372036854775810ns", Overflow),
        ("9223372036854775808ns", Overflow),
        ("-9223372036854775809ns", Overflow),
        ("9223372036854776us", Overflow),
        ("3000000h", Overflow),
        ("9223372036854775.808us", Overflow),
        ("9223372036854ms775us808ns", Overflow),
        ("99999999999999999999s", Overflow),
    ];
    for (text, error) in table {
        assert_eq!(parse_nanos(text), Err(error), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".*") {
        let _ = parse_nanos(&text);
    }

    #[test]
    fn no_near_duration_panics(text in "[-+]?([0-9]{0,25}(\\.[0-9]{0,25})?(ns|us|ms|s|m|h|d|)){0,4}") {
        let _ = parse_nanos(&text);
    }

    #[test]
    fn sums_of_units_are_sums(h in 0i64..1000, m in 0i64..1000, s in 0i64..100_000, ms in 0i64..100_000) {
        prop_assert_eq!(parse_nanos(&format!("{h}h{m}m{s}s{ms}ms")), Ok(h * H + m * M + s * S + ms * MS));
    }
}
