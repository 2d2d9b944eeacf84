//! A dump, loaded into a database of the user's.

use super::checked::check;
use super::input::{IntoDatabase, RestoreInput, RestoreInto, Unavailable};
use crate::model::Role;
use crate::plan::step::Steps;
use crate::plan::{LoadDump, Restored};

pub(in crate::plan) fn steps(
    input: &RestoreInput<'_>,
    steps: &mut Steps,
) -> Result<(), Unavailable> {
    let RestoreInto::Database(into) = &input.into else {
        return Err(Unavailable::Destination(input.method));
    };
    let loaded = steps.add(Role::Restorer, load_dump(input, into), &[]);
    let heartbeat = input.captured.heartbeat_of(&into.of);
    let check = check(input, Restored::Given, Vec::new(), heartbeat);
    steps.add(Role::Restorer, check, &[loaded.step()]);
    Ok(())
}

fn load_dump(input: &RestoreInput<'_>, into: &IntoDatabase) -> LoadDump {
    LoadDump {
        source: input.captured.source.clone(),
        target: input.target.clone(),
        dump_key: into.dump_key.clone(),
        dump_version: into.dump_version.clone(),
        host: into.host.clone(),
        port: into.port,
        database: into.database.clone(),
        user: into.user.clone(),
        streams: input.streams,
        refusals: into.refusals,
    }
}
