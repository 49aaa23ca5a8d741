//! Files on their way up: one file per upload in a folder of this machine. The length of the file is how much has arrived: it
//! survives a restart without being written down anywhere else.
use std::io;
use std::path::PathBuf;
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

/// The folder.
#[derive(Clone, Debug)]
pub struct Staging {
    folder: PathBuf,
}

impl Staging {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// `id` is the hyphenated text of an id: it cannot leave the folder.
    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Bytes that have arrived; 0 before the first.
    pub async fn offset(&self, id: &str) -> io::Result<u64> {
        match fs::metadata(self.path(id)).await {
            Ok(found) => Ok(found.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Opens the file to add to its end.
    pub async fn appender(&self, id: &str) -> io::Result<Appender> {
        fs::create_dir_all(&self.folder).await?;
        let path = self.path(id);
        let file = OpenOptions::new().create(true).append(true).open(&path).await?;
        Ok(Appender { file, path })
    }

    pub async fn read(&self, id: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(id)).await
    }

    /// Removes the file; there may be none.
    pub async fn remove(&self, id: &str) -> io::Result<()> {
        match fs::remove_file(self.path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The end of one file.
pub struct Appender {
    file: File,
    path: PathBuf,
}

impl Appender {
    /// Adds to the end; a disk without room keeps what fitted.
    pub async fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).await
    }

    /// Everything added is on the disk when this returns. If the disk could not be made to keep it, the whole file is given up and
    /// begins anew: its length would say that bytes have arrived which may be gone from the cache, and asking again may say yes.
    pub async fn keep(mut self) -> io::Result<()> {
        self.file.flush().await?;
        if let Err(error) = self.file.sync_data().await {
            fs::remove_file(&self.path).await?;
            return Err(error);
        }
        Ok(())
    }
}
