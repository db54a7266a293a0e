//! The `lineload` command.

use std::process::ExitCode;

/// Workers allocate what the consumer of a check frees, and each request of the SDK allocates
/// hundreds of times: glibc's allocator keeps what the one thread got from it for that thread for
/// good, and takes a tenth of an import's CPU.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lineload::commands::main().into()
}
