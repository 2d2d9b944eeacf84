//! The ports of a region.

use crate::listen::Listener;

/// The ports of one region.
pub(super) struct Doors {
    pub s3: Listener,
    pub query: Option<Listener>,
}

impl Doors {
    pub fn all(&self) -> impl Iterator<Item = &Listener> {
        std::iter::once(&self.s3).chain(&self.query)
    }

    pub async fn close(&self) {
        futures::future::join_all(self.all().map(Listener::close)).await;
    }
}
