//! Which outside places a plan speaks to: endpoints, regions, buckets, accounts, keys, clusters.

use super::{Plan, ScratchAt, ServerPlace, StoredAction, Teardown};
use crate::model::{AccountId, Region, SourceId};
use crate::policy::Databases;
use std::collections::BTreeSet;

impl Plan {
    /// Where this plan reads, writes and makes things, whatever it calls them there.
    pub fn places(&self) -> BTreeSet<String> {
        let mut places = Places::default();
        for target in &self.targets {
            places.service("s3", &target.region, target.endpoint.as_deref());
            places.add("bucket", &target.bucket);
            places.accounts(&target.account);
            places.keys(&target.kms_key);
        }
        for step in &self.steps {
            places.of(&step.action);
        }
        places.0
    }
}

#[derive(Default)]
struct Places(BTreeSet<String>);

impl Places {
    fn add(&mut self, what: &str, name: &impl std::fmt::Display) {
        self.0.insert(format!("{what} {name}"));
    }

    fn service(&mut self, service: &str, region: &Region, endpoint: Option<&str>) {
        let endpoint = endpoint.unwrap_or("the service's own endpoint");
        self.0
            .insert(format!("{service} of {region} at {endpoint}"));
    }

    fn accounts<'a>(&mut self, accounts: impl IntoIterator<Item = &'a AccountId>) {
        accounts.into_iter().for_each(|a| self.add("account", a));
    }

    fn keys<'a>(&mut self, keys: impl IntoIterator<Item = &'a crate::model::KmsKey>) {
        keys.into_iter().for_each(|k| self.add("key", k));
    }

    fn of(&mut self, action: &StoredAction) {
        match action {
            StoredAction::TakeSnapshot(a) => {
                self.service("rds", &a.region, a.endpoint.as_deref());
                self.add("cluster", &a.cluster);
                self.accounts([&a.account]);
            }
            StoredAction::ShareSnapshot(a) => {
                self.service("rds", &a.region, a.endpoint.as_deref());
                self.accounts(&a.with);
            }
            StoredAction::CopySnapshot(a) => {
                self.service("rds", &a.region, a.endpoint.as_deref());
                self.accounts([&a.account]);
                self.accounts(&a.share_with);
                self.keys([&a.kms_key]);
            }
            StoredAction::ListObjects(a) => self.source(&a.source, &a.bucket),
            StoredAction::CopyObjects(a) => self.source(&a.source, &a.bucket),
            StoredAction::ReadServer(a) => {
                self.server(&a.source, &a.server);
                match &a.databases {
                    Databases::All => self.add("all databases of", &a.source),
                    Databases::These(names) => {
                        let named = |d| format!("{d} of {}", a.source);
                        names.iter().for_each(|d| self.add("database", &named(d)));
                    }
                }
            }
            StoredAction::ReadReference(a) => {
                self.service("rds", &a.region, a.endpoint.as_deref());
                self.add("cluster", &a.cluster);
                self.add("reader", &format!("{} of {}", a.user, a.source));
            }
            StoredAction::DumpServer(a) => self.server(&a.source, &a.server),
            StoredAction::LoadScratch(a) => {
                if let ScratchAt::Server(server) = &a.at {
                    self.add("scratch server", server);
                }
            }
            StoredAction::RestoreCluster(a) => self.cluster(&a.spec),
            StoredAction::CreateCluster(a) => self.cluster(&a.spec),
            StoredAction::RestoreFiles(a) => {
                self.service("s3", &a.region, a.endpoint.as_deref());
                self.add("bucket", &a.bucket);
            }
            StoredAction::Teardown(a) => self.scratch(a),
            StoredAction::SweepDrill(a) => self.scratch(&a.teardown),
            StoredAction::LoadDump(a) => {
                self.0
                    .insert(format!("database {} at {}:{}", a.database, a.host, a.port));
            }
            StoredAction::VerifyPoint(a) => {
                let asked = a.rds_endpoints.iter();
                asked.for_each(|(region, url)| self.service("rds", region, Some(url)));
            }
            StoredAction::MakeVault(_)
            | StoredAction::StorePolicy(_)
            | StoredAction::VerifyCopies(_)
            | StoredAction::PublishPoint(_)
            | StoredAction::InspectScratch(_)
            | StoredAction::DumpDatabase(_)
            | StoredAction::ProbeLock(_)
            | StoredAction::WriteProofs(_)
            | StoredAction::SpreadProofs(_)
            | StoredAction::CheckRestored(_) => {}
        }
    }

    fn scratch(&mut self, torn: &Teardown) {
        for place in &torn.clusters {
            self.service("rds", &place.region, place.endpoint.as_deref());
        }
        self.service("s3", &torn.bucket_region, torn.bucket_endpoint.as_deref());
        self.add("bucket", &torn.bucket);
        for database in &torn.databases {
            self.add("scratch server", &database.server);
        }
    }

    fn source(&mut self, id: &SourceId, source: &super::ListedSource) {
        self.service("s3", &source.region, source.endpoint.as_deref());
        self.add("bucket", &source.name);
        // Two of a policy's buckets can have one name, each at an endpoint of its own: only
        // together they say which one is read, and by its source's key. Of a bucket a narrower part
        // is another thing to protect.
        let endpoint = source.endpoint.as_deref().unwrap_or("aws");
        let (name, prefix) = (&source.name, &source.prefix);
        self.add(
            "source",
            &format!("{id} is `{prefix}` of {name} at {endpoint}"),
        );
    }

    fn server(&mut self, id: &SourceId, server: &ServerPlace) {
        self.add("source", &format!("{id} is the server {server}"));
    }

    fn cluster(&mut self, spec: &super::ClusterSpec) {
        self.service("rds", &spec.region, spec.endpoint.as_deref());
        self.accounts([&spec.account]);
        spec.shape
            .subnet_group
            .iter()
            .for_each(|g| self.add("subnet group", g));
        let groups = spec.shape.security_groups.iter();
        groups.for_each(|g| self.add("security group", g));
    }
}
