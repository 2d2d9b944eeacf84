//! What a person reads: short, in the order of events, with the figures of this run.

use super::report::{Report, Restore};
use crate::accounts::PRIMARY_REGION;
use crate::up::{LabError, Up};
use crate::workload::history::FileHistory;
use std::io::Write;
use std::time::Duration;

pub struct Story;

impl Story {
    pub fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A reader that closed its end does not stop the story: its end decides the exit code.
        let _closed = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    pub fn chapter(&self, title: &str) {
        self.line(&format!("\n{title}"));
    }

    /// A command as typed.
    pub fn typed(&self, shown: &str) {
        self.line(&format!("$ {shown}"));
    }

    pub fn told(&self, text: &str) {
        self.line(&format!("    {text}"));
    }

    pub async fn begin(&self, up: &Up, took: Duration) -> Result<(), LabError> {
        let workload = up
            .lab
            .shop
            .workload()
            .ok_or_else(|| LabError::told("the lab has no workload"))?;
        let n = workload.progress().last_operation;
        let reading = up.lab.shop.expected(n).await.map_err(LabError::told)?;
        let rows: u64 = reading.tables.values().map(|t| t.rows).sum();
        let history = files(up)?;
        self.line(&format!(
            "A practice cloud is up in {} after {:.1} s: two regions of AWS and another \
             provider, all on this machine.",
            up.dir().display(),
            took.as_secs_f64()
        ));
        self.line(&format!(
            "In {PRIMARY_REGION} a shop is at work: {} tables, {rows} rows, {} files; it commits \
             all the time, operation {n} just now.",
            reading.tables.len(),
            history.after(history.last()).len()
        ));
        Ok(())
    }

    pub fn end(&self, report: &Report) {
        if !report.restores.is_empty() {
            self.chapter("What came back (measured in the lab, on this machine)");
            self.line("    method    from      RTO       RPO       lost operations   compared");
            report.restores.iter().for_each(|r| self.line(&row(r)));
        }
        if let Some(left) = &report.leftovers {
            let all = [
                (left.clusters, "clusters"),
                (left.instances, "instances"),
                (left.uploads, "uploads"),
                (left.processes, "processes"),
            ];
            self.line(&format!(
                "Left over: {}.",
                all.map(|(n, what)| format!("{n} {what}")).join(", ")
            ));
        }
        report
            .trouble
            .iter()
            .for_each(|t| self.line(&format!("NOT ok: {t}")));
        self.line(&format!(
            "{} after {:.1} s.",
            if report.ok {
                "All is well"
            } else {
                "It did not work"
            },
            report.wall_s
        ));
    }

    pub fn keep(&self, up: &Up) {
        let (dir, control) = (up.dir().display(), up.ready().control);
        self.chapter("The lab stays up; try in another terminal:");
        for command in [
            format!("export DR_POLICY={dir}/policy.yaml"),
            "dr status".into(),
            "dr verify".into(),
            "dr restore --policy $DR_POLICY".into(),
            format!("curl -X POST {control}/regions/{PRIMARY_REGION}/up"),
            "dr tick".into(),
        ] {
            self.told(&command);
        }
        self.line("Ctrl-C ends it.");
    }
}

/// The log of the files as it is now.
///
/// # Errors
/// It cannot be read.
pub fn files(up: &Up) -> Result<FileHistory, LabError> {
    let path = up.dir().join("workload").join("files.log");
    FileHistory::read(&path).map_err(LabError::file("reading", &path))
}

fn row(r: &Restore) -> String {
    let e = &r.equality;
    let what = if r.method == "files" {
        format!("{} files", e.objects)
    } else {
        format!("{} tables, {} rows", e.tables, e.rows)
    };
    let lost = r.lost_operations.map_or("-".into(), |n| n.to_string());
    let equal = if e.equal { "equal" } else { "DIFFERENT" };
    format!(
        "    {:9} {:9} {:<9} {:<9} {lost:17} {equal}: {what}",
        r.method,
        r.target,
        format!("{:.1} s", r.rto_s),
        format!("{:.1} s", r.rpo_s)
    )
}

pub fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

/// `79.7 MB`
pub fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}
