//! All tests of the server on real databases: one binary, a file per part.
mod backup;
mod bare;
mod blobs;
mod cli_learn;
mod jobs;
mod ledger;
mod tidy;
