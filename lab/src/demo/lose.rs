//! Second part: the first region goes, in the middle of a commit.

use super::report::{Region1, Report};
use super::story::Story;
use crate::accounts::PRIMARY_REGION;
use crate::pg::sweep;
use crate::up::{LabError, Up};
use jiff::Timestamp;
use std::net::SocketAddr;
use std::time::Duration;

pub struct Lost {
    pub killed_at: Timestamp,
    pub last_operation: i64,
}

pub async fn region(up: &Up, story: &Story, report: &mut Report) -> Result<Lost, LabError> {
    let lab = &up.lab;
    let workload = lab
        .shop
        .workload()
        .ok_or_else(|| LabError::told("the lab has no workload"))?;
    let before = workload.progress();
    if !before.running {
        return Err(LabError::told(format!(
            "the shop stands still: {}",
            before.trouble.unwrap_or_default()
        )));
    }
    let servers = sweep::processes_under(&up.dir().join("rds").join(PRIMARY_REGION)).len();
    let killed_at = lab.clock.now();
    lab.region_down(PRIMARY_REGION).await?;
    let after = workload.progress();
    let reachable = answers(&doors(up)?).await;
    story.chapter(&format!("2. Lose it: {killed_at}"));
    story.told(&format!(
        "{servers} processes of PostgreSQL were killed with SIGKILL, every port of \
         {PRIMARY_REGION} {}.",
        if reachable {
            "STILL ANSWERS"
        } else {
            "refuses"
        }
    ));
    story.told(&format!(
        "The last commit that was acknowledged is operation {}, {}.",
        after.last_operation,
        shown(after.last_commit_at)
    ));
    report.region1 = Some(Region1 {
        killed_at,
        reachable,
        last_commit_at: after.last_commit_at,
        last_operation: after.last_operation,
    });
    Ok(Lost {
        killed_at,
        last_operation: after.last_operation,
    })
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".into(), |t| t.to_string())
}

/// Every address that the first region had.
fn doors(up: &Up) -> Result<Vec<SocketAddr>, LabError> {
    let strange = |url: &str| LabError::told(format!("{url} has no address"));
    let mut doors = Vec::new();
    for url in up
        .lab
        .endpoints()
        .get(PRIMARY_REGION)
        .into_iter()
        .flat_map(|s| s.values())
    {
        doors.push(
            url.trim_start_matches("http://")
                .parse()
                .map_err(|_| strange(url))?,
        );
    }
    for cluster in up
        .lab
        .shop
        .clusters()
        .iter()
        .filter(|c| c.region == PRIMARY_REGION)
    {
        let config: tokio_postgres::Config =
            cluster.url.parse().map_err(|_| strange(&cluster.id))?;
        doors.extend(
            config
                .get_ports()
                .iter()
                .map(|p| SocketAddr::from(([127, 0, 0, 1], *p))),
        );
    }
    Ok(doors)
}

async fn answers(doors: &[SocketAddr]) -> bool {
    let tries = doors.iter().map(|door| async move {
        let tried =
            tokio::time::timeout(Duration::from_secs(2), tokio::net::TcpStream::connect(door))
                .await;
        matches!(tried, Ok(Ok(_)))
    });
    // No door at all would refuse as well.
    doors.is_empty() || futures::future::join_all(tries).await.contains(&true)
}
