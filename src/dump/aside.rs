//! Work on bytes that come from a server, off the task that reads them: the next ones are read
//! while those before are worked on.

use super::DumpError;
use bytes::{Bytes, BytesMut};
use tokio::task::JoinHandle;

/// Rows are short: many of them are handed over at once.
const PIECE_BYTES: usize = 512 << 10;

/// Values can be long: nothing is read while one is in memory.
const LONG_BYTES: usize = 4 << 20;

pub(super) struct Aside<T> {
    state: At<T>,
    work: fn(&mut T, &[u8]),
    waiting: BytesMut,
    /// After what waits: never copied.
    long: Option<Bytes>,
}

enum At<T> {
    Here(T),
    /// Being worked on.
    There(JoinHandle<T>),
    /// Its work has panicked.
    Gone,
}

impl<T: Send + 'static> Aside<T> {
    pub fn new(state: T, work: fn(&mut T, &[u8])) -> Self {
        Self {
            state: At::Here(state),
            work,
            waiting: BytesMut::new(),
            long: None,
        }
    }

    /// True: enough for one piece; it is to be handed over before more is added.
    pub fn add(&mut self, bytes: Bytes) -> bool {
        if bytes.len() >= PIECE_BYTES {
            self.long = Some(bytes);
            return true;
        }
        if self.waiting.capacity() < bytes.len() {
            self.waiting.reserve(PIECE_BYTES + bytes.len());
        }
        self.waiting.extend_from_slice(&bytes);
        self.waiting.len() >= PIECE_BYTES
    }

    /// As of the last piece that was handed over.
    pub async fn settled(&mut self) -> Result<&mut T, DumpError> {
        if let At::There(working) = &mut self.state {
            let ended = working.await;
            self.state = ended.map_or(At::Gone, At::Here);
        }
        match &mut self.state {
            At::Here(state) => Ok(state),
            At::There(_) | At::Gone => Err(DumpError::Aside),
        }
    }

    /// Hands over what was added.
    pub async fn hand_over(&mut self) -> Result<(), DumpError> {
        self.settled().await?;
        let (some, long, work) = (self.waiting.split(), self.long.take(), self.work);
        let bytes = some.len() + long.as_ref().map_or(0, Bytes::len);
        if bytes == 0 {
            return Ok(());
        }
        if let At::Here(mut state) = std::mem::replace(&mut self.state, At::Gone) {
            self.state = At::There(tokio::task::spawn_blocking(move || {
                for piece in [Some(some.freeze()), long].into_iter().flatten() {
                    if !piece.is_empty() {
                        work(&mut state, &piece);
                    }
                }
                state
            }));
        }
        if bytes >= LONG_BYTES {
            self.settled().await?;
        }
        Ok(())
    }

    pub async fn end(mut self) -> Result<T, DumpError> {
        self.hand_over().await?;
        self.settled().await?;
        match self.state {
            At::Here(state) => Ok(state),
            At::There(_) | At::Gone => Err(DumpError::Aside),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_bytes_are_worked_on_in_their_order() {
        let sizes = [1, PIECE_BYTES - 1, 7, LONG_BYTES + 1, 3, PIECE_BYTES, 0, 2];
        let mut aside = Aside::new(Vec::new(), |all: &mut Vec<u8>, piece| {
            all.extend_from_slice(piece);
        });
        let mut wanted = Vec::new();
        for (n, size) in (0u8..).zip(sizes) {
            let bytes = vec![n; size];
            wanted.extend_from_slice(&bytes);
            if aside.add(bytes.into()) {
                aside.hand_over().await.unwrap();
            }
        }
        assert!(aside.end().await.unwrap() == wanted);
    }

    #[tokio::test]
    async fn work_that_ends_in_the_middle_is_an_error() {
        let mut aside = Aside::new((), |(), _| panic!("on purpose"));
        assert!(aside.add(vec![0; PIECE_BYTES].into()));
        aside.hand_over().await.unwrap();
        assert!(matches!(aside.settled().await, Err(DumpError::Aside)));
        assert!(matches!(aside.end().await, Err(DumpError::Aside)));
    }
}
