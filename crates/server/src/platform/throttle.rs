//! Budgets by address: how often one address may do a thing in a window of time. In memory, bounded, per process.

use domain::time::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Addresses remembered at the same time; above it the windows that ended are forgotten, then the oldest.
pub const ADDRESSES: usize = 100_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Requests to the portal.
    Portal,
    /// Requests of other systems.
    Open311,
    /// Tiles of the public map.
    Tiles,
    /// Messages of other platforms.
    Peer,
    /// Password checks.
    Login,
}

#[derive(Clone, Copy)]
struct Window {
    ends: i64,
    used: u32,
}

/// The counters.
#[derive(Default)]
pub struct Throttle {
    windows: Mutex<HashMap<(Budget, IpAddr), Window>>,
}

impl Throttle {
    /// Uses one unit; the error is the seconds until the window ends.
    pub fn take(&self, budget: Budget, address: IpAddr, limit: u32, window_ms: i64, now: Timestamp) -> Result<(), u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= ADDRESSES {
            windows.retain(|_, window| window.ends > now.0);
            if windows.len() >= ADDRESSES
                && let Some(oldest) = windows
                    .iter()
                    .min_by_key(|(_, window)| window.ends)
                    .map(|(key, _)| *key)
            {
                windows.remove(&oldest);
            }
        }
        let window = windows
            .entry((budget, network(address)))
            .or_insert(Window { ends: 0, used: 0 });
        if window.ends <= now.0 {
            *window = Window {
                ends: now.0.saturating_add(window_ms),
                used: 0,
            };
        }
        if window.used >= limit {
            return Err(u64::try_from(window.ends - now.0).unwrap_or_default().div_ceil(1000));
        }
        window.used += 1;
        Ok(())
    }
}

/// An IPv6 customer has a whole /64: it counts as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_budget_is_used_up_and_comes_back() {
        let throttle = Throttle::default();
        let here: IpAddr = "203.0.113.5".parse().unwrap();
        let take = |at: i64| throttle.take(Budget::Login, here, 2, 1000, Timestamp(at));
        assert_eq!((take(0), take(1), take(2)), (Ok(()), Ok(()), Err(1)));
        assert_eq!(take(1000), Ok(()));
        let other = "203.0.113.6".parse().unwrap();
        assert_eq!(throttle.take(Budget::Login, other, 2, 1000, Timestamp(2)), Ok(()));
    }

    #[test]
    fn a_network_of_one_customer_counts_once() {
        let near: IpAddr = "2001:db8::1".parse().unwrap();
        let same: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        assert_eq!(network(near), network(same));
        assert_eq!(
            network("::ffff:203.0.113.5".parse().unwrap()),
            "203.0.113.5".parse::<IpAddr>().unwrap()
        );
    }
}
