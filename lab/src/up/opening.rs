//! The services of a lab put behind its doors.

use super::doors::Doors;
use super::error::LabError;
use super::lab::Lab;
use crate::accounts::AWS_REGIONS;
use crate::kms::KmsRegion;
use crate::listen::Listener;
use crate::query::{QueryFront, QueryService};
use crate::rds::RdsRegion;
use crate::sts::Sts;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Lab {
    pub(super) fn open_doors(&self) -> Result<BTreeMap<&'static str, Doors>, LabError> {
        let ports = self.kept().ports.clone();
        let mut doors = BTreeMap::new();
        for (region, s3) in &self.s3 {
            let port = |of: &BTreeMap<String, u16>| {
                of.get(*region)
                    .copied()
                    .ok_or_else(|| LabError::told(format!("lab.json has no port for {region}")))
            };
            let open =
                |port, handler| Listener::open(port, handler).map_err(|e| LabError::port(port, e));
            let query = if AWS_REGIONS.contains(region) {
                Some(open(port(&ports.query)?, Arc::new(self.query(region)))?)
            } else {
                None
            };
            doors.insert(
                *region,
                Doors {
                    s3: open(port(&ports.s3)?, s3.clone())?,
                    query,
                },
            );
        }
        Ok(doors)
    }

    fn query(&self, region: &str) -> QueryFront {
        let rds: Arc<dyn QueryService> = Arc::new(RdsRegion {
            rds: self.shop.rds.clone(),
            region: region.to_owned(),
        });
        let kms: Arc<dyn QueryService> = Arc::new(KmsRegion {
            kms: self.kms.clone(),
            region: region.to_owned(),
        });
        let sts: Arc<dyn QueryService> = Arc::new(Sts {
            keys: self.keys.clone(),
            web_identity_token: self.web_identity_token(),
        });
        QueryFront {
            region: region.to_owned(),
            clock: self.clock.clone(),
            hook: self.hook.clone(),
            keys: self.keys.clone(),
            services: [("rds", rds), ("kms", kms), ("sts", sts)].into(),
        }
    }
}
