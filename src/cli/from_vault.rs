//! Flags that name a vault without its policy file.

use crate::model::{BucketName, PolicyName, Region, Role};
use crate::operations::vault_alone::{Endpoints, FromVault};
use crate::operations::{Loaded, load};
use crate::report::{Fail, Hint};
use crate::world::World;
use std::path::Path;

#[derive(clap::Args, Debug)]
pub struct VaultArgs {
    /// A vault instead of a policy file, s3://BUCKET: what it says of itself
    #[arg(long, value_name = "URL")]
    pub from: Option<String>,
    /// Region of that vault
    #[arg(long, value_name = "REGION")]
    pub region: Option<Region>,
    /// Endpoint of the vault's S3, or SERVICE=URL for s3, rds, sts
    #[arg(long, value_name = "[SERVICE=]URL")]
    pub endpoint: Vec<String>,
    /// Which policy's points, where the vault holds several
    #[arg(long, value_name = "POLICY")]
    pub of: Option<PolicyName>,
    /// Credentials profile; default: the platform's own chain
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
}

impl VaultArgs {
    /// `None`: a policy file is meant.
    ///
    /// # Errors
    /// Exit 2: no bucket's URL, no region, no endpoint's URL.
    pub fn vault(&self, verb: &'static str) -> Result<Option<FromVault>, Fail> {
        let Some(url) = &self.from else {
            return Ok(None);
        };
        let region = self.region.clone().ok_or_else(|| {
            Fail::usage("--from needs --region, the region of the vault")
                .hint(Hint::again(verb).arg("--region", "REGION"))
        })?;
        Ok(Some(FromVault {
            bucket: bucket_of(url)?,
            region,
            of: self.of.clone(),
            profile: self.profile.clone(),
            endpoints: Endpoints::parse(&self.endpoint)?,
            verb,
        }))
    }

    fn names_a_vault(&self) -> bool {
        self.region.is_some() || !self.endpoint.is_empty() || self.of.is_some()
    }

    /// The policy of the vault that is named, else of the file.
    ///
    /// # Errors
    /// Exit 2: neither is named; what reading them says.
    pub async fn loaded(
        &self,
        world: &World,
        (verb, role): (&'static str, Role),
        policy: Option<&Path>,
    ) -> Result<Loaded, Fail> {
        match (self.vault(verb)?, policy) {
            (Some(_), Some(file)) => Err(Fail::usage(format!(
                "--from reads a vault without a policy file, and --policy {} names one; leave one \
                 of them out",
                file.display()
            ))),
            (Some(from), None) => from.loaded(world, role).await,
            (None, Some(_)) if self.names_a_vault() => Err(Fail::usage(
                "--region, --endpoint and --of say more of the vault of --from, and there is none",
            )
            .hint(Hint::again(verb).arg("--from", "s3://BUCKET"))),
            (None, Some(file)) => Ok(Loaded {
                profile: self.profile.clone(),
                ..load(file)?
            }),
            (None, None) => Err(
                Fail::usage("say of what: --policy FILE, or --from s3://BUCKET")
                    .hint(Hint::dr(verb).arg("--policy", "FILE")),
            ),
        }
    }
}

/// `s3://BUCKET`
fn bucket_of(url: &str) -> Result<BucketName, Fail> {
    let name = url
        .strip_prefix("s3://")
        .map(|b| b.trim_end_matches('/'))
        .filter(|b| !b.is_empty() && !b.contains('/'));
    name.map(BucketName::new)
        .ok_or_else(|| Fail::usage(format!("--from {url}: write it like s3://BUCKET")))
}
