//! Where a paged listing is.

use crate::aws::error::{Error, Kind};
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::EncodingType;

/// Keys may hold what XML cannot (control characters), so they are asked for URL-encoded; one such
/// key would otherwise make
/// every listing of its bucket unreadable. A store that does not know the parameter says nothing of
/// an encoding, and is taken at its word.
pub(super) fn decoded(key: &str, encoding: Option<&EncodingType>) -> String {
    if encoding.is_none() {
        return key.to_owned();
    }
    percent_encoding::percent_decode_str(&key.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

/// Empty pages in a row after which a listing is given up.
const MOST_EMPTY_PAGES: usize = 100;

/// Where a paged listing is. A store whose pages never advance would be listed for ever.
pub(super) struct Pages {
    operation: &'static str,
    thing: String,
    /// Of the next request: a key and a version, or a token.
    pub at: (Option<String>, Option<String>),
    empty: usize,
}

impl Pages {
    pub fn new(operation: &'static str, thing: String, after: Option<&str>) -> Self {
        Self {
            operation,
            thing,
            at: (after.map(str::to_owned), None),
            empty: 0,
        }
    }

    /// Goes on behind a page that brought something or not.
    pub fn go_on(
        &mut self,
        next: (Option<String>, Option<String>),
        brought: bool,
    ) -> Result<(), Error> {
        self.empty = if brought { 0 } else { self.empty + 1 };
        if next.0.is_none() || self.at == next || self.empty > MOST_EMPTY_PAGES {
            return Err(Error::new(
                Kind::Integrity,
                self.operation,
                self.thing.as_str(),
                "ListingStuck",
                "a page says that more follows, and not where",
            ));
        }
        self.at = next;
        Ok(())
    }

    /// Behind a page of versions, delete markers and folders.
    pub fn behind(&mut self, page: &ListObjectVersionsOutput) -> Result<(), Error> {
        let brought = !(page.versions().is_empty()
            && page.delete_markers().is_empty()
            && page.common_prefixes().is_empty());
        let key = page
            .next_key_marker()
            .map(|k| decoded(k, page.encoding_type()));
        self.go_on(
            (key, page.next_version_id_marker().map(str::to_owned)),
            brought,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_that_does_not_advance_ends_with_an_error() {
        let mut pages = Pages::new("ListObjectVersions", String::new(), None);
        let markers = |n: usize| (Some(format!("k{n}")), None);
        pages.go_on(markers(1), true).unwrap();
        assert_eq!(pages.at, markers(1));
        assert_eq!(
            pages.go_on(markers(1), true).unwrap_err().code,
            "ListingStuck",
            "the same place again"
        );
        assert_eq!(
            pages.go_on((None, None), true).unwrap_err().code,
            "ListingStuck",
            "no place at all"
        );
        let stuck = (2..)
            .map(|n| pages.go_on(markers(n), false))
            .position(|r| r.is_err());
        assert_eq!(
            stuck,
            Some(MOST_EMPTY_PAGES),
            "new places, and nothing there"
        );
    }

    #[test]
    fn keys_are_decoded_only_where_the_store_encoded_them() {
        assert_eq!(
            decoded("a+b%2Bc%1B%25/%C3%9C", Some(&EncodingType::Url)),
            "a b+c\u{1b}%/Ü"
        );
        assert_eq!(decoded("a+b%2B", None), "a+b%2B");
    }
}
