//! What the machine itself can do: the limit no program on it passes, measured in the same run.

use super::{CliError, Figure, work};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Durable writes measured.
const WRITES: usize = 300;
/// Clock ticks in a second, as Linux counts processor time.
const TICKS: f64 = 100.0;

/// A small write forced to the disk, one after the other: what a commit cannot be faster than.
pub fn durable_writes(folder: &Path) -> Result<Vec<Figure>, CliError> {
    let path = folder.join("machine.tmp");
    let mut file = std::fs::File::create(&path).map_err(CliError::new)?;
    let mut times = Vec::with_capacity(WRITES);
    let begin = Instant::now();
    for _ in 0..WRITES {
        let one = Instant::now();
        file.write_all(&[7; 512]).map_err(CliError::new)?;
        file.sync_data().map_err(CliError::new)?;
        times.push(one.elapsed());
    }
    let took = begin.elapsed();
    std::fs::remove_file(&path).map_err(CliError::new)?;
    Ok(vec![work::figure(
        "machine",
        "fdatasync of 512 bytes",
        times,
        took,
        None,
    )])
}

/// Resident memory of a process, in MB.
pub fn rss_mb(process: u32) -> Result<f64, CliError> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).map_err(CliError::new)?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    let kb = line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok());
    Ok(kb.unwrap_or(0.0) / 1024.0)
}

/// Processor time of a process so far, in microseconds.
pub fn cpu_us(process: u32) -> Result<f64, CliError> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).map_err(CliError::new)?;
    // The name in brackets may hold blanks: count from its end. Fields 14 and 15 are user and system time.
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    Ok((ticks(11) + ticks(12)) / TICKS * 1e6)
}
