//! Waits that end as soon as what is expected is there, and say what was there instead when time is over.

use std::time::Duration;

use crate::cases::CaseError;
use crate::clock;

const PERIOD: Duration = Duration::from_millis(100);

/// Looks until there is what was `expected`; `Err` of a look is what was seen instead.
pub async fn until<T>(
    expected: &str,
    seconds: u64,
    look: impl AsyncFn() -> Result<Result<T, String>, CaseError>,
) -> Result<T, CaseError> {
    let deadline = clock::now() + Duration::from_secs(seconds);
    loop {
        match look().await? {
            Ok(found) => return Ok(found),
            Err(seen) if clock::now() >= deadline => {
                return Err(CaseError::new(format!(
                    "expected within {seconds} s: {expected}; seen: {seen}"
                )));
            }
            Err(_) => clock::sleep(PERIOD).await,
        }
    }
}
