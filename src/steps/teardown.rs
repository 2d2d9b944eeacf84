//! Deletes what a drill made, and nothing else: exact ids, this run's tags, the run's prefix, a
//! guard count.

use super::database::mark;
use super::{Context, Perform};
use crate::aws::rds::{ClusterInfo, Rds};
use crate::database::{Database, Dropped};
use crate::model::{RunId, Slot, TargetName};
use crate::plan::{
    EXPIRES_AT, ScratchDatabase, ScratchPlace, SweepDrill, Tags, Teardown, TornDown,
    drill_databases, expires_at,
};
use crate::report::{Code, Fail, full};
use crate::vault::folder;
use jiff::Timestamp;

/// A drill makes two clusters of each source, more only after failed attempts.
const CLUSTERS_OF_A_SOURCE: usize = 20;
/// Files under one run's scratch prefix.
const MAX_FILES: usize = 5_000_000;
/// Looks at a cluster that is being deleted.
const MAX_LOOKS: u32 = 600;

/// Whose scratch things they are.
#[derive(Clone, Copy)]
struct Drill<'a> {
    run: &'a RunId,
    /// Of the point that it drilled.
    slot: Slot,
    /// A sweep goes by what a thing itself says of its end, which somebody may have moved on
    /// purpose, and which two journals of one slot say differently.
    swept_at: Option<Timestamp>,
}

impl Drill<'_> {
    fn over(self, cluster: &ClusterInfo) -> bool {
        let until = expires_at(&cluster.tags);
        self.swept_at.is_none_or(|at| until.is_some_and(|u| u < at))
    }

    fn tags(self, tags: &Tags) -> Tags {
        let mut tags = tags.clone();
        if self.swept_at.is_some() {
            tags.remove(EXPIRES_AT);
        }
        tags
    }
}

/// Ours: this run's prefix in its name and every tag equal.
fn ours(cluster: &ClusterInfo, prefix: &str, tags: &Tags) -> bool {
    cluster.id.starts_with(prefix)
        && !cluster.deletion_protection
        && tags.get("dr:role").is_some_and(|r| r == "scratch")
        && tags.iter().all(|(k, v)| cluster.tags.get(k) == Some(v))
}

/// What became of it so far.
#[derive(Default)]
struct Done {
    deleted: Vec<String>,
    failed: Vec<Fail>,
}

impl Done {
    /// Every reason is told, and what was deleted all the same.
    fn told(mut self) -> Result<Vec<String>, Fail> {
        let mut failed = std::mem::take(&mut self.failed).into_iter();
        let Some(first) = failed.next() else {
            return Ok(self.deleted);
        };
        let others: Vec<String> = failed.map(|e| full(&e)).collect();
        if others.is_empty() && self.deleted.is_empty() {
            return Err(first);
        }
        let mut message = full(&first);
        for other in others {
            message += &format!("; {other}");
        }
        if !self.deleted.is_empty() {
            message += &format!("; deleted: {}", self.deleted.join(", "));
        }
        Err(Fail::new(first.code, message))
    }
}

impl Perform for Teardown {
    async fn perform(&self, ctx: &Context<'_>) -> Result<TornDown, Fail> {
        let plan = ctx.plan;
        let drill = Drill {
            run: &plan.run,
            slot: plan.slot,
            swept_at: None,
        };
        self.tear_down(ctx, drill).await
    }
}

impl Perform for SweepDrill {
    async fn perform(&self, ctx: &Context<'_>) -> Result<TornDown, Fail> {
        let drill = Drill {
            run: &self.run,
            slot: self.slot,
            swept_at: Some(ctx.plan.opened_at),
        };
        self.teardown.tear_down(ctx, drill).await
    }
}

impl Teardown {
    /// Harmless when it is done twice or broken off: each thing is looked at before it is deleted.
    async fn tear_down(&self, ctx: &Context<'_>, drill: Drill<'_>) -> Result<TornDown, Fail> {
        // Each for itself: what cannot be deleted keeps nothing else alive.
        let mut done = Done::default();
        for place in &self.clusters {
            self.clusters_at(ctx, place, drill, &mut done).await;
        }
        match self.files(ctx).await {
            Ok(files) => done.deleted.extend(files),
            Err(e) => done.failed.push(e),
        }
        for database in &self.databases {
            match drop_database(ctx, database, drill.run).await {
                Ok(true) => done.deleted.push(format!("database {}", database.name)),
                Ok(false) => {}
                Err(e) => done.failed.push(e),
            }
        }
        let left = self.abort_uploads(ctx, drill).await;
        Ok(TornDown {
            deleted: done.told()?,
            left,
        })
    }

    async fn clusters_at(
        &self,
        ctx: &Context<'_>,
        place: &ScratchPlace,
        drill: Drill<'_>,
        done: &mut Done,
    ) {
        let tags = drill.tags(&self.tags);
        let endpoint = place.endpoint.as_deref();
        let rds = ctx.clients.rds(ctx.role, &place.region, endpoint).await;
        let mut clusters = match rds.clusters().await {
            Ok(clusters) => clusters,
            Err(e) => return done.failed.push(e.into()),
        };
        clusters.retain(|c| ours(c, &self.cluster_prefix, &tags) && drill.over(c));
        let most = CLUSTERS_OF_A_SOURCE * self.dumps.len().max(1);
        if clusters.len() > most {
            return done.failed.push(Fail::new(
                Code::TooMany,
                format!(
                    "{} clusters in {} carry this run's tags, at most {most} are deleted at once; \
                     look at them first",
                    clusters.len(),
                    place.region
                ),
            ));
        }
        for cluster in &clusters {
            match delete(ctx, &rds, cluster, &tags).await {
                Ok(()) => done.deleted.push(format!("cluster {}", cluster.id)),
                Err(e) => done.failed.push(e),
            }
        }
    }

    async fn files(&self, ctx: &Context<'_>) -> Result<Option<String>, Fail> {
        let (bucket, prefix) = (&self.bucket, self.prefix.as_str());
        let endpoint = self.bucket_endpoint.as_deref();
        let files = ctx.bucket(bucket, &self.bucket_region, endpoint).await;
        if !prefix.starts_with("dr-drill/") || prefix.len() < "dr-drill/12345678/p/d/".len() {
            return Err(Fail::bug(format!("`{prefix}` is no scratch prefix")));
        }
        let rows = files.versions(prefix, MAX_FILES).await?;
        for row in &rows {
            // A crash between two of them leaves files that the next runner's listing shows.
            files.delete_version(&row.key, &row.version, false).await?;
        }
        Ok((!rows.is_empty())
            .then(|| format!("{} versions under s3://{bucket}/{prefix}", rows.len())))
    }

    /// Unfinished uploads at keys of this run's dumps: a killed driller began them, nobody will
    /// complete them. What a target would not end is told, and keeps no scratch cluster alive: it
    /// holds no data that counts.
    async fn abort_uploads(&self, ctx: &Context<'_>, drill: Drill<'_>) -> Vec<String> {
        let (policy, run, slot) = (&ctx.plan.policy, drill.run, drill.slot);
        let mut left = Vec::new();
        for dumps in &self.dumps {
            let prefix = folder::dump(policy, &dumps.source, slot, run);
            for target in &dumps.targets {
                if let Err(e) = abort(ctx, target, &prefix).await {
                    left.push(format!("unfinished uploads at {target}: {}", full(&e)));
                }
            }
        }
        left
    }
}

async fn abort(ctx: &Context<'_>, target: &TargetName, prefix: &str) -> Result<(), Fail> {
    let vault = ctx.vault(target).await?;
    for upload in vault.bucket.uploads(prefix).await? {
        vault.bucket.abort_uploads_at(&upload.key).await?;
    }
    Ok(())
}

/// By exact name, and only if its comment says that this run made it.
async fn drop_database(
    ctx: &Context<'_>,
    database: &ScratchDatabase,
    run: &RunId,
) -> Result<bool, Fail> {
    let server = ctx.logins.scratch(&database.server)?;
    let (plan, name) = (ctx.plan, database.name.as_str());
    // One without a comment is dropped as well, so its name must be the run's.
    if !name.starts_with(&drill_databases(&plan.vault, &plan.policy, run)) {
        return Err(Fail::new(
            Code::NotOurs,
            format!("database {name} is not called as {run} calls its own; it is left as it is"),
        ));
    }
    let connection = ctx.connect(&server).await?;
    match connection
        .drop_database(name, &mark(&plan.vault, run))
        .await?
    {
        Dropped::Done => Ok(true),
        Dropped::NotThere => Ok(false),
        Dropped::NotOurs(_) => Err(Fail::new(
            Code::NotOurs,
            format!(
                "database {name} at {} has another comment than this run's; it is left as it is",
                server.shown()
            ),
        )),
    }
}

async fn delete(
    ctx: &Context<'_>,
    rds: &Rds,
    cluster: &ClusterInfo,
    tags: &Tags,
) -> Result<(), Fail> {
    for member in &cluster.members {
        // An instance without our tags in a cluster of ours is somebody's: stop and say so.
        if let Some(instance) = rds.instance(member).await? {
            if tags.iter().any(|(k, v)| instance.tags.get(k) != Some(v)) {
                return Err(Fail::new(
                    Code::NotOurs,
                    format!(
                        "instance {member} of scratch cluster {} does not carry this run's tags; \
                         it is left alone",
                        cluster.id
                    ),
                ));
            }
            if instance.status != "deleting" {
                rds.delete_instance(member).await?;
            }
        }
    }
    for member in &cluster.members {
        let mut looks = 0;
        while rds.instance(member).await?.is_some() {
            looks = look_again(ctx, looks, member).await?;
        }
    }
    let mut looks = 0;
    loop {
        match rds.cluster(&cluster.id).await? {
            None => return Ok(()),
            Some(info) if info.status == "deleting" => {}
            Some(_) => rds.delete_cluster(&cluster.id).await?,
        }
        if rds.cluster(&cluster.id).await?.is_none() {
            return Ok(());
        }
        looks = look_again(ctx, looks, &cluster.id).await?;
    }
}

async fn look_again(ctx: &Context<'_>, looks: u32, thing: &str) -> Result<u32, Fail> {
    if looks >= MAX_LOOKS {
        return Err(Fail::new(
            Code::TeardownSlow,
            format!("{thing} is still being deleted after {looks} looks"),
        ));
    }
    ctx.pause().await?;
    Ok(looks + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_runs_scratch_clusters_are_ours() {
        let tags: Tags = [
            ("dr:role", "scratch"),
            ("dr:run", "drill-1"),
            ("dr:vault", "v"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let full = [
            ("dr:role", "scratch"),
            ("dr:run", "drill-1"),
            ("dr:vault", "v"),
            ("extra", "x"),
        ];
        assert!(ours(
            &ClusterInfo::tagged("dr-drill-a-snapshot", &full),
            "dr-drill-a",
            &tags
        ));
        assert!(!ours(
            &ClusterInfo::tagged("shop", &full),
            "dr-drill-a",
            &tags
        ));
        assert!(!ours(
            &ClusterInfo::tagged("dr-drill-a-snapshot", &full[..2]),
            "dr-drill-a",
            &tags
        ));
        assert!(!ours(
            &ClusterInfo::tagged(
                "dr-drill-a-snapshot",
                &[
                    ("dr:role", "restored"),
                    ("dr:run", "drill-1"),
                    ("dr:vault", "v")
                ]
            ),
            "dr-drill-a",
            &tags
        ));
        assert!(!ours(
            &ClusterInfo {
                deletion_protection: true,
                ..ClusterInfo::tagged("dr-drill-a-snapshot", &full)
            },
            "dr-drill-a",
            &tags
        ));
        let restored: Tags = [("dr:role".to_owned(), "restored".to_owned())].into();
        assert!(!ours(
            &ClusterInfo::tagged("dr-drill-a-snapshot", &[("dr:role", "restored")]),
            "dr-drill-a",
            &restored
        ));
    }
}
