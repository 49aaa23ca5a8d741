//! The one test binary of the server: what it promises, through its real router, on both databases. A file per part.
#![allow(clippy::unwrap_used)]

mod access;
mod areas;
mod backup;
mod bare;
mod blobs;
mod board;
mod cases;
mod classify;
mod cli_learn;
mod clock_migration;
mod clocks;
mod connections;
mod counters;
mod demo;
mod disputes;
mod exchange;
mod found;
mod jobs;
#[allow(dead_code)] // a part uses what it needs
mod kit;
mod ledger;
mod mailbox;
mod mvt;
mod ogc;
mod open311;
mod operations;
mod orders;
mod packs;
mod peers;
mod people;
mod permissions;
mod platform;
mod portal_photos;
mod privacy;
mod simulation;
mod sms;
mod teams;
mod territory;
mod tidy;
mod tiles;
mod today;
mod transparency;
mod webhooks;
mod workforce;
