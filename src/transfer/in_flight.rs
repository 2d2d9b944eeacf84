//! Bytes in flight: how much of others' data this process holds at once, whatever its concurrency.

use tokio::sync::{Semaphore, SemaphorePermit};

/// A permit stands for so many bytes.
const UNIT_BYTES: u64 = 64 << 10;
/// Bytes on their way from a store to another: 40 MiB.
const MOVED_UNITS: u32 = 640;
/// Bytes that are read to be compared: 16 MiB. Apart, because whoever holds bytes to move may have
/// to compare before it lets them go.
const COMPARED_UNITS: u32 = 256;

static MOVED: Semaphore = Semaphore::const_new(MOVED_UNITS as usize);
static COMPARED: Semaphore = Semaphore::const_new(COMPARED_UNITS as usize);

/// What is larger than all of it waits until it is alone.
fn units(bytes: u64, most: u32) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES))
        .unwrap_or(most)
        .clamp(1, most)
}

/// `None` only where the semaphore was closed, which nobody does.
pub(super) async fn to_move(bytes: u64) -> Option<SemaphorePermit<'static>> {
    MOVED.acquire_many(units(bytes, MOVED_UNITS)).await.ok()
}

pub(super) async fn to_compare(bytes: u64) -> Option<SemaphorePermit<'static>> {
    COMPARED
        .acquire_many(units(bytes, COMPARED_UNITS))
        .await
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_largest_is_alone_and_the_empty_take_a_place() {
        assert_eq!(
            (
                units(0, 640),
                units(UNIT_BYTES + 1, 640),
                units(u64::MAX, 640)
            ),
            (1, 2, 640)
        );
        let alone = to_move(1 << 40).await;
        assert!(MOVED.try_acquire().is_err(), "nobody moves beside it");
        assert!(to_compare(1).await.is_some(), "comparing is not moving");
        drop(alone);
        assert!(to_move(1).await.is_some());
    }
}
