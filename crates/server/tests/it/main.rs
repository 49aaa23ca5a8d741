//! All tests of the server on real databases: one binary, a file per part.
mod bare;
mod ledger;
mod tidy;
