//! How far a step is: a bar where stderr is a terminal, a line now and then otherwise.

use super::clean::clean_line;
use crate::steps::Progress;
use crate::world::World;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Lines of a log come at most this often.
const EVERY: Duration = Duration::from_secs(10);

pub struct Shown {
    world: World,
    bar: Option<ProgressBar>,
    last: Mutex<(String, Instant)>,
}

impl Shown {
    pub fn new(world: &World) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style =
                ProgressStyle::with_template("{spinner} {prefix:24} {wide_bar} {pos}/{len} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            world: world.clone(),
            bar,
            last: Mutex::new((String::new(), world.monotonic())),
        }
    }

    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Shown {
    fn report(&self, step: &str, done: u64, total: u64, unit: &str) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(clean_line(step));
            bar.set_length(total.max(1));
            bar.set_position(done);
            bar.set_message(unit.to_owned());
            return;
        }
        let Ok(mut last) = self.last.lock() else {
            return;
        };
        let now = self.world.monotonic();
        if last.0 != step || now.duration_since(last.1) >= EVERY {
            *last = (step.to_owned(), now);
            drop(writeln!(
                std::io::stderr().lock(),
                "{}: {done}/{total} {unit}",
                clean_line(step)
            ));
        }
    }
}
