//! Rows that name files, looked up in what the same target holds of these.

use super::{Context, read_manifest};
use crate::database::Database;
use crate::manifest::Check;
use crate::plan::Referred;
use crate::proof::Scope;
use crate::proof::reference::not_compared;
use crate::proof::references::{Files, Lookup};
use crate::report::{Exit, Fail, full};

/// A bucket's list is read once for references of it that follow each other, and one is held at a
/// time.
///
/// # Errors
/// The connection's; a target that does not answer.
pub(super) async fn looked_up(
    ctx: &Context<'_>,
    scope: &Scope<'_>,
    connection: &impl Database,
    all: &[Referred],
) -> Result<Vec<Check>, Fail> {
    let mut checks = Vec::new();
    for of_one in all.chunk_by(|a, b| a.held == b.held) {
        let list = list(ctx, scope, &of_one[0]).await?;
        for referred in of_one {
            checks.push(one(scope, connection, (referred, &list)).await?);
        }
    }
    Ok(checks)
}

/// What a target holds of a bucket.
enum List {
    Read(Files),
    /// There is no complete copy.
    None,
    /// Why it cannot be read.
    Unread(String),
}

async fn list(ctx: &Context<'_>, scope: &Scope<'_>, referred: &Referred) -> Result<List, Fail> {
    let Some(held) = &referred.held else {
        return Ok(List::None);
    };
    let vault = ctx.vault(scope.target).await?;
    match read_manifest(&vault, held).await {
        Ok(rows) => Ok(List::Read(Files::of(rows))),
        Err(e) if e.exit == Exit::Unavailable => Err(e),
        // What the rows name cannot be looked up, and everything else can.
        Err(e) => Ok(List::Unread(full(&e))),
    }
}

async fn one(
    scope: &Scope<'_>,
    connection: &impl Database,
    (referred, list): (&Referred, &List),
) -> Result<Check, Fail> {
    let reference = &referred.reference;
    let (id, files) = (format!("references:{}", reference.name()), &reference.files);
    let held = match list {
        List::Read(held) => held,
        List::None => {
            let why = format!(
                "not looked at: {} has no complete copy of {files} in this point",
                scope.target
            );
            return Ok(not_compared(scope, &id, why));
        }
        List::Unread(why) => {
            let why = format!("the list of {files} cannot be read: {why}");
            return Ok(scope.check(&id, false, 1, 0, Some(why)));
        }
    };
    let mut lookup = Lookup::new(held);
    Ok(
        match connection.ask_each(&reference.sql, &mut lookup).await? {
            Ok(()) => lookup.check(scope, &id, reference.dangling.most),
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => scope.check(&id, false, 1, 0, Some(format!("{e}: {}", e.source))),
        },
    )
}
