//! Go durations ("5m30s"), read exactly as Go's `time.ParseDuration` reads them: users' manifests were written for it.
//!
//! Source: `src/time/format.go` of Go 1.26, its overflow rules and rounding included.

/// The largest magnitude: that of the most negative `i64`.
const LIMIT: u64 = 1 << 63;

/// A Go duration and how the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoDuration {
    text: String,
    nanos: i64,
}

/// What is wrong with a text that should be a Go duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GoDurationError {
    #[error("not a Go duration such as 5m30s")]
    Malformed,
    #[error("a number without a unit (ns, us, ms, s, m or h)")]
    NoUnit,
    #[error("not one of Go's units (ns, us, ms, s, m, h)")]
    UnknownUnit,
    #[error("longer than Go's longest duration, about 292 years")]
    Overflow,
}

impl GoDuration {
    pub fn parse(text: &str) -> Result<Self, GoDurationError> {
        Ok(Self {
            nanos: parse_nanos(text)?,
            text: text.to_owned(),
        })
    }

    /// As the user wrote it; records keep this form.
    pub fn as_given(&self) -> &str {
        &self.text
    }

    /// Nanoseconds; may be negative.
    pub fn nanos(&self) -> i64 {
        self.nanos
    }
}

/// The duration in nanoseconds.
pub fn parse_nanos(text: &str) -> Result<i64, GoDurationError> {
    let (negative, mut rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(GoDurationError::Malformed);
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (part, tail) = parse_part(rest)?;
        rest = tail;
        total = total.wrapping_add(part); // Go's own sum: two parts of 2^63 wrap to zero there too
        if total > LIMIT {
            return Err(GoDurationError::Overflow);
        }
    }
    signed(negative, total)
}

/// One number with its unit, in nanoseconds, and what follows.
fn parse_part(text: &[u8]) -> Result<(u64, &[u8]), GoDurationError> {
    let (whole, after_whole) = leading_int(text)?;
    let (fraction, scale, after_number, has_fraction) = match after_whole {
        [b'.', tail @ ..] => {
            let (fraction, scale, rest) = leading_fraction(tail);
            (fraction, scale, rest, rest.len() < tail.len())
        }
        _ => (0, 1.0, after_whole, false),
    };
    if after_whole.len() == text.len() && !has_fraction {
        return Err(GoDurationError::Malformed);
    }
    let end = after_number
        .iter()
        .position(|c| *c == b'.' || c.is_ascii_digit())
        .unwrap_or(after_number.len());
    let (name, rest) = after_number.split_at(end);
    let unit = unit(name)?;
    let whole = whole
        .checked_mul(unit)
        .filter(|nanos| *nanos <= LIMIT)
        .ok_or(GoDurationError::Overflow)?;
    let nanos = whole + fraction_nanos(fraction, scale, unit);
    if nanos > LIMIT {
        return Err(GoDurationError::Overflow);
    }
    Ok((nanos, rest))
}

fn unit(name: &[u8]) -> Result<u64, GoDurationError> {
    match name {
        b"" => Err(GoDurationError::NoUnit),
        b"ns" => Ok(1),
        // Both ways to write a micro sign: U+00B5 and U+03BC.
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => Ok(1_000),
        b"ms" => Ok(1_000_000),
        b"s" => Ok(1_000_000_000),
        b"m" => Ok(60_000_000_000),
        b"h" => Ok(3_600_000_000_000),
        _ => Err(GoDurationError::UnknownUnit),
    }
}

/// Leading digits as a number, at most 2^63.
fn leading_int(text: &[u8]) -> Result<(u64, &[u8]), GoDurationError> {
    let mut value: u64 = 0;
    let mut rest = text;
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        if value > LIMIT / 10 {
            return Err(GoDurationError::Overflow);
        }
        value = value * 10 + u64::from(digit - b'0');
        if value > LIMIT {
            return Err(GoDurationError::Overflow);
        }
        rest = tail;
    }
    Ok((value, rest))
}

/// Leading digits as numerator and denominator; digits beyond what fits are read and dropped, as in Go.
fn leading_fraction(text: &[u8]) -> (u64, f64, &[u8]) {
    let mut value: u64 = 0;
    let mut scale = 1.0;
    let mut full = false;
    let mut rest = text;
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        rest = tail;
        full = full || value > (LIMIT - 1) / 10;
        let next = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        full = full || next > LIMIT;
        if !full {
            value = next;
            scale *= 10.0;
        }
    }
    (value, scale, rest)
}

/// Go counts this in float64; so do we, for the same rounding.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn fraction_nanos(fraction: u64, scale: f64, unit: u64) -> u64 {
    (fraction as f64 * (unit as f64 / scale)) as u64
}

fn signed(negative: bool, total: u64) -> Result<i64, GoDurationError> {
    if negative {
        Ok(0_i64.wrapping_sub_unsigned(total)) // 2^63 is the most negative i64 itself
    } else {
        i64::try_from(total).map_err(|_| GoDurationError::Overflow)
    }
}

#[cfg(test)]
mod tests;
