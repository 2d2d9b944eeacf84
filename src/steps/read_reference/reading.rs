//! One reading of all databases that are wanted, within its time.

use crate::database::{Address, Database, Postgres};
use crate::dump::{ReadingInput, read_database};
use crate::manifest::{Exception, ReferenceBefore, ServerReading};
use crate::model::{Name, Seconds};
use crate::plan::ReadReference;
use crate::report::{Code, Fail, full};
use crate::steps::Context;
use std::collections::BTreeMap;
use std::time::Instant;

/// Of all databases together: what a document should hold.
const MOST_RANGES: usize = 100_000;

impl ReadReference {
    pub(super) async fn read(
        &self,
        ctx: &Context<'_>,
        start: Instant,
        (databases, first): (&[Name], Option<&ReferenceBefore>),
    ) -> Result<ServerReading, Fail> {
        let server = self.server(ctx).await?;
        let main = ctx.connect(&server).await?;
        let at = main.now().await?.unwrap_or(ctx.plan.opened_at);
        let roles = Some(main.roles().await?);
        drop(main);
        let mut read = ServerReading {
            at,
            roles,
            databases: BTreeMap::new(),
            unread: Vec::new(),
        };
        let left = || {
            if ctx.world.stopping() {
                return None;
            }
            let spent = start.elapsed().as_secs();
            self.budget
                .0
                .checked_sub(spent)
                .filter(|s| *s > 0)
                .map(Seconds)
        };
        for database in databases {
            let first = match first {
                None => None,
                Some(first) => match first.read.databases.get(database) {
                    Some(reading) => Some(reading),
                    None => continue,
                },
            };
            if left().is_none() {
                read.unread
                    .push(of(database, "there was no time left for it"));
                continue;
            }
            let address = server.with_database(database.as_str());
            let input = ReadingInput {
                address: &address,
                database,
                first,
                begin_at: begin_at(ctx.plan.slot.time().as_second()),
                heartbeat: self.heartbeat.as_ref().filter(|h| &h.database == database),
                streams: self.streams,
                timeout: ctx.clients.call_timeout(),
                left: &left,
            };
            match read_database::<Postgres>(&input).await {
                Ok((mut reading, unread)) => {
                    if first.is_none() {
                        reading.fold(MOST_RANGES / databases.len().max(1));
                    }
                    read.databases.insert(database.clone(), reading);
                    read.unread.extend(unread);
                }
                // One database that cannot be entered keeps no other from being read.
                Err(e) => read.unread.push(of(database, &full(&e))),
            }
        }
        Ok(read)
    }

    /// As the service describes it now; the first describes after it was made may lack it.
    pub(super) async fn server(&self, ctx: &Context<'_>) -> Result<Address, Fail> {
        let endpoint = self.endpoint.as_deref();
        let rds = ctx.clients.rds(ctx.role, &self.region, endpoint).await;
        let info = rds.cluster(self.cluster.as_str()).await?;
        let place = info.and_then(|info| Some((info.endpoint?, info.port?)));
        let (host, port) = place.ok_or_else(|| {
            let message = format!(
                "cluster {} in {} has no endpoint",
                self.cluster, self.region
            );
            Fail::new(Code::NoEndpoint, message)
        })?;
        ctx.logins.cluster(&self.source, &self.user, (host, port))
    }
}

fn of(database: &Name, why: &str) -> Exception {
    Exception::of_database(database, Code::ReferenceUnread, why)
}

/// Another one at every slot.
fn begin_at(slot_s: i64) -> f64 {
    /// The golden ratio's steps come near to every place soon.
    const STEP: f64 = 0.618_033_988_749_895;
    let minutes = u32::try_from(slot_s.div_euclid(60).rem_euclid(1 << 24)).unwrap_or(0);
    (f64::from(minutes) * STEP).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_begins_elsewhere() {
        let hours: Vec<f64> = (0..24).map(|h| begin_at(h * 3600)).collect();
        for (n, one) in hours.iter().enumerate() {
            assert!((0.0..1.0).contains(one));
            assert!(hours[..n].iter().all(|other| (other - one).abs() > 0.001));
        }
    }
}
