//! How much room a disk has.

use super::config::Config;
use std::path::{Path, PathBuf};

/// Below this much room the database counts as full: the next large change would not fit, whatever still does.
pub const RESERVE_BYTES: u64 = 16 << 20;

/// Room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// What an ordinary user may still write.
    pub free: u64,
    pub total: u64,
}

/// Room on the disk of a file or folder; of the nearest folder above it that exists. None where the system does not say.
pub fn room(path: &Path) -> Option<Room> {
    let there = path
        .ancestors()
        .map(|path| {
            if path.as_os_str().is_empty() {
                Path::new(".")
            } else {
                path
            }
        })
        .find(|path| path.exists())?;
    let said = rustix::fs::statvfs(there).ok()?;
    Some(Room {
        free: said.f_bavail.saturating_mul(said.f_frsize),
        total: said.f_blocks.saturating_mul(said.f_frsize),
    })
}

/// The database's file, where it is one.
pub fn database_file(config: &Config) -> Option<PathBuf> {
    config.database.strip_prefix("sqlite:").map(PathBuf::from)
}

/// Whether the database's disk is as good as full. Another machine's disk (PostgreSQL) cannot be seen from here.
pub fn database_full(config: &Config) -> bool {
    database_file(config)
        .and_then(|file| room(&file))
        .is_some_and(|room| room.free < RESERVE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_yet_has_the_room_of_its_folder() {
        let here = room(Path::new(".")).expect("a disk");
        let there = room(Path::new("no/such/folder/wangge.db")).expect("the same disk");
        assert!(here.total > 0 && here.total == there.total);
    }
}
