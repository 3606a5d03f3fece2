//! A proof of work instead of a puzzle: a browser finds a number whose digest begins with so many zero bits, while its guest fills the
//! form in; whoever wants a thousand bookings works a thousand times. Start with [`Desk::challenge`].
//!
//! A challenge is `NONCE.EXPIRY.MAC`, its solution `NONCE.EXPIRY.MAC.COUNTER`: SHA-256 of the whole begins with the zero bits. No state is
//! kept before a booking is made with it; then the nonce is spent, together with the booking.

use super::Desk;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a challenge can be solved: as long as a form may lie open.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(2);

/// What is to be solved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What the solution begins with, before `.` and a counter.
    pub text: String,
    /// The zero bits that the digest of the solution begins with.
    pub bits: u8,
}

/// Whether a guest's computer has worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The config asks for none.
    NotAsked,
    /// It has; the nonce is spent by the booking.
    Good {
        /// Names the challenge.
        nonce: String,
    },
    /// It has not, or too long ago.
    Missing,
}

impl Desk {
    /// A challenge for a guest, if the config asks for a proof. `nonce`: fresh random bytes.
    pub fn challenge(&self, nonce: [u8; 16]) -> Option<Challenge> {
        let bits = self.world().limits.proof_of_work?;
        let expiry = self.clock.now().checked_add(GOOD_FOR).ok()?.as_second();
        let nonce = self.tokens.text(&nonce);
        let head = format!("{nonce}.{expiry}");
        Some(Challenge { text: format!("{head}.{}", self.tokens.challenge(&head)), bits })
    }

    /// Looks at what a guest sent as the solution. How often it was used is looked at with the booking.
    pub fn proof(&self, solution: &str) -> Proof {
        match self.world().limits.proof_of_work {
            None => Proof::NotAsked,
            Some(bits) => self.good(solution, bits).map_or(Proof::Missing, |nonce| Proof::Good { nonce }),
        }
    }

    fn good(&self, solution: &str, bits: u8) -> Option<String> {
        let (challenge, _counter) = solution.rsplit_once('.').filter(|_| solution.len() <= 200)?;
        let (head, mac) = challenge.rsplit_once('.')?;
        let (nonce, expiry) = head.split_once('.')?;
        let is_ours = bool::from(self.tokens.challenge(head).as_bytes().ct_eq(mac.as_bytes()));
        let until = Timestamp::from_second(expiry.parse().ok()?).ok()?;
        let is_solved = zero_bits(&Sha256::digest(solution.as_bytes())) >= u32::from(bits);
        (is_ours && is_solved && self.clock.now() < until).then(|| nonce.to_owned())
    }
}

/// The zero bits that the bytes begin with.
fn zero_bits(bytes: &[u8]) -> u32 {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let rest = bytes.get(zeros).map_or(0, |byte| byte.leading_zeros());
    u32::try_from(zeros).map_or(u32::MAX, |zeros| zeros * 8 + rest)
}

#[cfg(test)]
mod tests {
    use super::super::{BlockList, Keep, Limits, OutboxSignal, TokenSource, World};
    use super::*;
    use crate::availability::Clock;
    use crate::booking::Links;
    use crate::store::Store;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    fn desk(bits: Option<u8>, key: u8) -> (Desk, Arc<AtomicI64>) {
        let time = Arc::new(AtomicI64::new(1_800_000_000));
        let clock = {
            let time = time.clone();
            Clock::new(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap())
        };
        let world = World {
            hosts: Vec::new(),
            links: Links::new(""),
            limits: Limits { proof_of_work: bits, ..Limits::default() },
            mailbox: None,
            keep: Keep::default(),
            block: BlockList::default(),
            organizer: Default::default(),
            inbox: None,
        };
        let tokens = TokenSource::new([key; 32], || [0; 16]);
        (Desk::new(world, Store::memory().unwrap(), OutboxSignal::new(), clock, tokens), time)
    }

    fn solved(challenge: &Challenge) -> String {
        let wanted = u32::from(challenge.bits);
        let solutions = (0_u32..).map(|counter| format!("{}.{counter}", challenge.text));
        solutions.into_iter().find(|text| zero_bits(&Sha256::digest(text.as_bytes())) >= wanted).unwrap()
    }

    #[test]
    fn a_challenge_is_good_once_solved_and_in_time_and_only_here() {
        let (desk, time) = desk(Some(10), 1);
        let challenge = desk.challenge([7; 16]).unwrap();
        let solution = solved(&challenge);
        assert!(matches!(desk.proof(&solution), Proof::Good { .. }));
        assert_eq!(desk.proof(&solution), desk.proof(&solution));
        for wrong in [
            "",
            "a.b.c.d",
            &challenge.text,
            &format!("{solution}0"),
            &solution.replacen('.', ".9", 1),
            &"x.".repeat(200),
        ] {
            assert_eq!(desk.proof(wrong), Proof::Missing, "{wrong}");
        }
        let (other, _) = self::desk(Some(10), 2);
        assert_eq!(other.proof(&solution), Proof::Missing, "another key");
        time.fetch_add(2 * 3600, Ordering::Relaxed);
        assert_eq!(desk.proof(&solution), Proof::Missing, "too late");
    }

    #[test]
    fn nobody_is_asked_where_the_config_asks_for_none() {
        let (desk, _) = desk(None, 1);
        assert_eq!((desk.challenge([7; 16]), desk.proof("")), (None, Proof::NotAsked));
    }

    #[test]
    fn zero_bits_are_counted_over_bytes() {
        assert_eq!((zero_bits(&[0, 0x10]), zero_bits(&[0xff]), zero_bits(&[0, 0])), (11, 0, 16));
    }
}
