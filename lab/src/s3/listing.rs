//! Listings of current objects, by pages, with prefix and delimiter.

use super::convert::shown_key;
use super::error::invalid;
use super::ops::Ops;
use super::page::{Page, most, page, past};
use super::store::bucket;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

/// Which page.
struct Wanted<'a> {
    bucket: &'a str,
    prefix: &'a str,
    /// Keys behind this one.
    after: &'a str,
    delimiter: &'a str,
    most: usize,
}

impl Ops {
    fn current<T>(&self, wanted: &Wanted<'_>, show: impl FnOnce(Page<'_>) -> T) -> S3Result<T> {
        let Wanted {
            prefix,
            after,
            delimiter,
            ..
        } = *wanted;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, wanted.bucket)?;
        let start = if after > prefix { after } else { prefix };
        let live = found
            .keys
            .range(start.to_owned()..)
            .take_while(|(k, _)| k.starts_with(prefix) || k.as_str() <= prefix);
        let live = live
            .filter(|(k, _)| past(k, after, prefix, delimiter))
            .filter_map(|(_, v)| v.last())
            .filter(|v| !v.marker)
            .map(|v| (v, true));
        Ok(show(page(live, prefix, delimiter, wanted.most)))
    }

    pub(super) fn list_v2(
        &self,
        req: &S3Request<dto::ListObjectsV2Input>,
    ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
        let input = &req.input;
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let most = most(input.max_keys)?;
        let token = input.continuation_token.as_ref().map(|t| {
            hex::decode(t)
                .ok()
                .and_then(|b| String::from_utf8(b).ok())
                .ok_or_else(|| {
                    invalid(
                        "InvalidArgument",
                        "The continuation token provided is incorrect",
                    )
                })
        });
        let after = token
            .transpose()?
            .unwrap_or_else(|| text(&input.start_after));
        let encoding = input.encoding_type.as_ref();
        let (prefix, delimiter) = (text(&input.prefix), text(&input.delimiter));
        let wanted = Wanted {
            bucket: &input.bucket,
            prefix: &prefix,
            after: &after,
            delimiter: &delimiter,
            most,
        };
        let output = self.current(&wanted, |page| dto::ListObjectsV2Output {
            name: Some(input.bucket.clone()),
            prefix: input.prefix.as_deref().map(|p| shown_key(p, encoding)),
            delimiter: input.delimiter.as_deref().map(|p| shown_key(p, encoding)),
            max_keys: i32::try_from(most).ok(),
            key_count: i32::try_from(page.entries.len()).ok(),
            continuation_token: input.continuation_token.clone(),
            start_after: input.start_after.as_deref().map(|p| shown_key(p, encoding)),
            encoding_type: input.encoding_type.clone(),
            is_truncated: Some(page.truncated),
            next_continuation_token: page.last_key().filter(|_| page.truncated).map(hex::encode),
            common_prefixes: page.prefixes(encoding),
            contents: page.objects(encoding),
            ..Default::default()
        })?;
        Ok(S3Response::new(output))
    }

    pub(super) fn list_v1(
        &self,
        req: &S3Request<dto::ListObjectsInput>,
    ) -> S3Result<S3Response<dto::ListObjectsOutput>> {
        let input = &req.input;
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let most = most(input.max_keys)?;
        let encoding = input.encoding_type.as_ref();
        let (prefix, delimiter) = (text(&input.prefix), text(&input.delimiter));
        let wanted = Wanted {
            bucket: &input.bucket,
            prefix: &prefix,
            after: &text(&input.marker),
            delimiter: &delimiter,
            most,
        };
        let output = self.current(&wanted, |page| dto::ListObjectsOutput {
            name: Some(input.bucket.clone()),
            prefix: input.prefix.as_deref().map(|p| shown_key(p, encoding)),
            delimiter: input.delimiter.as_deref().map(|p| shown_key(p, encoding)),
            marker: input.marker.as_deref().map(|p| shown_key(p, encoding)),
            max_keys: i32::try_from(most).ok(),
            encoding_type: input.encoding_type.clone(),
            is_truncated: Some(page.truncated),
            next_marker: page
                .last_key()
                .filter(|_| page.truncated && input.delimiter.is_some())
                .map(|k| shown_key(&k, encoding)),
            common_prefixes: page.prefixes(encoding),
            contents: page.objects(encoding),
            ..Default::default()
        })?;
        Ok(S3Response::new(output))
    }
}
