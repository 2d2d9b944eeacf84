//! A PostgreSQL server by its address: its databases, dumped into every target.

use super::branch::{BackupInput, Branch};
use crate::model::{Role, StepId};
use crate::plan::step::Steps;
use crate::plan::{
    CaptureParts, CopyParts, DumpServer, HeldParts, Link, PublishPoint, ReadServer, ServerParts,
    ServerPlace, ServerRead,
};
use crate::policy::{Databases, Policy, PostgresSource, Target};

/// What the server has, for those that dump it.
pub(super) struct Read<'a> {
    source: &'a PostgresSource,
    server: ServerPlace,
    read: Link<ServerRead>,
}

/// `None`: nobody is named who may read it; `policy check` refuses that.
pub(super) fn read<'a>(
    policy: &Policy,
    source: &'a PostgresSource,
    steps: &mut Steps,
) -> Option<Read<'a>> {
    let server = ServerPlace {
        host: source.host.clone(),
        port: source.port,
        user: source.reader.as_ref()?.user.clone(),
    };
    let read = ReadServer {
        source: source.id.clone(),
        server: server.clone(),
        databases: source.databases.clone(),
        named: match source.databases {
            Databases::All => policy.databases_named(&source.id),
            Databases::These(_) => Vec::new(),
        },
    };
    let read = steps.add(Role::Dumper, read, &[]);
    Some(Read {
        source,
        server,
        read,
    })
}

impl<'a> Read<'a> {
    pub fn branch(&self, input: &BackupInput<'_>) -> Branch<'a> {
        let id = &self.source.id;
        let parts = |target: &Target| CopyParts {
            target: target.name.clone(),
            published: Steps::coming::<PublishPoint>(&[id, &target.name]),
            held: HeldParts::Dump {
                dumped: Steps::coming::<DumpServer>(&[id, &target.name]),
            },
        };
        Branch {
            source: id,
            captured: CaptureParts::Postgres(ServerParts {
                host: self.source.host.clone(),
                port: self.source.port,
                heartbeat: self.source.heartbeat.as_ref().map(Into::into),
                read: self.read.clone(),
            }),
            copies: input.policy.targets.iter().map(parts).collect(),
        }
    }

    pub fn dump(&self, input: &BackupInput<'_>, target: &Target, steps: &mut Steps) -> StepId {
        let concurrency = &input.policy.concurrency;
        let dump = DumpServer {
            source: self.source.id.clone(),
            target: target.name.clone(),
            server: self.server.clone(),
            read: self.read.clone(),
            streams: concurrency.streams,
            part_size_bytes: concurrency.part_size_bytes,
            chunk_pages: concurrency.chunk_pages,
        };
        let dumped = steps.add(Role::Dumper, dump, &[self.read.step()]);
        dumped.step().clone()
    }
}
