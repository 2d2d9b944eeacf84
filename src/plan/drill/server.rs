//! The dumps of a server, loaded from every target that holds them.

use super::planned::{DrillInput, Planned};
use crate::manifest::{Captured, DumpHeld};
use crate::model::{Role, TargetName};
use crate::plan::{DumpTaken, LoadScratch, ScratchAt, ScratchDatabase, TriedBy};

pub(super) fn plan(input: &DrillInput<'_>, captured: &Captured, planned: &mut Planned) {
    // `policy check` asks for one where there is such a source.
    let Some(server) = input.scratch_server() else {
        return;
    };
    for copy in input.copies_of(&captured.source) {
        for dump in copy.dumps() {
            let at = ScratchAt::Server(server.clone());
            let load = load(input, captured, (&copy.target, dump), at);
            planned.databases.push(ScratchDatabase {
                server: server.clone(),
                name: load.into.clone(),
            });
            let taken = load.dump.clone();
            let loaded = planned.steps.add(Role::Driller, load, &[]);
            let by = TriedBy::Dump {
                database: dump.database.clone(),
                dump: taken,
                loaded,
                snapshot_at: dump.at,
            };
            planned.prove(&copy.source, &copy.target, by);
        }
    }
}

fn load(
    input: &DrillInput<'_>,
    captured: &Captured,
    (target, dump): (&TargetName, &DumpHeld),
    at: ScratchAt,
) -> LoadScratch {
    LoadScratch {
        source: captured.source.clone(),
        database: dump.database.clone(),
        target: target.clone(),
        at,
        dump: DumpTaken::Held(dump.clone()),
        inspected: None,
        heartbeat: captured.heartbeat_of(&dump.database),
        asked: Some(input.asked((&captured.source, &dump.database), target, dump.at)),
        into: input.scratch_database(&captured.source, target, &dump.database),
        streams: input.policy.concurrency.streams,
        amcheck: input.amcheck(),
    }
}
