//! The services of a lab behind their doors, and regions that are lost and come back.

use super::doors::Doors;
use super::error::LabError;
use super::kept::Kept;
use super::latency::LatencyProfile;
use super::options::Options;
use super::policy::Endpoints;
use crate::accounts::{
    AWS_REGIONS, DRILL, OTHER, OTHER_REGION, PRIMARY_REGION, PRODUCTION, REGIONS, SECOND_REGION,
    VAULT,
};
use crate::clock::Clock;
use crate::hook::Hook;
use crate::keyring::Keyring;
use crate::kms::Kms;
use crate::pg::Programs;
use crate::pg::watchdog::Watch;
use crate::s3::{Around, NewBucket, S3};
use crate::shop::{Shop, Start, production, surroundings};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The bucket beside the database.
const FILES: &str = "app-files";

/// What is there from the start; vaults are made by `dr vault init`. Region, name, account.
const BUCKETS: [(&str, &str, &str); 4] = [
    (PRIMARY_REGION, FILES, PRODUCTION),
    (SECOND_REGION, "dr-scratch", DRILL),
    (SECOND_REGION, "recovered-files", VAULT),
    (OTHER_REGION, "recovered-files", OTHER),
];

pub struct Lab {
    dir: PathBuf,
    pub clock: Clock,
    pub hook: Hook,
    pub kms: Kms,
    pub keys: Arc<Keyring>,
    pub shop: Arc<Shop>,
    pub latency: LatencyProfile,
    pub(super) s3: BTreeMap<&'static str, Arc<S3>>,
    pub(super) doors: BTreeMap<&'static str, Doors>,
    kept: Mutex<Kept>,
    /// One region at a time goes down or comes up.
    pub(super) moving: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BucketLine {
    pub region: String,
    pub name: String,
}

/// What finished work must not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    pub clusters: usize,
    pub instances: usize,
    pub uploads: usize,
    pub processes: usize,
}

impl Lab {
    pub(super) async fn start(
        dir: &Path,
        kept: Kept,
        watch: Option<Watch<'_>>,
        options: &Options,
    ) -> Result<Self, LabError> {
        let clock = Clock::with_offset(kept.clock_offset_s);
        let (hook, kms, keys) = (
            Hook::new(clock.clone()),
            Kms::default(),
            Arc::new(Keyring::new(kept.keys.clone(), clock.clone())),
        );
        let mut s3 = BTreeMap::new();
        for region in REGIONS {
            let around = Around {
                clock: clock.clone(),
                hook: hook.clone(),
                keys: keys.clone(),
                kms: kms.clone(),
            };
            let root = dir.join("s3").join(region);
            s3.insert(
                region,
                S3::open(&root, region, around).map_err(LabError::file("opening", &root))?,
            );
        }
        // One partition: copies between its regions are the service's.
        S3::join(&AWS_REGIONS.map(|region| s3[region].clone()));
        for (region, name, account) in BUCKETS {
            let wanted = NewBucket {
                name,
                account,
                versioned: true,
                object_lock: false,
            };
            s3[region].ensure_bucket(&wanted).map_err(LabError::told)?;
        }
        let bucket = s3[PRIMARY_REGION].bucket(FILES);
        let programs = Programs::of(options.pg.as_deref())?;
        let start = Start {
            root: dir,
            watch,
            around: surroundings(&clock, &kms, programs),
            production: (!options.empty).then(|| (production(&kept.master_password), bucket)),
            writers: !options.no_writers,
        };
        let shop = Arc::new(Shop::start(start).await?);
        shop.set_durations(options.latency.durations());
        let mut lab = Self {
            dir: dir.to_owned(),
            clock,
            hook,
            kms,
            keys,
            shop,
            latency: options.latency,
            s3,
            doors: BTreeMap::new(),
            kept: Mutex::new(kept),
            moving: tokio::sync::Mutex::default(),
        };
        match lab.open_doors() {
            Ok(doors) => lab.doors = doors,
            Err(e) => {
                lab.stop().await;
                return Err(e);
            }
        }
        Ok(lab)
    }

    pub(super) fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has it may assume roles without a key.
    pub fn web_identity_token(&self) -> String {
        self.kept().web_identity_token.clone()
    }

    pub fn endpoints(&self) -> Endpoints {
        let of = |doors: &Doors| {
            let query = doors
                .query
                .iter()
                .flat_map(|q| ["rds", "sts", "kms"].map(|s| (s, q.url())));
            std::iter::once(("s3", doors.s3.url()))
                .chain(query)
                .collect()
        };
        self.doors
            .iter()
            .map(|(region, doors)| ((*region).to_owned(), of(doors)))
            .collect()
    }

    pub fn buckets(&self) -> Vec<BucketLine> {
        let line = |region: &str, name| BucketLine {
            region: region.to_owned(),
            name,
        };
        self.s3
            .iter()
            .flat_map(|(region, s3)| s3.bucket_names().into_iter().map(|n| line(region, n)))
            .collect()
    }

    /// Moves the clock, for later starts too.
    ///
    /// # Errors
    /// The disk's: nothing was moved then.
    pub fn advance_clock(&self, seconds: i64) -> Result<(), LabError> {
        let mut kept = self.kept();
        let moved = Kept {
            clock_offset_s: kept.clock_offset_s.saturating_add(seconds),
            ..kept.clone()
        };
        moved.save(&self.dir)?;
        *kept = moved;
        self.clock.advance(seconds);
        Ok(())
    }

    pub async fn leftovers(&self) -> Leftovers {
        let found = self.shop.leftovers().await;
        let uploads = self.s3.values().map(|s| s.open_uploads()).sum();
        Leftovers {
            clusters: found.clusters,
            instances: found.instances,
            uploads,
            processes: found.processes,
        }
    }

    /// Nothing answers and no process is left when it returns.
    pub(super) async fn stop(&self) {
        futures::future::join_all(self.doors.values().map(Doors::close)).await;
        self.shop.stop().await;
    }
}
