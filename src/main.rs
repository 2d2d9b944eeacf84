//! Parse, build the world, run, exit code.

use dr::world::World;
use std::process::ExitCode;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return ExitCode::from(dr::cli::no_runtime(&e)),
    };
    let world = World::default();
    let stopper = world.clone();
    runtime.spawn(async move { stopper.stop_on_signals().await });
    let arguments = std::env::args_os().collect();
    let code = runtime.block_on(dr::cli::guarded(dr::cli::main(world, arguments)));
    // A name that is still being looked up must not keep a process that has given its answer.
    runtime.shutdown_background();
    ExitCode::from(code)
}
