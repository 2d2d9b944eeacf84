//! Regions that are lost and come back, and what is changed in them behind the API's back.

use super::doors::Doors;
use super::error::LabError;
use super::lab::Lab;
use crate::accounts::REGIONS;
use crate::s3::{Conditional, Damage};
use std::collections::BTreeMap;

impl Lab {
    fn doors_of(&self, region: &str) -> Result<&Doors, LabError> {
        self.doors.get(region).ok_or_else(|| {
            LabError::told(format!(
                "no region {region}; regions are {}",
                REGIONS.join(", ")
            ))
        })
    }

    /// Connections are cut, ports refuse, servers are killed with SIGKILL under load.
    ///
    /// # Errors
    /// No such region.
    pub async fn region_down(&self, region: &str) -> Result<(), LabError> {
        let doors = self.doors_of(region)?;
        let _moving = self.moving.lock().await;
        doors.close().await;
        self.s3[region].set_down(true);
        self.shop.region_down(region).await;
        Ok(())
    }

    /// # Errors
    /// No such region, a server that does not start, a port that somebody took meanwhile.
    pub async fn region_up(&self, region: &str) -> Result<(), LabError> {
        let doors = self.doors_of(region)?;
        let _moving = self.moving.lock().await;
        self.shop.region_up(region).await?;
        self.s3[region].set_down(false);
        doors
            .all()
            .try_for_each(|d| d.reopen().map_err(|e| LabError::port(d.port, e)))
    }

    /// # Errors
    /// No such region.
    pub fn set_conditional(&self, region: &str, wanted: Conditional) -> Result<(), LabError> {
        self.doors_of(region)?;
        self.s3[region].set_conditional(wanted);
        Ok(())
    }

    /// Changes stored bytes behind the API's back; returns the version's id.
    ///
    /// # Errors
    /// No such region, bucket, key or version.
    pub fn damage(
        &self,
        region: &str,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        how: Damage,
    ) -> Result<String, LabError> {
        self.doors_of(region)?;
        self.s3[region]
            .damage(bucket, key, version, how)
            .map_err(LabError::told)
    }

    /// SHA-256 of what a bucket shows, by key, behind the API's back. Blocks.
    ///
    /// # Errors
    /// No such region or bucket.
    pub fn contents(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<BTreeMap<String, String>, LabError> {
        self.doors_of(region)?;
        self.s3[region].contents(bucket).map_err(LabError::told)
    }
}
