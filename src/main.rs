//! Parse, build the world, run, exit code.

use dr::world::World;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    // Threads that cannot be started are a panic of the runtime's, descriptors that cannot be had
    // an error.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let built = std::panic::catch_unwind(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
    });
    std::panic::set_hook(hook);
    let runtime = match built {
        Ok(Ok(runtime)) => runtime,
        Ok(Err(e)) => return ExitCode::from(dr::cli::no_runtime(&e.to_string(), &arguments)),
        Err(_) => {
            return ExitCode::from(dr::cli::no_runtime(
                "a thread cannot be started",
                &arguments,
            ));
        }
    };
    let world = World::default();
    let stopper = world.clone();
    runtime.spawn(async move { stopper.stop_on_signals().await });
    let code = runtime.block_on(dr::cli::guarded(dr::cli::main(world, arguments)));
    // A name that is still being looked up must not keep a process that has given its answer.
    runtime.shutdown_background();
    ExitCode::from(code)
}
