//! How many requests one address may make (GCRA). An IPv6 /64 counts as one address. Start with [`Rate`].

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// `count` requests within any `per`, such as `600/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At most this many at once.
    pub count: NonZeroU32,
    /// As long as it takes until as many are allowed again.
    pub per: Duration,
}

/// Counts the requests of each address, in memory.
pub(super) struct Limiter {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    checks: AtomicU32,
}

impl Limiter {
    pub(super) fn new(rate: Rate) -> Limiter {
        let period = rate.per.checked_div(rate.count.get()).filter(|period| !period.is_zero());
        let quota = Quota::with_period(period.unwrap_or(Duration::from_nanos(1))).map(|q| q.allow_burst(rate.count));
        let quota = quota.unwrap_or_else(|| Quota::per_second(rate.count));
        Limiter { limiter: RateLimiter::keyed(quota), checks: AtomicU32::new(0) }
    }

    /// Counts a request. `Err` says how long to wait; that request is not counted.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Duration> {
        // Addresses that are not heard of again are forgotten, or a scan of IPv6 would fill the memory.
        if self.checks.fetch_add(1, Ordering::Relaxed) % 4096 == 4095 {
            self.limiter.retain_recent();
        }
        let refused = self.limiter.check_key(&one_network(address));
        refused.map_err(|refused| refused.wait_time_from(DefaultClock::default().now()))
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limiter({} addresses)", self.limiter.len())
    }
}

/// An IPv6 address with its last 64 bits cleared: one household holds them all.
pub(super) fn one_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_refused_beyond_its_count_and_others_are_not() {
        let limiter = Limiter::new(Rate { count: NonZeroU32::new(3).unwrap(), per: Duration::from_secs(600) });
        let (mine, other): (IpAddr, IpAddr) = ("203.0.113.7".parse().unwrap(), "203.0.113.8".parse().unwrap());
        assert!((0..3).all(|_| limiter.check(mine).is_ok()));
        let wait = limiter.check(mine).unwrap_err();
        assert!(wait > Duration::from_secs(100) && wait <= Duration::from_secs(200), "{wait:?}");
        assert!(limiter.check(other).is_ok());
    }

    #[test]
    fn an_ipv6_slash_64_counts_as_one() {
        let limiter = Limiter::new(Rate { count: NonZeroU32::MIN, per: Duration::from_secs(60) });
        assert!(limiter.check("2001:db8:1:2::1".parse().unwrap()).is_ok());
        assert!(limiter.check("2001:db8:1:2:ffff::9".parse().unwrap()).is_err());
        assert!(limiter.check("2001:db8:1:3::1".parse().unwrap()).is_ok());
    }
}
