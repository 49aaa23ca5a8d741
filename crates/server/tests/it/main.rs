//! All tests of the server on real databases: one binary, a file per part.
mod bare;
mod cli_learn;
mod ledger;
mod tidy;
