//! `dr restore`: for real. Finds everything from a vault alone, shows the plan, asks, executes,
//! resumes.

mod choose;
mod go;
mod local;
mod places;
mod tell;

use super::clean::clean;
use super::exit::Exit;
use super::output::{Answer, Fail, Finding, Outcome, Severity, span};
use crate::database::Address;
use crate::plan::{Plan, RestoreInput, RestoreInto, RunId, restore};
use crate::policy::{
    BucketName, ClusterId, Name, Path, PolicyName, Provider, Region, Runner, Seconds, TargetName,
};
use crate::world::World;
use choose::Way;
use jiff::Timestamp;
use places::{Place, Places};
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The vault to restore from, s3://BUCKET; nothing else is needed
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Region of that vault
    #[arg(long, value_name = "REGION")]
    region: Option<Region>,
    /// Endpoint of the vault's S3, or SERVICE=URL for s3, rds, sts
    #[arg(long, value_name = "[SERVICE=]URL")]
    endpoint: Vec<String>,
    /// Restore from the targets of this policy instead
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Which policy's points, where the vault holds several
    #[arg(long, value_name = "POLICY")]
    of: Option<PolicyName>,
    /// Credentials profile; default: the platform's own chain
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// How: native, portable or s3. Without it the reachable points are shown
    #[arg(long, value_name = "PATH", value_parser = path)]
    path: Option<Path>,
    /// This point instead of the newest proven one
    #[arg(long, value_name = "SLOT")]
    point: Option<String>,
    /// Only points from before this instant
    #[arg(long, value_name = "TIME")]
    before: Option<Timestamp>,
    /// From this target of the policy
    #[arg(long, value_name = "TARGET")]
    target: Option<TargetName>,
    /// native: name of the new cluster
    #[arg(long, value_name = "NAME")]
    cluster: Option<ClusterId>,
    /// native: instance class; default: that of the policy's drill
    #[arg(long, value_name = "CLASS")]
    instance_class: Option<Name>,
    /// native: DB subnet group
    #[arg(long, value_name = "NAME")]
    subnet_group: Option<Name>,
    /// native: security groups
    #[arg(long, value_name = "ID")]
    security_group: Vec<Name>,
    /// native: cluster parameter group
    #[arg(long, value_name = "NAME")]
    parameter_group: Option<Name>,
    /// native: file with the new master password; default: a random one that nobody keeps
    #[arg(long, value_name = "FILE")]
    master_password_file: Option<PathBuf>,
    /// portable: an empty database, postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(
        long,
        value_name = "URL",
        env = "DR_RESTORE_INTO",
        hide_env_values = true
    )]
    into: Option<String>,
    /// PEM bundle for TLS to PostgreSQL
    #[arg(long, value_name = "FILE")]
    postgres_ca_file: Option<String>,
    /// s3: the bucket that files are restored into
    #[arg(long, value_name = "BUCKET")]
    bucket: Option<BucketName>,
    /// s3: its region; default: the vault's
    #[arg(long, value_name = "REGION")]
    bucket_region: Option<Region>,
    /// s3: its endpoint; default: the vault's
    #[arg(long, value_name = "URL")]
    bucket_endpoint: Option<String>,
    /// s3: put before every key
    #[arg(long, value_name = "PREFIX", default_value = "")]
    prefix: String,
    /// Do not ask; needs --plan
    #[arg(long, requires = "plan")]
    yes: bool,
    /// The plan's hash, as shown before
    #[arg(long, value_name = "HASH")]
    plan: Option<String>,
    /// When the outage began; RTO and RPO are counted from it. Default: now
    #[arg(long, value_name = "TIME")]
    incident_at: Option<Timestamp>,
    /// Take the run over from another runner that still lives
    #[arg(long)]
    take_over: bool,
    /// Where to journal when the vault cannot be written
    #[arg(long, value_name = "FILE")]
    journal_file: Option<PathBuf>,
    /// Restore nothing: bring a journal that could not be written into the vault, as a run of its
    /// own
    #[arg(long, value_name = "FILE")]
    upload_journal: Option<PathBuf>,
}

fn path(text: &str) -> Result<Path, String> {
    Path::ALL
        .into_iter()
        .find(|p| p.as_str() == text)
        .ok_or_else(|| format!("no path `{text}`; paths are native, portable and s3"))
}

/// What is about to be done.
pub(super) struct Choice<'a> {
    pub place: &'a Place,
    pub way: Way,
    pub into: RestoreInto,
    /// SHA-256 over actions, names and version ids; not over instants, so that the same command
    /// gives the same hash.
    pub hash: String,
    pub address: Option<Address>,
    /// What a person types to confirm.
    pub word: String,
}

pub async fn run(world: &World, args: &Args) -> Outcome {
    let began = world.now();
    let found = places::find(world, args).await?;
    let mut answer = Answer::new("dr/restore/1");
    answer.measured_on = if found.places.iter().any(|p| {
        p.target
            .endpoint
            .as_deref()
            .is_some_and(crate::policy::on_loopback)
    }) {
        "lab"
    } else {
        "aws"
    };
    let ways = all_ways(&found, args.before);
    for (target, why) in &found.away {
        answer.find(
            warning(
                "target-unavailable",
                target.as_str(),
                &format!("target {target} cannot be read: {why}"),
            ),
            Exit::Unavailable,
        );
    }
    if let Some(place) = found.places.first()
        && let Err(fail) = super::home::skew(world, place.now, &place.target.name)
    {
        answer.find(
            warning(
                "clock-skew",
                place.target.name.as_str(),
                &format!("{}; the store's time is used", fail.message),
            ),
            Exit::Stuck,
        );
    }
    if let Some(file) = &args.upload_journal {
        local::upload(&found, file, &mut answer).await?;
        return Ok(answer);
    }
    let Some(path) = args.path else {
        tell::reachable(&mut answer, &ways);
        return Ok(answer);
    };
    let choice = choose(&found, &ways, path, args).await?;
    if !choice.way.proven {
        let message = format!(
            "point {} was never proven by path {path} from {}",
            choice.way.point, choice.way.target
        );
        answer.find(
            warning("not-proven", &choice.way.point, &message),
            Exit::Findings,
        );
    }
    tell::plan(&mut answer, &choice)?;
    if !confirmed(world, args, &choice).await? {
        answer.exit = Exit::Usage;
        let command = format!(
            "dr restore … --point {} --yes --plan {}",
            choice.way.point, choice.hash
        );
        answer.find(
            Finding {
                severity: Severity::Error,
                hint: command,
                ..warning(
                    "not-confirmed",
                    &choice.word,
                    "nothing was changed: there is no terminal to confirm at",
                )
            },
            Exit::Usage,
        );
        answer.set("executed", false);
        return Ok(answer);
    }
    go::execute(world, args, &found.clients, &choice, began, &mut answer).await?;
    Ok(answer)
}

pub(super) fn warning(code: &str, thing: &str, message: &str) -> Finding {
    Finding {
        code: code.into(),
        severity: Severity::Warning,
        thing: thing.into(),
        place: String::new(),
        hint: super::output::hint(code).unwrap_or_default().into(),
        message: message.into(),
    }
}

fn all_ways(found: &Places, before: Option<Timestamp>) -> Vec<Way> {
    let mut ways: Vec<Way> = found
        .places
        .iter()
        .flat_map(|p| choose::ways(&p.target.name, &p.points, p.now, before))
        .collect();
    choose::order(&mut ways);
    ways
}

async fn choose<'a>(
    found: &'a Places,
    ways: &[Way],
    path: Path,
    args: &Args,
) -> Result<Choice<'a>, Fail> {
    let Some(way) = choose::pick(ways, path, args.point.as_deref(), args.target.as_ref()) else {
        let wanted = args.point.as_ref().map_or_else(
            || "no recovery point".to_owned(),
            |p| format!("no recovery point {p}"),
        );
        let also = if ways.is_empty() {
            String::new()
        } else {
            format!("; there are {} other ways", ways.len())
        };
        return Err(Fail::new(
            Exit::Findings,
            "no-way",
            format!("{wanted} can be restored by path {path}{also}"),
        )
        .hint("dr restore … --path native|portable|s3"));
    };
    let place = found
        .places
        .iter()
        .find(|p| p.target.name == way.target)
        .ok_or_else(|| Fail::usage("the target is gone"))?;
    let address = match (&args.into, path) {
        (Some(url), Path::Portable) => Some(
            Address::from_url(url, args.postgres_ca_file.clone())
                .map_err(|why| Fail::usage(format!("--into: {why}")))?,
        ),
        _ => None,
    };
    let (into, word) = destination(found, place, way, args, address.as_ref()).await?;
    let mut choice = Choice {
        place,
        way: way.clone(),
        into,
        hash: String::new(),
        address,
        word,
    };
    choice.hash = make_plan(&choice, &RunId("restore".into()), Timestamp::UNIX_EPOCH)?
        .hash()
        .0;
    Ok(choice)
}

async fn destination(
    found: &Places,
    place: &Place,
    way: &Way,
    args: &Args,
    address: Option<&Address>,
) -> Result<(RestoreInto, String), Fail> {
    let again = "dr restore … --path";
    match way.path {
        Path::Native => {
            let id = args.cluster.clone().ok_or_else(|| {
                Fail::usage("path native needs --cluster, the name of the new cluster")
                    .hint(format!("{again} native --cluster NAME"))
            })?;
            valid_cluster(&id)?;
            let shape = place
                .policy
                .as_ref()
                .and_then(|p| p.drill.as_ref())
                .map(|d| d.cluster.clone());
            let class = args
                .instance_class
                .clone()
                .or_else(|| shape.as_ref().map(|s| s.instance_class.clone()));
            let class = class.ok_or_else(|| {
                Fail::usage("the vault knows no instance class; name one").hint(format!(
                    "{again} native --cluster {id} --instance-class db.r6g.large"
                ))
            })?;
            let from_policy = place
                .policy
                .as_ref()
                .and_then(|p| p.rds_endpoint(&place.target.region).map(str::to_owned));
            let into = RestoreInto::Cluster {
                id: id.clone(),
                instance_class: class,
                subnet_group: args
                    .subnet_group
                    .clone()
                    .or_else(|| shape.as_ref().and_then(|s| s.subnet_group.clone())),
                security_groups: if args.security_group.is_empty() {
                    shape
                        .as_ref()
                        .map(|s| s.security_groups.clone())
                        .unwrap_or_default()
                } else {
                    args.security_group.clone()
                },
                parameter_group: args
                    .parameter_group
                    .clone()
                    .or_else(|| shape.as_ref().and_then(|s| s.parameter_group.clone())),
                rds_endpoint: found.endpoints.of("rds").or(from_policy),
            };
            Ok((into, id.to_string()))
        }
        Path::Portable => {
            let address = address.ok_or_else(|| {
                Fail::usage("path portable needs --into, the URL of an empty database").hint(
                    format!("{again} portable --into postgres://USER@HOST:5432/DATABASE"),
                )
            })?;
            let key = way
                .dump
                .clone()
                .ok_or_else(|| Fail::usage("the point has no dump"))?;
            let versions = place.vault.versions_of(&key).await?;
            let version = versions
                .iter()
                .find(|v| !v.delete_marker)
                .map(|v| v.version.clone());
            let into = RestoreInto::Database {
                host: address.host.clone(),
                port: address.port,
                database: address.database.clone(),
                user: address.user.clone(),
                dump_version: version.ok_or_else(|| {
                    Fail::new(Exit::Findings, "missing", format!("{key} is gone"))
                })?,
                dump_key: key,
            };
            Ok((into, address.database.clone()))
        }
        Path::S3 => {
            let bucket = args.bucket.clone().ok_or_else(|| {
                Fail::usage("path s3 needs --bucket, where the files go")
                    .hint(format!("{again} s3 --bucket BUCKET [--prefix PREFIX]"))
            })?;
            if bucket == place.target.bucket {
                return Err(Fail::refused(
                    "destination-is-vault",
                    format!("{bucket} is the vault itself; files are restored elsewhere"),
                ));
            }
            if let Some(url) = &args.bucket_endpoint {
                crate::policy::endpoint_allowed(url)
                    .map_err(|why| Fail::usage(format!("--bucket-endpoint: {why}")))?;
            }
            let into = RestoreInto::Bucket {
                bucket: bucket.clone(),
                region: args
                    .bucket_region
                    .clone()
                    .unwrap_or_else(|| place.target.region.clone()),
                endpoint: args
                    .bucket_endpoint
                    .clone()
                    .or_else(|| place.target.endpoint.clone()),
                // Of an endpoint that only the flag names nothing is known: what every provider
                // takes will do there.
                provider: if args.bucket_endpoint.is_none()
                    || args.bucket_endpoint == place.target.endpoint
                {
                    place.target.provider
                } else {
                    Provider::Compatible
                },
                prefix: args.prefix.clone(),
            };
            Ok((into, bucket.to_string()))
        }
    }
}

/// Amazon RDS: 1 to 63 letters, digits or hyphens, a letter first, no hyphen last or doubled.
fn valid_cluster(id: &ClusterId) -> Result<(), Fail> {
    let text = id.as_str();
    let fine = (1..=60).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fine {
        Ok(())
    } else {
        Err(Fail::usage(format!(
            "--cluster {text}: use 1 to 60 lower-case letters, digits and single hyphens, a \
             letter first"
        )))
    }
}

pub(super) fn make_plan(
    choice: &Choice<'_>,
    run: &RunId,
    opened_at: Timestamp,
) -> Result<Plan, Fail> {
    let place = choice.place;
    let point = place
        .points
        .iter()
        .find(|p| p.point.slot == choice.way.point)
        .ok_or_else(|| Fail::usage("the point is gone"))?;
    let policy = place.policy.as_ref();
    let input = RestoreInput {
        vault: place.id.clone(),
        home: place.target.name.clone(),
        run: run.clone(),
        opened_at,
        point: &point.point,
        target: choice.way.target.clone(),
        copy: point.copies.iter().find(|c| c.target == choice.way.target),
        into: choice.into.clone(),
        targets: vec![place.target.clone()],
        runner: policy.map_or_else(Runner::default, |p| p.runner.clone()),
        poll_every: policy.map_or(Seconds(5), |p| Seconds(p.timeouts.poll_every.0.min(5))),
        streams: policy.map_or(2, |p| p.concurrency.streams),
        in_flight: policy.map_or(8, |p| p.concurrency.objects),
    };
    restore(&input).map_err(|why| Fail::new(Exit::Findings, "no-way", why))
}

/// A line of stdin, read beside everything else: who waits for it can still be asked to stop, and
/// the thread goes with the process.
async fn line() -> std::io::Result<String> {
    let (give, take) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut typed = String::new();
        let read = std::io::stdin().lock().read_line(&mut typed);
        // Nobody waits any more where the answer was Ctrl-C.
        let _gone = give.send(read.map(|_| typed));
    });
    take.await
        .unwrap_or_else(|_| Err(std::io::Error::other("the reader ended")))
}

/// Asks a person, or believes a hash.
async fn confirmed(world: &World, args: &Args, choice: &Choice<'_>) -> Result<bool, Fail> {
    if args.yes {
        return match &args.plan {
            Some(hash)
                if choice.hash == *hash || (hash.len() >= 12 && choice.hash.starts_with(hash)) =>
            {
                Ok(true)
            }
            _ => Err(Fail::new(
                Exit::Usage,
                "plan-changed",
                format!(
                    "the plan's hash is now {}, \
             not the one that was confirmed; look at the plan again",
                    choice.hash
                ),
            )
            .hint(format!(
                "dr restore … --point {} --yes --plan {}",
                choice.way.point, choice.hash
            ))),
        };
    }
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let question = format!(
        "{}\nIt would lose about {}. Type {} to go on: ",
        tell::summary(choice),
        span(choice.way.loses_s),
        choice.word
    );
    let mut err = std::io::stderr().lock();
    drop(
        err.write_all(clean(&question).as_bytes())
            .and_then(|()| err.flush()),
    );
    drop(err);
    let typed = tokio::select! {
        typed = line() => typed.map_err(|e| Fail::usage(format!("nothing could be read: {e}")))?,
        () = world.stopped() => return Err(Fail::new(Exit::Unavailable, "stopped", "asked to \
         stop at the question; nothing was \
         changed").hint("dr restore … --path native|portable|s3")),
    };
    if typed.trim() == choice.word {
        return Ok(true);
    }
    Err(Fail::new(
        Exit::Usage,
        "not-confirmed",
        format!("`{}` was not typed; nothing was changed", choice.word),
    ))
}
