//! COPY in both directions, as streams of bytes with bounded memory.

use super::connect::Postgres;
use crate::database::error::DatabaseError;
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use std::pin::Pin;

/// Rows coming out of a COPY … TO STDOUT in text format.
pub struct Lines<'a> {
    stream: Pin<Box<tokio_postgres::CopyOutStream>>,
    connection: &'a Postgres,
    rest: BytesMut,
}

impl Lines<'_> {
    /// The next complete lines, newlines included; `None` at the end.
    ///
    /// # Errors
    /// The server's, also in the middle of the rows.
    pub async fn next(&mut self) -> Result<Option<Bytes>, DatabaseError> {
        while let Some(message) = self.stream.next().await {
            let data = message.map_err(|e| self.connection.failed("COPY out", &e))?;
            // The server sends whole rows, one message each; a driver that split them would still
            // be read right.
            if self.rest.is_empty() && data.ends_with(b"\n") {
                return Ok(Some(data));
            }
            self.rest.extend_from_slice(&data);
            if let Some(end) = self.rest.iter().rposition(|b| *b == b'\n') {
                return Ok(Some(self.rest.split_to(end + 1).freeze()));
            }
        }
        Ok((!self.rest.is_empty()).then(|| self.rest.split().freeze()))
    }
}

/// A COPY … FROM STDIN that is being fed.
pub struct CopyInto<'a> {
    sink: Pin<Box<tokio_postgres::CopyInSink<Bytes>>>,
    pub(super) connection: &'a Postgres,
    /// What makes of the rows what they stand for.
    pub(super) then: Option<&'static str>,
}

impl CopyInto<'_> {
    /// # Errors
    /// The server's: the row that it refuses.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), DatabaseError> {
        self.sink
            .send(bytes)
            .await
            .map_err(|e| self.connection.failed("COPY in", &e))
    }

    pub(super) fn then(self, sql: &'static str) -> Self {
        Self {
            then: Some(sql),
            ..self
        }
    }

    /// Ends the COPY; returns the rows it loaded.
    ///
    /// # Errors
    /// The server's: constraints are checked here.
    pub async fn finish(mut self) -> Result<u64, DatabaseError> {
        self.sink
            .as_mut()
            .finish()
            .await
            .map_err(|e| self.connection.failed("COPY in", &e))
    }
}

impl Postgres {
    /// # Errors
    /// The server's.
    pub async fn copy_out(&self, sql: &str) -> Result<Lines<'_>, DatabaseError> {
        let stream = self
            .client
            .copy_out(sql)
            .await
            .map_err(|e| self.failed("COPY out", &e))?;
        Ok(Lines {
            stream: Box::pin(stream),
            connection: self,
            rest: BytesMut::new(),
        })
    }

    /// # Errors
    /// The server's.
    pub async fn copy_in(&self, sql: &str) -> Result<CopyInto<'_>, DatabaseError> {
        let sink = self
            .client
            .copy_in(sql)
            .await
            .map_err(|e| self.failed("COPY in", &e))?;
        Ok(CopyInto {
            sink: Box::pin(sink),
            connection: self,
            then: None,
        })
    }
}
