//! For real. Finds everything from a vault alone, chooses, plans, executes, resumes.

mod available;
mod beforehand;
mod choice;
mod destination;
mod execute;
mod executing;
mod measured;
mod methods;
mod options;
mod place;
mod places;
mod request;
mod still_there;
mod upload;

pub use beforehand::{Beforehand, beforehand};
pub use choice::{Choice, choose};
pub use execute::{Restored, execute};
pub use executing::JournalPlace;
pub use measured::{Measured, RpoBasis, RtoFrom};
pub use options::RestoreOption;
pub use place::Place;
pub use places::{Places, reach};
pub use request::{
    BucketDestination, ClusterDestination, DatabaseDestination, RestoreRequest, RestoreSource,
};
pub use upload::{Uploaded, upload};

use crate::report::{Code, Fail, Finding};
use crate::targets::skew;
use crate::world::World;
use jiff::Timestamp;

/// What can be had now, best first.
pub fn options(places: &Places, before: Option<Timestamp>) -> Vec<RestoreOption> {
    let each = places.places.iter();
    let mut all: Vec<RestoreOption> = each
        .flat_map(|p| methods::options(&p.target.name, &p.points, p.now, before))
        .collect();
    options::order(&mut all);
    all
}

/// Targets and points that cannot be read, and a clock that is off: no obstacles to a restore.
pub fn warnings(world: &World, places: &Places) -> Vec<Finding> {
    let away = places.away.iter().map(|away| {
        let message = format!("target {} cannot be read: {}", away.name, away.why);
        Finding::warning(Code::TargetUnavailable, message).thing(&away.name)
    });
    let first = places.places.first();
    let skewed = first.and_then(|place| {
        let fail: Fail = skew(world, place.now, &place.target.name).err()?;
        let message = format!("{fail}; the store's time is used");
        Some(Finding::warning(Code::ClockSkew, message).thing(&place.target.name))
    });
    let unread = places.places.iter().flat_map(|p| p.unread.iter().cloned());
    away.chain(unread).chain(skewed).collect()
}
