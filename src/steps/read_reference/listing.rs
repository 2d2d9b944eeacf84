//! Which databases the cluster has, where its policy wants all of them: asked before they are read,
//! so that what hangs in one of them leaves them known.

use crate::database::Database;
use crate::model::Name;
use crate::plan::{DatabasesListed, DatabasesRead, ReadReference};
use crate::report::Fail;
use crate::steps::Context;
use crate::steps::databases_there::{Look, there};

impl ReadReference {
    /// What keeps them from being known keeps no snapshot from being taken, nor its copy from
    /// being published: a copy is worth more than the list of what is in it, which the restored
    /// cluster has as well.
    ///
    /// # Errors
    /// What is worth another attempt.
    pub(super) async fn listed(&self, ctx: &Context<'_>) -> Result<DatabasesListed, Fail> {
        let late = || format!("it did not say within {} which it has", self.budget);
        Ok(match self.in_time(ctx, self.ask(ctx), late).await? {
            Ok(read) => DatabasesListed::Read(read),
            Err(why) => DatabasesListed::Unread(why),
        })
    }

    async fn ask(&self, ctx: &Context<'_>) -> Result<DatabasesRead, Fail> {
        let server = self.server(ctx).await?;
        let connection = ctx.connect(&server).await?;
        let names = connection.databases().await?;
        drop(connection);
        let all: Vec<Name> = names.into_iter().map(Name::new).collect();
        let how = Look {
            empty_too: false,
            patience: None,
        };
        let found = there(ctx, &server, all.clone(), how).await?;
        Ok(DatabasesRead {
            databases: found.databases,
            there: all,
            exceptions: found.exceptions,
        })
    }
}
