//! Lists that come in pages by number, read to their end.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::Vpc;
use crate::cloud::error::CloudError;
use crate::cloud::rpc::{self, Args, push};
use crate::domain::ids::RequestId;

/// More pages than any list of an account has; a `TotalCount` that never comes to an end must not be a loop without one.
const PAGES: usize = 200;

/// One page.
pub(super) trait Page: DeserializeOwned {
    type Item;
    /// The call that gives it.
    const ACTION: &'static str;
    /// The largest that the call gives.
    const SIZE: usize;

    /// `TotalCount`.
    fn total(&self) -> usize;
    fn items(self) -> Vec<Self::Item>;
    /// Tells items apart: what is released meanwhile makes another show twice.
    fn id(item: &Self::Item) -> String;
}

impl Vpc {
    /// All that the filter lets through.
    pub(super) async fn pages<P: Page>(&self, filter: &Args) -> Result<Vec<P::Item>, CloudError> {
        let (mut seen, mut known) = (Vec::new(), BTreeSet::new());
        for number in 1..=PAGES {
            let mut args = filter.clone();
            push(&mut args, "PageNumber", &number.to_string());
            push(&mut args, "PageSize", &P::SIZE.to_string());
            let page: P = self.call(P::ACTION, args).await?.parse()?;
            let total = page.total();
            let items = page.items();
            let last = items.len() < P::SIZE;
            seen.extend(items.into_iter().filter(|item| known.insert(P::id(item))));
            if last || seen.len() >= total {
                return Ok(seen);
            }
        }
        Err(rpc::unreadable(
            P::ACTION,
            RequestId::new(""),
            "pages without an end",
        ))
    }
}
