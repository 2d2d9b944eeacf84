//! Rows that name files, looked up in what the same target holds of these.

use super::{Context, read_manifest};
use crate::database::Database;
use crate::manifest::Check;
use crate::plan::Referred;
use crate::proof::Scope;
use crate::proof::reference::not_compared;
use crate::proof::references::{Files, Lookup};
use crate::report::{Exit, Fail, full};

/// # Errors
/// The connection's; a target that does not answer.
pub(super) async fn looked_up(
    ctx: &Context<'_>,
    scope: &Scope<'_>,
    connection: &impl Database,
    all: &[Referred],
) -> Result<Vec<Check>, Fail> {
    let mut checks = Vec::new();
    for referred in all {
        checks.push(one(ctx, scope, connection, referred).await?);
    }
    Ok(checks)
}

async fn one(
    ctx: &Context<'_>,
    scope: &Scope<'_>,
    connection: &impl Database,
    referred: &Referred,
) -> Result<Check, Fail> {
    let reference = &referred.reference;
    let (id, files) = (format!("references:{}", reference.name()), &reference.files);
    let Some(held) = &referred.held else {
        let why = format!(
            "not looked at: {} has no complete copy of {files} in this point",
            scope.target
        );
        return Ok(not_compared(scope, &id, why));
    };
    let vault = ctx.vault(scope.target).await?;
    let rows = match read_manifest(&vault, held).await {
        Ok(rows) => rows,
        Err(e) if e.exit == Exit::Unavailable => return Err(e),
        // What the rows name cannot be looked up, and everything else can.
        Err(e) => {
            let why = format!("the list of {files} cannot be read: {}", full(&e));
            return Ok(scope.check(&id, false, 1, 0, Some(why)));
        }
    };
    let files = Files::of(rows);
    let mut lookup = Lookup::new(&files);
    Ok(
        match connection.ask_each(&reference.sql, &mut lookup).await? {
            Ok(()) => lookup.check(scope, &id, reference.dangling.most),
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => scope.check(&id, false, 1, 0, Some(format!("{e}: {}", e.source))),
        },
    )
}
