//! Why a time is or is not on offer, in words for the host: every rule that holds or does not, and what decides.
//! Start with [`Situation::explain`]; the rules themselves are in `slots`.

use super::{BusyCause, BusyInterval, BusyKind, Interval, NotASlot, Situation, Slot, Taken, Verdict, Warning, spans};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

/// How many of a calendar's warnings are told one by one.
const WARNINGS_TOLD: usize = 10;

/// What is known of one calendar.
#[derive(Clone, Copy, Debug)]
pub struct KnownCalendar<'a> {
    /// Its name, as the host knows it.
    pub name: &'a str,
    /// When it was last read; `None`: never.
    pub read_at: Option<Timestamp>,
    /// Its busy time; it may overlap.
    pub busy: &'a [BusyInterval],
    /// What would be busy but for `ignore_titles`.
    pub ignored: &'a [BusyInterval],
    /// What its events open.
    pub opens: &'a [Interval],
    /// What was not understood in it.
    pub warnings: &'a [Warning],
}

/// What is known of the host's calendars, and how old it may be.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Each calendar that is read.
    pub calendars: &'a [KnownCalendar<'a>],
    /// One not read for longer: nothing can be booked.
    pub max_staleness: SignedDuration,
    /// The time by which the age of the data is told: the real one, also where the rules are asked about another.
    pub as_of: Timestamp,
    /// Busy time is known within.
    pub window: Interval,
}

/// What is decided of one start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It can be booked.
    OnOffer(Slot),
    /// It is no slot and will never be one.
    NotASlot(NotASlot),
    /// A calendar was not read for too long: nothing can be booked.
    Unread,
    /// It is a slot, but not on offer.
    Taken(Taken),
}

/// Why a time is or is not on offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The start that was asked for.
    pub start: Timestamp,
    /// The slot that would start then.
    pub time: Option<Interval>,
    /// What is decided; the same as the offer says.
    pub decision: Decision,
    /// Every rule with what it says, the deciding one first, then all others that are against it, then those that hold.
    pub reasons: Vec<Reason>,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which rule.
    pub rule: Rule,
    /// Whether it lets the time be booked.
    pub effect: Effect,
    /// In words, times in the host's zone.
    pub text: String,
}

/// A rule that a slot must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It is in the future.
    Past,
    /// It is within the hours.
    Hours,
    /// It is on the grid of starts.
    Grid,
    /// It is not sooner than the notice.
    Notice,
    /// It is not later than the horizon.
    Horizon,
    /// The calendars were read lately, and as far ahead.
    Calendars,
    /// It meets nothing busy, buffers included.
    Busy,
    /// It meets no booking, buffers included, and a seat is left.
    Bookings,
    /// The day's bookings are below `per_day`.
    PerDay,
    /// The guest's bookings are below `per_guest`.
    PerGuest,
    /// The host takes new bookings.
    Pause,
    /// Bookings have a calendar to go to.
    Calendar,
}

impl Rule {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Past => "past",
            Rule::Hours => "hours",
            Rule::Grid => "grid",
            Rule::Notice => "notice",
            Rule::Horizon => "horizon",
            Rule::Calendars => "calendars",
            Rule::Busy => "busy",
            Rule::Bookings => "bookings",
            Rule::PerDay => "per-day",
            Rule::PerGuest => "per-guest",
            Rule::Pause => "pause",
            Rule::Calendar => "bookings-calendar",
        }
    }
}

/// Whether a rule lets a time be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It does not.
    Against,
    /// It does.
    For,
    /// It decides nothing here, and is worth knowing.
    Note,
}

impl Decision {
    /// The rule that decides; `None` when all let it be booked.
    fn rule(self) -> Option<Rule> {
        Some(match self {
            Decision::OnOffer(_) => return None,
            Decision::NotASlot(NotASlot::Past) => Rule::Past,
            Decision::NotASlot(NotASlot::OutsideHours) => Rule::Hours,
            Decision::NotASlot(NotASlot::OffGrid) => Rule::Grid,
            Decision::Unread => Rule::Calendars,
            Decision::Taken(Taken::TooSoon) => Rule::Notice,
            Decision::Taken(Taken::TooFar) => Rule::Horizon,
            Decision::Taken(Taken::Busy) => Rule::Busy,
            Decision::Taken(Taken::Booked) => Rule::Bookings,
            Decision::Taken(Taken::DayFull) => Rule::PerDay,
            Decision::Taken(Taken::GuestLimit) => Rule::PerGuest,
            Decision::Taken(Taken::Paused) => Rule::Pause,
            Decision::Taken(Taken::Unbookable) => Rule::Calendar,
        })
    }

    /// One word for programs, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Decision::OnOffer(_) => "on-offer",
            Decision::NotASlot(NotASlot::Past) => "past",
            Decision::NotASlot(NotASlot::OutsideHours) => "outside-hours",
            Decision::NotASlot(NotASlot::OffGrid) => "off-grid",
            Decision::Unread => "stale",
            Decision::Taken(Taken::TooSoon) => "too-soon",
            Decision::Taken(Taken::TooFar) => "too-far",
            Decision::Taken(Taken::Busy) => "busy",
            Decision::Taken(Taken::Booked) => "booked",
            Decision::Taken(Taken::DayFull) => "day-full",
            Decision::Taken(Taken::GuestLimit) => "guest-limit",
            Decision::Taken(Taken::Paused) => "paused",
            Decision::Taken(Taken::Unbookable) => "unbookable",
        }
    }
}

impl Situation<'_> {
    /// Why `start` is or is not on offer. `known` is what [`Situation::busy`] and [`Situation::opened`] were made of.
    pub fn explain(&self, start: Timestamp, known: &Known<'_>) -> Explanation {
        let unread =
            known.calendars.iter().any(|calendar| self.is_unread(calendar, known)) || known.calendars.is_empty();
        let decision = match self.judge(start) {
            Verdict::NotASlot(why) => Decision::NotASlot(why),
            _ if unread => Decision::Unread,
            Verdict::OnOffer(slot) if known.window.covers(slot.time) => Decision::OnOffer(slot),
            Verdict::OnOffer(_) => Decision::Taken(Taken::TooFar),
            Verdict::Taken(why) => Decision::Taken(why),
        };
        let time = self.at(start);
        let mut reasons = vec![self.future(start)];
        reasons.extend(self.hours_and_grid(start, known));
        reasons.extend(self.paused());
        reasons.extend(self.unbookable());
        reasons.extend([self.notice(start), self.horizon(start, known)]);
        reasons.extend(known.calendars.iter().map(|calendar| self.reading(calendar, known)));
        if known.calendars.is_empty() {
            reasons.push(against(Rule::Calendars, "no calendar was ever read".to_owned()));
        }
        if let Some(time) = time {
            reasons.extend(self.busy_times(time, known));
            reasons.extend(self.bookings(time));
            reasons.extend(self.per_day(time));
        }
        reasons.extend(known.calendars.iter().flat_map(|calendar| self.not_understood(calendar)));
        if let Some(limit) = self.meeting.per_guest {
            let text = format!(
                "one guest's address may hold {} booking(s) in any {}; that is decided when a guest books",
                limit.count,
                words(limit.span)
            );
            reasons.push(Reason { rule: Rule::PerGuest, effect: Effect::Note, text });
        }
        let deciding = decision.rule();
        // Stable: within a group the order of the rules stays.
        reasons.sort_by_key(|reason| {
            (reason.effect, !(reason.effect == Effect::Against && Some(reason.rule) == deciding))
        });
        Explanation { start, time, decision, reasons }
    }

    fn is_unread(&self, calendar: &KnownCalendar<'_>, known: &Known<'_>) -> bool {
        calendar.read_at.is_none_or(|at| known.as_of.duration_since(at) > known.max_staleness)
    }

    fn future(&self, start: Timestamp) -> Reason {
        let now = self.clock(self.now);
        if start <= self.now {
            against(Rule::Past, format!("the time has passed: it is {now}"))
        } else {
            holds(Rule::Past, format!("it is in the future: now it is {now}"))
        }
    }

    /// What the hours of the day say, in two reasons if the time is within them.
    fn hours_and_grid(&self, start: Timestamp, known: &Known<'_>) -> Vec<Reason> {
        let date = self.zone.civil(start).date();
        let Some(time) = self.at(start) else {
            return vec![against(Rule::Hours, "it would end after the end of time".to_owned())];
        };
        let source = self.hours_of(date, known);
        let around = spans(self.hours, self.zone, self.opened, time);
        let within: Vec<Interval> = around.into_iter().filter(|span| span.contains(start)).collect();
        match self.on_grid(time) {
            Ok(span) => {
                let step = words(self.meeting.step);
                vec![
                    holds(Rule::Hours, format!("it is within the hours {}: {source}", self.range(span))),
                    holds(Rule::Grid, format!("a slot starts then: every {step} from {}", self.clock(span.start()))),
                ]
            }
            Err(NotASlot::OffGrid) => {
                let near: Vec<String> = within
                    .iter()
                    .flat_map(|span| {
                        let step = self.meeting.step.as_nanos().max(1);
                        let steps = start.duration_since(span.start()).as_nanos() / step;
                        [steps, steps + 1]
                            .map(|steps| SignedDuration::from_nanos_i128(steps * step))
                            .map(|behind| span.start().checked_add(behind).map(|at| self.clock(at)).unwrap_or_default())
                    })
                    .collect();
                let text = format!(
                    "slots start every {} from the start of each span of hours; the starts around it are {} ({source})",
                    words(self.meeting.step),
                    near.join(" and ")
                );
                vec![against(Rule::Grid, text)]
            }
            Err(_) => {
                let text = match within.as_slice() {
                    [] => format!("nobody is met then: {source}"),
                    spans => format!(
                        "it would end at {}, after the hours {}: {source}",
                        self.clock(time.end()),
                        spans.iter().map(|span| self.range(*span)).collect::<Vec<_>>().join(", ")
                    ),
                };
                vec![against(Rule::Hours, text)]
            }
        }
    }

    /// Where the hours of a date come from, and what they are.
    fn hours_of(&self, date: Date, known: &Known<'_>) -> String {
        let whose = if self.meeting.hours.is_some() { "the meeting type's own" } else { "the host's" };
        let list = |ranges: &[super::TimeRange]| match ranges {
            [] => "closed".to_owned(),
            ranges => ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        };
        if let Some(line) = self.hours.exception(date) {
            let dates =
                if line.first == line.last { line.first.to_string() } else { format!("{}..{}", line.first, line.last) };
            return format!("`dates` of {whose} hours has \"{dates} {}\"", list(&line.ranges));
        }
        let weekday = date.strftime("%A");
        let mut text = match self.hours.weekly.on(date.weekday()) {
            [] => format!("{whose} weekly hours have nothing on a {weekday}"),
            ranges => format!("{whose} weekly hours of {weekday} are {}", list(ranges)),
        };
        if self.meeting.hours.is_some() {
            return text;
        }
        for calendar in known.calendars {
            let of_day = |open: &&Interval| self.zone.civil(open.start()).date() == date;
            let opened: Vec<String> = calendar.opens.iter().filter(of_day).map(|open| self.range(*open)).collect();
            if !opened.is_empty() {
                text.push_str(&format!("; events of calendar {:?} open {}", calendar.name, opened.join(", ")));
            }
        }
        text
    }

    /// Said only while it holds: nobody looks for a pause that there is not.
    fn paused(&self) -> Option<Reason> {
        let pause = self.pause.filter(|pause| pause.holds(self.now))?;
        let until = pause.until.map_or_else(String::new, |until| format!(" until {}", self.clock(until)));
        Some(against(Rule::Pause, format!("the host takes no new bookings{until}")))
    }

    fn unbookable(&self) -> Option<Reason> {
        let text = "there is no [host.bookings] in the config: times are shown, and none can be booked";
        (!self.takes_bookings).then(|| against(Rule::Calendar, text.to_owned()))
    }

    fn notice(&self, start: Timestamp) -> Reason {
        let notice = words(self.meeting.notice);
        match self.now.checked_add(self.meeting.notice) {
            Ok(soonest) if start >= soonest => {
                holds(Rule::Notice, format!("it is at least the notice of {notice} ahead"))
            }
            Ok(soonest) => {
                let text = format!("it is sooner than the notice of {notice}: nothing before {}", self.clock(soonest));
                against(Rule::Notice, text)
            }
            Err(_) => against(Rule::Notice, format!("it is sooner than the notice of {notice}")),
        }
    }

    fn horizon(&self, start: Timestamp, known: &Known<'_>) -> Reason {
        let horizon = words(self.meeting.horizon);
        match self.now.checked_add(self.meeting.horizon) {
            Ok(latest) if start >= latest => {
                let text = format!("it is beyond the horizon of {horizon}: slots start before {}", self.clock(latest));
                against(Rule::Horizon, text)
            }
            _ if start > self.now && self.at(start).is_none_or(|time| !known.window.covers(time)) => {
                let text = format!("the calendars are known until {} only", self.clock(known.window.end()));
                against(Rule::Horizon, text)
            }
            _ => holds(Rule::Horizon, format!("it is within the horizon of {horizon}")),
        }
    }

    fn reading(&self, calendar: &KnownCalendar<'_>, known: &Known<'_>) -> Reason {
        let (name, most) = (calendar.name, words(known.max_staleness));
        match calendar.read_at {
            None => against(
                Rule::Calendars,
                format!("calendar {name:?} was never read, and what cannot be read is busy: see officehours check"),
            ),
            Some(at) if self.is_unread(calendar, known) => against(
                Rule::Calendars,
                format!(
                    "calendar {name:?} was last read {}, longer ago than max_staleness ({most}), and what cannot be read is busy",
                    self.clock(at)
                ),
            ),
            Some(at) => {
                let mut text = format!("calendar {name:?} was read {}", self.clock(at));
                if !calendar.warnings.is_empty() {
                    text.push_str(&format!("; {} thing(s) in it were not understood", calendar.warnings.len()));
                }
                holds(Rule::Calendars, text)
            }
        }
    }

    /// What was not understood in a calendar, a few of it.
    fn not_understood(&self, calendar: &KnownCalendar<'_>) -> Vec<Reason> {
        let note = |text| Reason { rule: Rule::Calendars, effect: Effect::Note, text };
        let told = calendar.warnings.iter().take(WARNINGS_TOLD).map(|warning| {
            let of = warning.uid.as_deref().unwrap_or("an event without UID");
            note(format!("calendar {:?}, {of}: {}", calendar.name, warning.what))
        });
        let mut notes: Vec<Reason> = told.collect();
        if let Some(more) = calendar.warnings.len().checked_sub(WARNINGS_TOLD).filter(|more| *more > 0) {
            notes.push(note(format!(
                "calendar {:?}: {more} more thing(s) were not understood: see officehours check",
                calendar.name
            )));
        }
        notes
    }

    /// Each event that is in the way.
    fn busy_times(&self, time: Interval, known: &Known<'_>) -> Vec<Reason> {
        let kept = time.widened(self.meeting.buffer_before, self.meeting.buffer_after);
        let mut reasons = Vec::new();
        for calendar in known.calendars {
            for busy in calendar.busy.iter().filter(|busy| busy.interval.overlaps(kept)) {
                let mut text = format!(
                    "{} of calendar {:?} is busy {}",
                    name_of(&busy.cause),
                    calendar.name,
                    self.range(busy.interval)
                );
                if busy.interval.end() <= time.start() {
                    let buffer = words(self.meeting.buffer_before);
                    text.push_str(&format!(", within the {buffer} kept free before the slot (buffer_before)"));
                } else if busy.interval.start() >= time.end() {
                    let buffer = words(self.meeting.buffer_after);
                    text.push_str(&format!(", within the {buffer} kept free after the slot (buffer_after)"));
                }
                let about = |warning: &&Warning| warning.uid.is_some() && warning.uid == busy.cause.uid;
                for warning in calendar.warnings.iter().filter(about) {
                    text.push_str(&format!("; of it was not understood: {}", warning.what));
                }
                reasons.push(against(Rule::Busy, text));
            }
        }
        if reasons.is_empty() {
            reasons.push(holds(Rule::Busy, format!("no calendar is busy {}", self.range(kept))));
        }
        for calendar in known.calendars {
            for ignored in calendar.ignored.iter().filter(|ignored| ignored.interval.overlaps(kept)) {
                let text = format!(
                    "{} of calendar {:?}, {}, does not count: `ignore_titles` has its title",
                    name_of(&ignored.cause),
                    calendar.name,
                    self.range(ignored.interval)
                );
                reasons.push(Reason { rule: Rule::Busy, effect: Effect::Note, text });
            }
        }
        reasons
    }

    /// Each booking that is in the way, and the seats.
    fn bookings(&self, time: Interval) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut taken = 0;
        for held in self.held {
            if held.meeting == self.meeting.id && held.time == time {
                taken += 1;
            } else if held.is_too_close(self.meeting, time) {
                let buffer = if held.time.end() <= time.start() {
                    held.buffer_after.max(self.meeting.buffer_before)
                } else {
                    held.buffer_before.max(self.meeting.buffer_after)
                };
                let near = if held.time.overlaps(time) {
                    String::new()
                } else {
                    format!(", and {} must lie between the two", words(buffer))
                };
                let (id, meeting, when) = (held.id, &held.meeting, self.range(held.time));
                let text =
                    format!("a booking of {meeting} is {when}{near}: officehours bookings show {id} says whose it is");
                reasons.push(against(Rule::Bookings, text));
            }
        }
        let seats = self.meeting.seats;
        if taken >= seats {
            let text = match seats {
                1 => "it is booked".to_owned(),
                seats => format!("all {seats} seats are taken"),
            };
            reasons.push(against(Rule::Bookings, text));
        } else if reasons.is_empty() {
            let left = seats - taken;
            reasons
                .push(holds(Rule::Bookings, format!("no booking is in the way; {left} of {seats} seat(s) are left")));
        }
        reasons
    }

    fn per_day(&self, time: Interval) -> Option<Reason> {
        let most = self.meeting.per_day?;
        let day = |instant: Timestamp| self.zone.civil(instant).date();
        let date = day(time.start());
        let of_day =
            self.held.iter().filter(|held| held.meeting == self.meeting.id && day(held.time.start()) == date).count();
        let text = format!("{date} has {of_day} booking(s) of this type; per_day allows {most}");
        let full = u32::try_from(of_day).map_or(true, |count| count >= most);
        Some(if full { against(Rule::PerDay, text) } else { holds(Rule::PerDay, text) })
    }

    /// A moment by the host's clock.
    fn clock(&self, at: Timestamp) -> String {
        let local = self.zone.civil(at);
        let seconds = if local.second() == 0 { "" } else { ":%S" };
        local.strftime(&format!("%a %Y-%m-%d %H:%M{seconds}")).to_string()
    }

    /// From when to when by the host's clock.
    fn range(&self, time: Interval) -> String {
        let (start, end) = (self.zone.civil(time.start()), self.zone.civil(time.end()));
        if start.date() == end.date() {
            format!("{}-{}", self.clock(time.start()), end.strftime("%H:%M"))
        } else {
            format!("{} to {}", self.clock(time.start()), self.clock(time.end()))
        }
    }
}

fn against(rule: Rule, text: String) -> Reason {
    Reason { rule, effect: Effect::Against, text }
}

fn holds(rule: Rule, text: String) -> Reason {
    Reason { rule, effect: Effect::For, text }
}

/// What is busy, for the host.
fn name_of(cause: &BusyCause) -> String {
    let title = match (cause.summary.trim(), &cause.uid) {
        ("", Some(uid)) => format!("the event without a title (UID {uid})"),
        ("", None) => "an event without a title".to_owned(),
        (title, _) => format!("{title:?}"),
    };
    match cause.what {
        BusyKind::Event if cause.recurring => format!("{title} (one of a series)"),
        BusyKind::Event => title,
        BusyKind::Unavailable => match cause.summary.trim() {
            "" => "the time outside of the availability".to_owned(),
            title => format!("the time outside of the availability {title:?}"),
        },
        BusyKind::FreeBusy => "a busy period (VFREEBUSY)".to_owned(),
        BusyKind::Unreadable => {
            format!("{title}, whose recurrence cannot be read and is busy as far as it could reach,")
        }
        BusyKind::Truncated => {
            format!("{title}, whose recurrence was too much to work out and is busy as far as it could reach,")
        }
    }
}

/// A length of elapsed time, as the config writes it.
fn words(duration: SignedDuration) -> String {
    let mut rest = duration.as_secs().max(0);
    let mut text = String::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= length {
            text.push_str(&format!("{}{unit}", rest / length));
            rest %= length;
        }
    }
    if text.is_empty() { "0m".to_owned() } else { text }
}

#[cfg(test)]
mod tests;
