//! What `dr restore` takes.

use crate::cli::from_vault::VaultArgs;
use crate::model::{BucketName, ClusterId, Method, Name, Region, Slot, SourceId, TargetName};
use jiff::Timestamp;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(flatten)]
    pub vault: VaultArgs,
    /// Restore from the targets of this policy instead
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// How: snapshot, dump or files. Without it the reachable points are shown
    #[arg(long, value_name = "METHOD")]
    pub method: Option<Method>,
    /// Which source, where there are several
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<SourceId>,
    /// dump: which database of the source, where there are several
    #[arg(long, value_name = "DATABASE")]
    pub database: Option<Name>,
    /// This point instead of the newest proven one
    #[arg(long, value_name = "SLOT")]
    pub point: Option<Slot>,
    /// Only points from before this instant
    #[arg(long, value_name = "TIME")]
    pub before: Option<Timestamp>,
    /// From this target of the policy
    #[arg(long, value_name = "TARGET")]
    pub target: Option<TargetName>,
    /// snapshot: name of the new cluster
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<ClusterId>,
    /// snapshot: instance class; default: that of the policy's `restore`, else of its drill
    #[arg(long, value_name = "CLASS")]
    pub instance_class: Option<Name>,
    /// snapshot: least capacity units of a serverless cluster
    #[arg(long, value_name = "UNITS")]
    pub min_acu: Option<f64>,
    /// snapshot: most capacity units of a serverless cluster
    #[arg(long, value_name = "UNITS")]
    pub max_acu: Option<f64>,
    /// snapshot: DB subnet group
    #[arg(long, value_name = "NAME")]
    pub subnet_group: Option<Name>,
    /// snapshot: security groups
    #[arg(long, value_name = "ID")]
    pub security_group: Vec<Name>,
    /// snapshot: cluster parameter group
    #[arg(long, value_name = "NAME")]
    pub parameter_group: Option<Name>,
    /// snapshot: file with the new master password; default: a random one that nobody keeps
    #[arg(long, value_name = "FILE")]
    pub master_password_file: Option<PathBuf>,
    /// dump: an empty database, postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(
        long,
        value_name = "URL",
        env = "DR_RESTORE_INTO",
        hide_env_values = true
    )]
    pub into: Option<String>,
    /// dump: all or nothing: where the server refuses something, the database stays closed and
    /// unfinished
    #[arg(long)]
    pub strict: bool,
    /// PEM bundle for TLS to PostgreSQL
    #[arg(long, value_name = "FILE")]
    pub postgres_ca_file: Option<String>,
    /// files: the bucket that files are restored into
    #[arg(long, value_name = "BUCKET")]
    pub to_bucket: Option<BucketName>,
    /// files: its region; default: the vault's
    #[arg(long, value_name = "REGION")]
    pub to_bucket_region: Option<Region>,
    /// files: its endpoint; default: the vault's
    #[arg(long, value_name = "URL")]
    pub to_bucket_endpoint: Option<String>,
    /// files: credentials profile for it; default: the vault's
    #[arg(long, value_name = "PROFILE")]
    pub to_bucket_profile: Option<String>,
    /// files: put before every key
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub to_prefix: String,
    /// Do not ask; needs --plan
    #[arg(long, requires = "plan")]
    pub yes: bool,
    /// The plan's hash, as shown before
    #[arg(long, value_name = "HASH")]
    pub plan: Option<String>,
    /// When the outage began; RTO and RPO are counted from it. Default: now
    #[arg(long, value_name = "TIME")]
    pub incident_at: Option<Timestamp>,
    /// Take the run over from another runner that still lives
    #[arg(long)]
    pub take_over: bool,
    /// Where to journal when the vault cannot be written
    #[arg(long, value_name = "FILE")]
    pub journal_file: Option<PathBuf>,
    /// Restore nothing: bring a journal that could not be written into the vault, as a run of its
    /// own
    #[arg(long, value_name = "FILE")]
    pub upload_journal: Option<PathBuf>,
}
