//! The binary `wangge`. Everything is in the library.

fn main() -> std::process::ExitCode {
    server::cli::main()
}
