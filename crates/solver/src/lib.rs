//! Plain numbers in, plans out: cutting a town into grids, ordering a day's walk.
//!
//! - [`partition`]: draws and redraws grids over a graph of dwellings;
//! - [`route`]: the order of one walker's day, with windows, lunch and what does not fit;
//! - [`check`]: judges any plan, any route and any claim of impossibility on a code path of its own: an optimiser never marks its own work;
//! - [`ground`]: makes that graph from geometry: who is next to whom, over which length, across which barrier.
//!
//! Must not: read a file, a clock, the network or chance (seeds and deadlines are parameters), or know a person, a place or a database.

pub mod check;
pub mod ground;
pub mod partition;
pub mod route;
