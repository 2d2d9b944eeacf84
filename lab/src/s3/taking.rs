//! Bytes of a stored version as a new file, all or a range.

use super::error::{error, invalid, io};
use super::ops::Ops;
use super::receive::{Received, Summing, flip_byte};
use s3s::{S3Error, S3Result};
use std::io::{Read, Seek, Write};
use std::ops::Range;
use std::path::PathBuf;

impl Ops {
    /// Bytes of a stored version as a new file of a bucket. A crash leaves a file without a name,
    /// which the next start removes.
    pub(super) async fn take(
        &self,
        name: &str,
        from: PathBuf,
        range: Range<u64>,
        flip: bool,
    ) -> S3Result<(String, Received)> {
        let (data, path) = self.store.new_data(name);
        let work = tokio::task::spawn_blocking(move || -> std::io::Result<Received> {
            let mut source = std::fs::File::open(from)?;
            source.seek(std::io::SeekFrom::Start(range.start))?;
            let mut source = source.take(range.end - range.start);
            let mut copy = std::fs::File::create(&path)?;
            let mut summing = Summing::default();
            let mut piece = vec![0u8; 1 << 20];
            loop {
                let n = source.read(&mut piece)?;
                if n == 0 {
                    break;
                }
                summing.update(&piece[..n]);
                copy.write_all(&piece[..n])?;
            }
            if flip {
                flip_byte(&path)?;
            }
            Ok(summing.finish())
        });
        let received = work
            .await
            .map_err(|e| error(500, "InternalError", e.to_string()))?
            .map_err(|e| io("copying bytes", &e))?;
        Ok((data, received))
    }
}

pub(super) fn range(text: &str, size: u64) -> S3Result<Range<u64>> {
    let wrong = || -> S3Error {
        invalid(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first \
             and last are the zero-based offsets of the first and last bytes to copy",
        )
    };
    let (first, last) = text
        .strip_prefix("bytes=")
        .and_then(|r| r.split_once('-'))
        .ok_or_else(wrong)?;
    let (first, last): (u64, u64) = (
        first.parse().map_err(|_| wrong())?,
        last.parse().map_err(|_| wrong())?,
    );
    if first > last {
        return Err(wrong());
    }
    if last >= size {
        return Err(invalid(
            "InvalidRequest",
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    Ok(first..last + 1)
}
