//! Which databases of what was restored answer, and what is told of the others.

use crate::database::{Address, Database};
use crate::manifest::{Exception, HeartbeatColumn};
use crate::model::{Name, Seconds};
use crate::plan::{Beat, CheckRestored, Restored};
use crate::report::{Code, Fail, Failure, full};
use crate::steps::Context;
use crate::steps::databases_there::{Look, there};
use crate::steps::heartbeat::heartbeat;

/// Databases answer when their server does; one that does not keeps nobody waiting for long.
const PATIENCE: Seconds = Seconds(60);

impl CheckRestored {
    /// Of each database that is looked at, and what is told of those that cannot be. A point that
    /// does not know them keeps no cluster from being used: the cluster is asked.
    pub(super) async fn addresses(
        &self,
        ctx: &Context<'_>,
        given: &Address,
    ) -> Result<(Vec<Address>, Vec<String>), Fail> {
        if matches!(self.restored, Restored::Given) {
            let databases = self.databases.iter();
            let named: Vec<_> = databases.map(|d| given.with_database(d.as_str())).collect();
            let all = if named.is_empty() {
                vec![given.clone()]
            } else {
                named
            };
            return Ok((all, Vec::new()));
        }
        let known = !self.databases.is_empty();
        let names = match known {
            true => self.databases.clone(),
            false => {
                let all = ctx.connect(given).await?.databases().await?;
                all.into_iter().map(Name::new).collect()
            }
        };
        let how = Look {
            empty_too: known,
            patience: Some(PATIENCE.min(ctx.plan.patience)),
        };
        let found = there(ctx, given, names, how).await?;
        let told = |e: &Exception| format!("{} cannot be looked at: {}", e.thing, e.why);
        // What holds nothing, and was named by nobody, is as it was.
        let shut = found.exceptions.iter();
        let shut: Vec<_> = shut
            .filter(|e| e.code != Code::DatabaseEmpty.to_string())
            .collect();
        let told: Vec<String> = shut.into_iter().map(told).collect();
        let databases = found.databases.iter();
        let addresses = databases.map(|d| given.with_database(d.as_str()));
        let addresses: Vec<Address> = addresses.collect();
        match (addresses.is_empty(), told.first()) {
            (true, Some(first)) => {
                let message = format!("no database of the cluster can be looked at; {first}");
                Err(Fail::new(Code::DatabaseRefused, message))
            }
            (true, None) => Ok((vec![given.clone()], told)),
            (false, _) => Ok((addresses, told)),
        }
    }

    /// What an application would see first, of those that answer. A heartbeat that cannot be read,
    /// inside, keeps nobody from using all else.
    pub(super) async fn first_answers(
        &self,
        ctx: &Context<'_>,
        addresses: Vec<Address>,
        differs: &mut Vec<String>,
    ) -> Result<(Vec<Address>, Beat), Fail> {
        let (mut beat, mut tables, mut answering) = (Beat::default(), 0, Vec::new());
        let mut refused = None;
        let shown: Vec<String> = addresses.iter().map(Address::shown).collect();
        for address in addresses {
            let answer = async {
                let connection = ctx.connect(&address).await?;
                let tables = connection.tables().await?.len();
                let read = match self.heartbeat_at(&address) {
                    Some(column) => Some(heartbeat(&connection, Some(column)).await?),
                    None => None,
                };
                Ok((tables, read))
            };
            match answer.await {
                Ok((count, read)) => {
                    tables += count;
                    match read {
                        Some(Ok(read)) => beat = read,
                        Some(Err(why)) => {
                            differs.push(format!("the heartbeat could not be read: {why}"));
                        }
                        None => {}
                    }
                    answering.push(address);
                }
                Err::<_, Fail>(e) if e.failure() == Failure::Unavailable => return Err(e),
                Err(e) => {
                    let (of, why) = (&address.database, full(&e));
                    differs.push(format!("database {of} does not answer: {why}"));
                    refused.get_or_insert(e);
                }
            }
        }
        if tables > 0 {
            return Ok((answering, beat));
        }
        if let (true, Some(first)) = (answering.is_empty(), refused) {
            return Err(first);
        }
        let message = format!("{} has no tables", shown.join(" and "));
        Err(Fail::new(Code::DatabaseEmpty, message))
    }

    /// A dump may be loaded under another name than it was dumped from.
    fn heartbeat_at(&self, address: &Address) -> Option<&HeartbeatColumn> {
        let heartbeat = self.heartbeat.as_ref()?;
        let here = self.databases.is_empty() || heartbeat.database.as_str() == address.database;
        here.then_some(heartbeat)
    }
}
