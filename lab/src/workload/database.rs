//! Making the shop's database: schema, then the seed through COPY.

use super::line::Row;
use super::operation;
use crate::pg::PgError;
use crate::pg::session::Session;
use bytes::{Bytes, BytesMut};
use futures::SinkExt;

/// The second database of the cluster.
pub const BOOKS: &str = "books";
const BOOKS_SCHEMA: &str = include_str!("books.sql");
const ROLES: &str = include_str!("roles.sql");
const SCHEMA: &str = include_str!("schema.sql");
const MASTER: &str = "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname \
     = current_database()";
const BATCH: usize = 256 * 1024;

/// As the lab's superuser, who makes everything in the roles of its owners. Schema and seed in one
/// transaction: a crash leaves an empty database, which is seeded again.
///
/// # Errors
/// The server's.
pub async fn create(session: &Session) -> Result<(), PgError> {
    session.batch("BEGIN").await?;
    let master = session.text(MASTER).await?.unwrap_or_default();
    let roles = format!("SET LOCAL ROLE {master}; {ROLES}RESET ROLE");
    session.batch(&roles).await?;
    session.batch(SCHEMA).await?;
    let mut rows = operation::seed().peekable();
    while let Some(first) = rows.next() {
        let shape = first.shape;
        let sql = format!(
            "COPY {} ({}) FROM STDIN",
            shape.name,
            shape.columns.join(", ")
        );
        let sink = session
            .client
            .copy_in::<_, Bytes>(&sql)
            .await
            .map_err(PgError::sql(shape.name))?;
        futures::pin_mut!(sink);
        let mut buffer = BytesMut::with_capacity(BATCH * 2);
        push(&mut buffer, &first);
        while let Some(row) = rows.next_if(|r| r.shape == shape) {
            push(&mut buffer, &row);
            if buffer.len() > BATCH {
                sink.send(buffer.split().freeze())
                    .await
                    .map_err(PgError::sql(shape.name))?;
            }
        }
        sink.send(buffer.freeze())
            .await
            .map_err(PgError::sql(shape.name))?;
        sink.finish().await.map_err(PgError::sql(shape.name))?;
    }
    let sequences = format!(
        "SELECT setval('app.orders_id_seq', {0}), setval('app.items_id_seq', {0} * 3 + 2); \
         SET LOCAL ROLE shop_owner; REFRESH MATERIALIZED VIEW app.plans; COMMIT; ANALYZE",
        operation::SEED_ORDERS
    );
    session.batch(&sequences).await
}

/// The second database, by a session of the first one and a connection string of its own. What a
/// crash left undone is done now.
///
/// # Errors
/// The server's.
pub async fn create_books(shop: &Session, books: &str) -> Result<(), PgError> {
    let there = format!("SELECT 1 FROM pg_database WHERE datname = '{BOOKS}'");
    if shop.text(&there).await?.is_none() {
        let master = shop.text(MASTER).await?.unwrap_or_default();
        let made = format!("CREATE DATABASE {BOOKS} OWNER {master}");
        shop.batch(&made).await?;
    }
    let session = Session::url(books).await?;
    let filled = "SELECT 1 FROM pg_class WHERE oid = to_regclass('books.entries')";
    if session.text(filled).await?.is_none() {
        let all = format!("BEGIN; {BOOKS_SCHEMA} COMMIT");
        session.batch(&all).await?;
    }
    Ok(())
}

fn push(buffer: &mut BytesMut, row: &Row) {
    buffer.extend_from_slice(row.line().as_bytes());
    buffer.extend_from_slice(b"\n");
}

/// Whether the seed is in.
///
/// # Errors
/// The server's.
pub async fn seeded(session: &Session) -> Result<bool, PgError> {
    Ok(session
        .text("SELECT to_regclass('app.heartbeat') IS NOT NULL")
        .await?
        .as_deref()
        == Some("t"))
}
