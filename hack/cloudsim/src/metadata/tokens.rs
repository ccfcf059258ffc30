//! Hardened mode: tokens of the metadata service, and its frequency limit.

use super::Page;
use crate::clock::Ms;
use crate::state::State;
use crate::world::Instance;

/// Longest lifetime of a token, in seconds.
const TTL_MAX: u64 = 21_600;

/// Issues a token. 400 for a missing or bad lifetime, 403 for a forwarded request.
pub fn issue(
    state: &mut State,
    instance: &str,
    ttl: Option<&str>,
    forwarded: bool,
    now: Ms,
) -> Page {
    if forwarded {
        return Err(403);
    }
    let ttl: Option<u64> = ttl.and_then(|text| text.trim().parse().ok());
    let ttl = ttl
        .filter(|ttl| (1..=TTL_MAX).contains(ttl))
        .ok_or(400_u16)?;
    let token = state.ids.secret(56);
    state
        .metadata
        .tokens
        .insert(token.clone(), (instance.to_owned(), now + ttl * 1_000));
    Ok(token)
}

/// Checks the token of a GET: 401 for a bad, foreign or expired one, 403 for none where one is
/// required.
pub fn check(state: &State, instance: &Instance, token: Option<&str>, now: Ms) -> Result<(), u16> {
    let Some(token) = token else {
        return if instance.http_tokens_required {
            Err(403)
        } else {
            Ok(())
        };
    };
    match state.metadata.tokens.get(token) {
        Some((owner, ends)) if *owner == instance.id && *ends > now => Ok(()),
        _ => Err(401),
    }
}

/// Counts a request of this second: 429 over the limit set.
pub fn check_rate(state: &mut State, instance: &str, now: Ms) -> Result<(), u16> {
    let Some(limit) = state.settings.metadata.per_second else {
        return Ok(());
    };
    let second = now / 1_000;
    let count = state
        .metadata
        .rates
        .entry(instance.to_owned())
        .or_insert((second, 0));
    if count.0 != second {
        *count = (second, 0);
    }
    count.1 += 1;
    if count.1 > limit { Err(429) } else { Ok(()) }
}
