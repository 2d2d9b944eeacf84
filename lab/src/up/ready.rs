//! What a lab says when it is ready: one line for machines, a page for people.

use super::lab::{BucketLine, Lab};
use super::latency::LatencyProfile;
use crate::accounts::{Key, Provider, REGIONS};
use crate::shop::ClusterLine;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// `dr-lab/up/1`
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    pub schema: &'static str,
    pub pid: u32,
    /// URLs by service, by region.
    pub endpoints: BTreeMap<String, BTreeMap<&'static str, String>>,
    pub roles: BTreeMap<Provider, BTreeMap<&'static str, Access>>,
    pub clusters: Vec<ClusterLine>,
    pub buckets: Vec<BucketLine>,
    /// ARNs by region.
    pub kms_keys: BTreeMap<String, Vec<String>>,
    pub control: String,
    pub latency_profile: LatencyProfile,
}

#[derive(Clone, Debug, Serialize)]
pub struct Access {
    pub account: String,
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl Ready {
    pub(super) fn of(lab: &Lab, control: String) -> Self {
        let access = |k: &Key| Access {
            account: k.account.clone(),
            access_key_id: k.access_key_id.clone(),
            secret_access_key: k.secret_access_key.clone(),
        };
        let roles = [Provider::Aws, Provider::Other].map(|p| {
            (
                p,
                lab.keys
                    .fixed
                    .by_role(p)
                    .into_iter()
                    .map(|(r, k)| (r, access(k)))
                    .collect(),
            )
        });
        let kms_keys = REGIONS
            .iter()
            .map(|r| ((*r).to_owned(), lab.kms.of_region(r)))
            .filter(|(_, k)| !k.is_empty());
        Self {
            schema: "dr-lab/up/1",
            pid: std::process::id(),
            endpoints: lab.endpoints(),
            roles: roles.into(),
            clusters: lab.shop.clusters(),
            buckets: lab.buckets(),
            kms_keys: kms_keys.collect(),
            control,
            latency_profile: lab.latency,
        }
    }

    /// For people, with what they can type next.
    pub fn text(&self, dir: &Path) -> String {
        let mut text = format!(
            "The practice cloud is up in {}. Its keys are worthless anywhere else.\n",
            dir.display()
        );
        for (region, services) in &self.endpoints {
            let shown: Vec<String> = services
                .iter()
                .map(|(service, url)| format!("{service} {url}"))
                .collect();
            let _ = writeln!(text, "  {region:13} {}", shown.join("  "));
        }
        for cluster in &self.clusters {
            let _ = writeln!(text, "  cluster {:5} {}", cluster.id, cluster.url);
        }
        let _ = writeln!(text, "  control       {}", self.control);
        text.push_str("Type in another terminal:\n");
        for command in commands(&dir.join("policy.yaml")) {
            let _ = writeln!(text, "  {command}");
        }
        text.push_str("Ctrl-C ends it.\n");
        text
    }
}

fn commands(policy: &Path) -> [String; 6] {
    let policy = policy.display();
    [
        format!("export DR_POLICY={policy}"),
        "dr policy check $DR_POLICY".into(),
        "dr vault init --profile admin --profile other=other-admin".into(),
        "dr tick".into(),
        "dr drill".into(),
        "dr status".into(),
    ]
}
