//! `wangge openapi`: the API description, the same bytes as `web/src/api/openapi.json`.

use super::CliError;

/// Prints it to standard output.
pub fn run() -> Result<(), CliError> {
    println!("{}", crate::router::openapi().to_pretty_json().map_err(CliError::new)?);
    Ok(())
}
