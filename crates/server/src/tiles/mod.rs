//! Tiles 瓦片: the map in pieces (Mapbox Vector Tiles), for staff what their scope holds, for everybody what is public.
//!
//! Entry point: [`routes`]. Areas and facilities come from an index in memory ([`index`]) that is of this very moment with each tile; cases of
//! staff from the same plan as lists and counts; the public map shows counts per square of a fixed grid, small ones left out ([`public`]). Must
//! not: show the public a single case, or decide who sees what: that is `Scope` and `facilities::Viewer`.

mod cases;
mod http;
pub mod index;
pub mod mvt;
pub mod public;
mod store;
pub mod tile;

pub use http::routes;
