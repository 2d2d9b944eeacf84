//! The one registry of codes. Each has a page of its name in runbooks/, an exit code, and where one
//! command is the way out, a hint.

use super::{Exit, Failure, Hint};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal, $exit:ident $(, $hint:expr)?;)*) => {
        /// What happened, in a word that never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $code,)*
        }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$code => $name,)*
                }
            }

            /// What a command ends with where nothing worse was found.
            pub fn exit(self) -> Exit {
                match self {
                    $(Code::$code => Exit::$exit,)*
                }
            }

            /// The way out, where one command is it.
            pub fn hint(self) -> Option<Hint> {
                match self {
                    $($(Code::$code => Some($hint),)?)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    // What is typed and what a policy says.
    Usage = "usage", Usage;
    PolicyUnreadable = "policy-unreadable", Usage;
    PolicyInvalid = "policy-invalid", Usage, Hint::dr("policy schema");
    PolicyUnsupported = "policy-unsupported", Usage;
    PolicyVersion = "policy-version", Usage;
    PolicyName = "policy-name", Usage;
    PolicyDuplicate = "policy-duplicate", Usage;
    PolicyAccount = "policy-account", Usage;
    PolicyEmpty = "policy-empty", Usage;
    PolicyLoop = "policy-loop", Usage;
    PolicyHeartbeat = "policy-heartbeat", Usage;
    PolicyAssertion = "policy-assertion", Usage;
    PolicyReference = "policy-reference", Usage;
    PolicyServer = "policy-server", Usage;
    PasswordUnreadable = "password-unreadable", Stuck;
    LockNone = "lock-none", Usage;
    EvidenceShort = "evidence-short", Usage;
    LockTooLong = "lock-too-long", Usage;
    TargetSameRegion = "target-same-region", Usage;
    SnapshotsElsewhere = "snapshots-elsewhere", Usage;
    SnapshotsNoCluster = "snapshots-no-cluster", Usage;
    EndpointMissing = "endpoint-missing", Usage;
    Endpoint = "endpoint", Usage;
    Schedule = "schedule", Usage;
    NoDrill = "no-drill", Usage;
    DrillInProduction = "drill-in-production", Usage;
    DrillNoCopy = "drill-no-copy", Usage;
    DrillScratch = "drill-scratch", Usage;
    ServerlessCapacity = "serverless-capacity", Usage;
    RunnerTakeover = "runner-takeover", Usage;
    Bounds = "bounds", Usage;
    NoMethodMeets = "no-method-meets", Usage;
    NotConfirmed = "not-confirmed", Usage;
    PlanChanged = "plan-changed", Usage;

    // The way to a service.
    TargetUnavailable = "target-unavailable", Unavailable, Hint::policy("status");
    DatabaseUnavailable = "database-unavailable", Unavailable, Hint::policy("status");
    SnapshotWorking = "snapshot-working", Unavailable, Hint::policy("status");
    StateBusy = "state-busy", Unavailable, Hint::policy("status");
    Quota = "quota", Unavailable;
    SnapshotQuota = "snapshot-quota", Stuck;
    Capacity = "capacity", Unavailable, Hint::policy("status");
    /// What a request names beside the thing itself: subnet, security and parameter groups.
    Setup = "setup", Stuck;
    ObjectArchived = "object-archived", Findings;
    TargetFull = "target-full", Stuck, Hint::policy("status");
    // Who asks is told by `aws sts get-caller-identity`, but only AWS has an STS.
    AccessDenied = "access-denied", Stuck, Hint::policy("status");
    KmsKeyUnusable = "kms-key-unusable", Stuck,
        Hint::shell("aws kms describe-key --key-id KEY");
    RequestInvalid = "request-invalid", Stuck;
    Unsupported = "unsupported", Refused;
    TooMany = "too-many", Refused;
    ClockSkew = "clock-skew", Stuck, Hint::shell("timedatectl status");
    Stopped = "stopped", Unavailable, Hint::policy("status");
    ResourcesExhausted = "resources-exhausted", Unavailable, Hint::shell("ulimit -a");

    // Vaults and their locks.
    VaultMissing = "vault-missing", Refused,
        Hint::policy("vault init").arg("--profile", "PROFILE");
    VaultForeign = "vault-foreign", Refused;
    NoCapableTarget = "no-capable-target", Refused, Hint::policy("vault probe");
    TargetWithoutLock = "target-without-lock", Refused;
    LifecycleExpires = "lifecycle-expires", Refused;
    DefaultRetentionLong = "default-retention-long", Refused;
    LockNotProven = "lock-not-proven", Refused, Hint::policy("vault probe");
    LockUnknown = "lock-unknown", Refused, Hint::policy("vault probe");
    LockOpen = "lock-open", Refused, Hint::policy("vault probe");
    LockShort = "lock-short", Findings;

    // Runs.
    Busy = "busy", Unavailable, Hint::policy("status");
    Superseded = "superseded", Superseded;
    PlanBroken = "plan-broken", Stuck;
    PlanNotOurs = "plan-not-ours", Refused, Hint::policy("status");
    PlanVersion = "plan-version", Stuck, Hint::dr("--version");
    PolicyChanged = "policy-changed", Done, Hint::policy("status");
    RunAbandoned = "run-abandoned", Findings;
    RunIncomplete = "run-incomplete", Findings;
    RunDamaged = "run-damaged", Findings, Hint::policy("status");
    RunMissing = "run-missing", Findings;
    JournalLocal = "journal-local", Stuck;
    RunUnrecorded = "run-unrecorded", Done;
    NotOurs = "not-ours", Refused;

    // Stored things.
    Missing = "missing", Findings, Hint::policy("verify");
    Damaged = "damaged", Findings, Hint::policy("verify");
    NameTaken = "name-taken", Findings;
    FormatUnknown = "format-unknown", Stuck, Hint::dr("--version");
    ChecksumMismatch = "checksum-mismatch", Findings, Hint::policy("verify");
    ObjectMissing = "object-missing", Findings, Hint::policy("verify");
    ManifestMissing = "manifest-missing", Findings;
    SnapshotMissing = "snapshot-missing", Findings;
    DocumentDiffers = "document-differs", Findings;
    DeleteMarker = "delete-marker", Findings;
    SecondVersion = "second-version", Findings;
    ForeignObject = "foreign-object", Findings;
    PointDamaged = "point-damaged", Findings;
    MoreWrong = "more-wrong", Findings;
    NothingToVerify = "nothing-to-verify", Findings;
    NothingVerified = "nothing-verified", Findings;

    // Backups.
    SnapshotFailed = "snapshot-failed", Stuck;
    ShareFailed = "share-failed", Stuck;
    SourceUnavailable = "source-unavailable", Unavailable, Hint::policy("status");
    SourceNotVersioned = "source-not-versioned", Refused;
    ObjectGone = "object-gone", Findings, Hint::policy("verify");
    ListTooLarge = "list-too-large", Stuck;
    TagsNotKept = "tags-not-kept", Done;
    /// A warning: the rest of its source is.
    NotProtected = "not-protected", Done;
    TargetBehind = "target-behind", Done, Hint::policy("verify");

    // Drills.
    NothingToDrill = "nothing-to-drill", Findings, Hint::policy("tick");
    CheckFailed = "check-failed", Findings, Hint::policy("verify");
    DrillFailed = "drill-failed", Findings, Hint::policy("drill");
    DumpDiffers = "dump-differs", Findings;
    TeardownSlow = "teardown-slow", Unavailable;
    /// A warning: nothing that counts is in them.
    UploadsLeft = "uploads-left", Done;
    Swept = "swept", Done, Hint::policy("status");

    // Databases and clusters.
    ClusterFailed = "cluster-failed", Stuck;
    NoEndpoint = "no-endpoint", Stuck;
    DatabaseRefused = "database-refused", Findings;
    DatabaseNotEmpty = "database-not-empty", Refused;
    DatabaseEmpty = "database-empty", Findings;
    ClientTooOld = "client-too-old", Refused, Hint::policy("drill");
    DumpDamaged = "dump-damaged", Findings, Hint::policy("verify");

    // Restores.
    RestoredDiffers = "restored-differs", Findings;
    /// What a source holds could not be read while its snapshot was taken.
    ReferenceUnread = "reference-unread", Findings;
    /// What no comparison with a source speaks of: large objects, unlogged tables.
    NotCompared = "not-compared", Findings;
    /// Policies would hide rows of a source from its reader.
    RowSecurity = "rls", Findings;
    /// A server does not give the rows of a table.
    RowsUnread = "rows-unread", Findings;
    RestoredInPart = "restored-in-part", Findings;
    NoPoint = "no-point", Findings;
    NoRestoreOption = "no-restore-option", Findings;
    NotProven = "not-proven", Done;
    DestinationIsVault = "destination-is-vault", Refused;
    DestinationTaken = "destination-taken", Refused;
    FilesDiffer = "files-differ", Findings;

    // What was promised.
    ObjectiveMissed = "objective-missed", Breach, Hint::policy("drill");
    RetentionShort = "retention-short", Breach, Hint::policy("verify");
    SlotsMissed = "slots-missed", Breach, Hint::shell("kubectl get cronjob dr-tick");
    DrillsMissed = "drills-missed", Breach, Hint::policy("tick");
    SourceNotCaptured = "source-not-captured", Breach, Hint::policy("tick");
    CopyMissing = "copy-missing", Breach, Hint::policy("tick");
}

impl Code {
    /// What a failed step means for the engine.
    pub fn failure(self) -> Failure {
        match self.exit() {
            Exit::Unavailable if self == Code::SnapshotWorking => Failure::Working,
            Exit::Unavailable => Failure::Unavailable,
            Exit::Refused => Failure::Refused,
            Exit::Stuck | Exit::Bug | Exit::Usage => Failure::Stuck,
            Exit::Done | Exit::Findings | Exit::Breach | Exit::Superseded => Failure::Finding,
        }
    }

    /// A code as a journal stores it; `None` for one of another version of this program.
    pub fn parse(text: &str) -> Option<Self> {
        Code::ALL.iter().copied().find(|c| c.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_has_a_name_of_its_own_that_can_be_a_files() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            let plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
            assert!(name.bytes().all(plain) && !name.starts_with('-'), "{name}");
            assert_eq!(Code::parse(name).map(Code::as_str), Some(name));
        }
        assert_eq!(Code::parse("of-a-newer-program"), None);
    }
}
