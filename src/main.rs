//! Parse, build the world, run, exit code.

use dr::world::World;
use std::process::ExitCode;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let world = World::default();
    let stopper = world.clone();
    tokio::spawn(async move { stopper.stop_on_signals().await });
    let arguments = std::env::args_os().collect();
    ExitCode::from(dr::cli::guarded(dr::cli::main(world, arguments)).await)
}
