//! Pages by number: `PageNumber` and `PageSize`.

use serde_json::{Value, json};

use crate::rpc::{ApiError, Args};
use crate::settings::Settings;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// Reads a page with the default size 10 and the call's own maximum.
    pub fn read(args: &Args, most: u32, settings: &Settings) -> Result<Self, ApiError> {
        let number = args.number("PageNumber")?.unwrap_or(1);
        let size = args.number("PageSize")?.unwrap_or(10);
        if number == 0 {
            return Err(ApiError::invalid("PageNumber", "less than 1"));
        }
        if size == 0 || (size > most && settings.open.page_size_refused) {
            return Err(ApiError::invalid(
                "PageSize",
                format!("not from 1 to {most}"),
            ));
        }
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Self {
            number,
            size: usize::try_from(size.min(most)).unwrap_or(usize::MAX),
        })
    }

    /// The items of this page.
    pub fn cut<T>(self, items: Vec<T>) -> Vec<T> {
        let before = (self.number - 1).saturating_mul(self.size);
        items.into_iter().skip(before).take(self.size).collect()
    }

    /// The answer's fields about pages, to which the list is added.
    pub fn fields(self, total: usize) -> Value {
        json!({"TotalCount": total, "PageNumber": self.number, "PageSize": self.size})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(pairs: &[(&str, &str)]) -> Args {
        Args(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn pages_cut_a_list_into_parts() {
        let settings = Settings::default();
        let page = |number: &str| {
            let args = args(&[("PageNumber", number), ("PageSize", "4")]);
            Page::read(&args, 100, &settings)
                .unwrap()
                .cut((0..10).collect::<Vec<_>>())
        };
        assert_eq!(page("1"), [0, 1, 2, 3]);
        assert_eq!(page("3"), [8, 9]);
        assert_eq!(page("4"), [] as [i32; 0]);
    }

    #[test]
    fn pages_over_the_maximum_are_refused_or_cut_as_set() {
        let mut settings = Settings::default();
        let args = args(&[("PageSize", "101")]);
        assert_eq!(
            Page::read(&args, 100, &settings).unwrap_err().code,
            "InvalidParameter"
        );
        settings.open.page_size_refused = false;
        assert_eq!(Page::read(&args, 100, &settings).unwrap().size, 100);
    }
}
