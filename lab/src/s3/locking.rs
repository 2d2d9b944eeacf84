//! Object Lock's rules. Pure: a version, a wish, an instant.

use super::error::{denied, invalid};
use super::model::{Attributes, BucketMeta, DefaultRetention, Mode, Retention, Version};
use jiff::{SignedDuration, Timestamp};
use s3s::S3Result;

/// Whether this version may be deleted now.
///
/// # Errors
/// `AccessDenied` while it is locked.
pub fn may_delete(version: &Version, bypass: bool, now: Timestamp) -> S3Result<()> {
    if version.attributes.legal_hold {
        return Err(denied("the object is under legal hold"));
    }
    match version.attributes.retention {
        Some(r) if r.until > now && (r.mode == Mode::Compliance || !bypass) => {
            Err(denied("the object is protected by Object Lock"))
        }
        _ => Ok(()),
    }
}

/// Whether a version's retention may become this.
///
/// # Errors
/// `AccessDenied` for what would weaken a lock; `InvalidArgument` for a date in the past.
pub fn may_set(
    current: Option<Retention>,
    wanted: Option<Retention>,
    bypass: bool,
    now: Timestamp,
) -> S3Result<()> {
    let active = current.filter(|r| r.until > now);
    if let Some(wanted) = wanted
        && wanted.until <= now
        && active.is_none()
    {
        return Err(invalid(
            "InvalidArgument",
            "The retain until date must be in the future!",
        ));
    }
    let Some(active) = active else { return Ok(()) };
    let weaker = wanted.is_none_or(|w| {
        w.until < active.until || (active.mode == Mode::Compliance && w.mode == Mode::Governance)
    });
    match (weaker, active.mode) {
        (false, _) => Ok(()),
        (true, Mode::Governance) if bypass => Ok(()),
        (true, _) => Err(denied("the object is protected by Object Lock")),
    }
}

/// What a new version's lock is: its own headers, else the bucket's default.
///
/// # Errors
/// Lock headers into a bucket without Object Lock; one header without the other; a date in the
/// past.
pub fn of_new(bucket: &BucketMeta, attributes: &mut Attributes, now: Timestamp) -> S3Result<()> {
    if (attributes.retention.is_some() || attributes.legal_hold) && !bucket.object_lock {
        return Err(invalid(
            "InvalidRequest",
            "Bucket is missing Object Lock Configuration",
        ));
    }
    match (attributes.retention, bucket.default_retention) {
        (Some(r), _) if r.until <= now => Err(invalid(
            "InvalidArgument",
            "The retain until date must be in the future!",
        )),
        (None, Some(default)) if bucket.object_lock => {
            attributes.retention = Some(Retention {
                mode: default.mode,
                until: until(default, now),
            });
            Ok(())
        }
        _ => Ok(()),
    }
}

fn until(default: DefaultRetention, now: Timestamp) -> Timestamp {
    let days = default.days.unwrap_or(0) + default.years.unwrap_or(0) * 365;
    now + SignedDuration::from_hours(24 * i64::from(days))
}

/// Both headers or none.
///
/// # Errors
/// `InvalidRequest`, `InvalidArgument`.
pub fn parse(mode: Option<&str>, until: Option<Timestamp>) -> S3Result<Option<Retention>> {
    match (mode, until) {
        (None, None) => Ok(None),
        (Some(mode), Some(until)) => {
            let mode = Mode::parse(mode)
                .ok_or_else(|| invalid("InvalidArgument", "Unknown wormMode directive."))?;
            Ok(Some(Retention { mode, until }))
        }
        _ => Err(invalid(
            "InvalidArgument",
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(s).unwrap()
    }

    fn lock(mode: Mode, until: i64) -> Option<Retention> {
        Some(Retention {
            mode,
            until: at(until),
        })
    }

    #[test]
    fn compliance_only_grows_and_governance_yields_to_the_bypass() {
        let now = at(100);
        let strict = lock(Mode::Compliance, 200);
        assert!(may_set(strict, lock(Mode::Compliance, 300), false, now).is_ok());
        for weaker in [
            lock(Mode::Compliance, 150),
            lock(Mode::Governance, 300),
            None,
        ] {
            assert!(may_set(strict, weaker, true, now).is_err());
        }
        let soft = lock(Mode::Governance, 200);
        assert!(may_set(soft, lock(Mode::Governance, 150), false, now).is_err());
        assert!(may_set(soft, lock(Mode::Governance, 150), true, now).is_ok());
        assert!(may_set(soft, lock(Mode::Compliance, 250), false, now).is_ok());
        assert!(
            may_set(lock(Mode::Compliance, 50), None, false, now).is_ok(),
            "a lock that lapsed locks nothing"
        );
        assert!(may_set(None, lock(Mode::Compliance, 50), false, now).is_err());
    }
}
