//! How many requests one address may make (GCRA). An IPv6 /64 counts as one address. What was counted outlasts a reload, and a restart:
//! the daemon stores it now and then. Start with [`Requests`].

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// `count` requests within any `per`, such as `600/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At most this many at once.
    pub count: NonZeroU32,
    /// As long as it takes until as many are allowed again.
    pub per: Duration,
}

/// What was counted of each address. Cheap to clone; the clones share it.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<Counted>>);

/// When each address has used up nothing again: the theoretical arrival time of GCRA.
#[derive(Default)]
struct Counted {
    free_at: HashMap<IpAddr, Timestamp>,
    checks: u32,
}

impl Requests {
    /// What was counted before, as [`Requests::counted`] gave it.
    pub fn restored(counted: impl IntoIterator<Item = (IpAddr, Timestamp)>) -> Requests {
        Requests(Arc::new(Mutex::new(Counted { free_at: counted.into_iter().collect(), checks: 0 })))
    }

    /// Each address that has used up something at `now`, and when it will have used up nothing again.
    pub fn counted(&self, now: Timestamp) -> Vec<(IpAddr, Timestamp)> {
        let counted = self.lock();
        counted.free_at.iter().filter(|(_, at)| **at > now).map(|(address, at)| (*address, *at)).collect()
    }

    /// Counts a request. `Err` says how long to wait; that request is not counted. Those of nobody known count together.
    pub(super) fn check(&self, rate: Rate, address: Option<IpAddr>, now: Timestamp) -> Result<(), SignedDuration> {
        let address = one_network(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let per = SignedDuration::try_from(rate.per).unwrap_or(SignedDuration::MAX);
        let each = per / i32::try_from(rate.count.get()).unwrap_or(i32::MAX);
        let mut counted = self.lock();
        // Addresses that are not heard of again are forgotten, or a scan of IPv6 would fill the memory.
        counted.checks = counted.checks.wrapping_add(1);
        if counted.checks.is_multiple_of(4096) {
            counted.free_at.retain(|_, at| *at > now);
        }
        let used = counted.free_at.get(&address).map_or(SignedDuration::ZERO, |at| at.duration_since(now));
        // A clock that was put back locks nobody out for longer than all that can be used up.
        let used = used.clamp(SignedDuration::ZERO, per);
        let after = used.saturating_add(each);
        if after > per {
            return Err(after.saturating_sub(per));
        }
        counted.free_at.insert(address, now.checked_add(after).unwrap_or(Timestamp::MAX));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // Each change under the lock is one insert.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Requests({} addresses)", self.lock().free_at.len())
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

    fn rate(count: u32, seconds: u64) -> Rate {
        Rate { count: NonZeroU32::new(count).unwrap(), per: Duration::from_secs(seconds) }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_is_refused_beyond_its_count_and_others_are_not() {
        let (requests, rate) = (Requests::default(), rate(3, 600));
        let (mine, other) = (address("203.0.113.7"), address("203.0.113.8"));
        assert!((0..3).all(|_| requests.check(rate, mine, at(0)).is_ok()));
        assert_eq!(requests.check(rate, mine, at(0)), Err(SignedDuration::from_secs(200)));
        assert!(requests.check(rate, other, at(0)).is_ok());
        assert_eq!(requests.check(rate, mine, at(150)), Err(SignedDuration::from_secs(50)));
        assert!(requests.check(rate, mine, at(200)).is_ok());
        assert!(requests.check(rate, mine, at(-900)).is_err(), "a clock that was put back opens nothing");
        assert!(requests.check(rate, mine, at(1000)).is_ok());
    }

    #[test]
    fn what_was_counted_is_restored_and_what_is_over_is_not_kept() {
        let (requests, rate) = (Requests::default(), rate(2, 60));
        let mine = address("203.0.113.7");
        assert!((0..2).all(|_| requests.check(rate, mine, at(0)).is_ok()));
        let counted = requests.counted(at(10));
        assert_eq!(counted, [(mine.unwrap(), at(60))]);
        assert!(Requests::restored(counted).check(rate, mine, at(10)).is_err());
        assert_eq!(requests.counted(at(60)), []);
    }

    #[test]
    fn those_of_nobody_known_count_together() {
        let requests = Requests::default();
        assert!(requests.check(rate(1, 60), None, at(0)).is_ok());
        assert!(requests.check(rate(1, 60), None, at(0)).is_err(), "it fails closed");
    }

    #[test]
    fn an_ipv6_slash_64_counts_as_one() {
        let (requests, rate) = (Requests::default(), rate(1, 60));
        assert!(requests.check(rate, address("2001:db8:1:2::1"), at(0)).is_ok());
        assert!(requests.check(rate, address("2001:db8:1:2:ffff::9"), at(0)).is_err());
        assert!(requests.check(rate, address("2001:db8:1:3::1"), at(0)).is_ok());
    }
}
