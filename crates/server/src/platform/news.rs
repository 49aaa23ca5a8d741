//! News within a transaction: a part says what it changed, and parts above it follow before the commit, all or nothing.
//!
//! Entry points: [`follow`] (once, when the program is put together) and [`tell`]. For what the lower part must not know of: territory does not
//! know who lives in a dwelling, the registry does not know what is owed to a household.

use super::{App, Ctx, Fault, Tx};
use std::sync::{Mutex, PoisonError};

type Follower<N> = fn(&Ctx, &mut Tx, &N) -> Result<(), Fault>;

struct Followers<N>(Mutex<Vec<Follower<N>>>);

impl<N> Default for Followers<N> {
    fn default() -> Followers<N> {
        Followers(Mutex::new(Vec::new()))
    }
}

/// Whenever `N` is told, this is done in the same transaction.
pub fn follow<N: 'static>(app: &App, follower: Follower<N>) {
    let followers = app.part::<Followers<N>>();
    followers
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(follower);
}

/// Tells what was changed; a follower that fails undoes the change with itself.
pub fn tell<N: 'static>(ctx: &Ctx, tx: &mut Tx, news: &N) -> Result<(), Fault> {
    let followers = ctx.app.part::<Followers<N>>();
    let all = followers.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    all.iter().try_for_each(|follower| follower(ctx, tx, news))
}
