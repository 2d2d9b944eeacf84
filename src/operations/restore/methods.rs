//! The table of methods, as far as a restore goes: what can be had by each, and where it goes. No
//! other file of this verb tells methods apart.

use super::available::{At, copies, dumps};
use super::destination::{Asked, Destination, bucket, cluster, database};
use super::options::{RestoreOption, order};
use crate::model::{Method, TargetName};
use crate::report::Fail;
use crate::vault::PointRef;
use jiff::Timestamp;

/// How one method restores.
struct Row {
    /// What of a point it can bring back from one target.
    available: fn(&At<'_>, &PointRef, Method) -> Vec<RestoreOption>,
    /// Where that goes, by the flags that it needs.
    destination: fn(&Asked<'_>) -> Result<Destination, Fail>,
}

fn row(method: Method) -> Row {
    match method {
        Method::Snapshot => Row {
            available: copies,
            destination: cluster,
        },
        Method::Dump => Row {
            available: dumps,
            destination: database,
        },
        Method::Files => Row {
            available: copies,
            destination: bucket,
        },
    }
}

/// Options of the points of one target, by any method, best first.
pub(super) fn options(
    target: &TargetName,
    points: &[PointRef],
    now: Timestamp,
    before: Option<Timestamp>,
) -> Vec<RestoreOption> {
    let at = &At {
        target,
        points,
        now,
    };
    let of_point = |point| {
        let each = Method::ALL.into_iter();
        each.flat_map(move |method| (row(method).available)(at, point, method))
    };
    let mut options: Vec<RestoreOption> = points.iter().flat_map(of_point).collect();
    options.retain(|o| before.is_none_or(|b| o.at <= b));
    order(&mut options);
    options
}

/// # Errors
/// Exit 2: a flag that the method needs is missing, or cannot be what it is to be.
pub(super) fn destination(asked: &Asked<'_>) -> Result<Destination, Fail> {
    (row(asked.option.method).destination)(asked)
}
