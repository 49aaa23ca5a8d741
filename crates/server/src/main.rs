//! The binary `wangge`. Everything is in the library.

/// Requests are made of many small pieces; this allocator hands them out in less time than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    server::cli::main()
}
