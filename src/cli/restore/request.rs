//! From what was typed to what is asked for.

use super::args::Args;
use crate::database::Secret;
use crate::operations::load;
use crate::operations::restore::{
    BucketDestination, ClusterDestination, DatabaseDestination, RestoreRequest, RestoreSource,
};
use crate::operations::vault_alone::Endpoints;
use crate::plan::Refusals;
use crate::report::{Fail, Hint};

/// # Errors
/// Exit 2: flags that contradict each other, files that cannot be read.
pub fn request(args: &Args) -> Result<RestoreRequest, Fail> {
    Ok(RestoreRequest {
        source: source(args)?,
        profile: args.vault.profile.clone(),
        endpoints: Endpoints::parse(&args.vault.endpoint)?,
        method: args.method,
        of: args.source.clone(),
        of_database: args.database.clone(),
        point: args.point,
        before: args.before,
        target: args.target.clone(),
        cluster: ClusterDestination {
            id: args.cluster.clone(),
            instance_class: args.instance_class.clone(),
            subnet_group: args.subnet_group.clone(),
            security_groups: args.security_group.clone(),
            parameter_group: args.parameter_group.clone(),
            min_acu: args.min_acu,
            max_acu: args.max_acu,
            master_password: master_password(args)?,
        },
        database: DatabaseDestination {
            url: args.into.clone(),
            refusals: match args.strict {
                true => Refusals::End,
                false => Refusals::Told,
            },
        },
        bucket: BucketDestination {
            bucket: args.to_bucket.clone(),
            region: args.to_bucket_region.clone(),
            endpoint: args.to_bucket_endpoint.clone(),
            profile: args.to_bucket_profile.clone(),
            prefix: args.to_prefix.clone(),
        },
        postgres_ca_file: args.postgres_ca_file.clone(),
        incident_at: args.incident_at,
        take_over: args.take_over,
        journal_file: args.journal_file.clone(),
    })
}

fn source(args: &Args) -> Result<RestoreSource, Fail> {
    match (&args.vault.from, &args.policy) {
        (Some(_), None) => {
            let vault = args.vault.vault("restore")?;
            vault
                .map(RestoreSource::Vault)
                .ok_or_else(|| Fail::bug("a vault that was named is none"))
        }
        (None, Some(file)) => Ok(RestoreSource::Policy(Box::new(load(file)?))),
        _ => {
            let vault = Hint::dr("restore").arg("--from", "s3://BUCKET");
            Err(
                Fail::usage("say where to restore from: a vault or a policy, not both")
                    .hint(vault.arg("--region", "REGION")),
            )
        }
    }
}

fn master_password(args: &Args) -> Result<Option<Secret>, Fail> {
    let Some(file) = &args.master_password_file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(file)
        .map_err(|e| Fail::usage(format!("--master-password-file {}: {e}", file.display())))?;
    Ok(Some(Secret(text.trim_end_matches(['\n', '\r']).to_owned())))
}
