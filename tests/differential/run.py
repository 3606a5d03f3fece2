#!/usr/bin/env python3
"""Generated rules and calendars, expanded by officehours and by engines that none of us wrote.

    tests/differential/run.py [--full] [--seed N] [--libical PROGRAM]

Needs python-dateutil, icalendar and recurring-ical-events (tests/requirements.txt) and, for the second opinion on rules,
libical: cc -O1 -o /tmp/libical tests/differential/libical.c -lical, then --libical /tmp/libical.
Part of tests/run. Reduced: 1,500 rules, 250 sets of rules and 225 calendars, under a minute. --full: 24,000 rules, 4,000 sets and
3,600 calendars. Sets are several RRULEs or an EXRULE; a third of the calendars has THISANDFUTURE and zones of their own.
Ends with status 1 if any difference is not explained in DISAGREEMENTS.md.
"""

import argparse, json, os, random, subprocess, sys, tempfile, time
from datetime import date, datetime, timedelta, timezone
from multiprocessing import Pool
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[2]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
FORM = "%Y%m%dT%H%M%S"


# --- rules ---------------------------------------------------------------------------------------------------------


def some(rng, values, most=3):
    return sorted(rng.sample(list(values), rng.randint(1, min(most, len(values)))))


def generate_rule(rng):
    """A rule that RFC 5545 allows, with a DTSTART that may or may not be one of its instances."""
    freq = rng.choices(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"], [6, 6, 5, 4, 2, 1, 1])[0]
    start = datetime(rng.randint(1995, 2030), 1, 1) + timedelta(days=rng.randint(0, 365), hours=rng.randint(0, 23), minutes=rng.choice([0, 15, 30, 59]), seconds=rng.choice([0, 0, 0, 30]))
    if rng.random() < 0.08:
        start = start.replace(year=2024, month=2, day=29)
    if rng.random() < 0.08:
        start = start.replace(month=rng.choice([1, 3, 5, 12]), day=31)
    parts = {"FREQ": freq}
    if rng.random() < 0.45:
        parts["INTERVAL"] = rng.choice([2, 2, 3, 4, 5, 6, 7, 10, 12, 13])
    chance = lambda p: rng.random() < p
    if chance(0.3):
        parts["BYMONTH"] = some(rng, range(1, 13), 4)
    if freq == "YEARLY" and chance(0.2):
        parts["BYWEEKNO"] = some(rng, [*range(1, 54), -1, -2, -20, -53])
    if freq in ("YEARLY", "HOURLY", "MINUTELY", "SECONDLY") and chance(0.15):
        parts["BYYEARDAY"] = some(rng, [1, 2, 59, 60, 61, 100, 200, 365, 366, -1, -2, -100, -365, -366], 4)
    if freq != "WEEKLY" and chance(0.3):
        parts["BYMONTHDAY"] = some(rng, [*range(1, 32), -1, -2, -15, -31], 5)
    if chance(0.45):
        days = some(rng, DAYS, 4)
        if freq == "MONTHLY" or (freq == "YEARLY" and "BYWEEKNO" not in parts):
            within = 5 if freq == "MONTHLY" or "BYMONTH" in parts else 53
            days = [rng.choice(["", "", str(rng.randint(1, within)), str(-rng.randint(1, within))]) + day for day in days]
        parts["BYDAY"] = days
    if chance(0.15):
        parts["BYHOUR"] = some(rng, range(24))
    if chance(0.12):
        parts["BYMINUTE"] = some(rng, range(60))
    if chance(0.06):
        parts["BYSECOND"] = some(rng, range(60))
    if any(name.startswith("BY") for name in parts) and chance(0.2):
        parts["BYSETPOS"] = some(rng, [1, 2, 3, 5, -1, -2, -3], 2)
    if chance(0.35):
        parts["WKST"] = rng.choice(DAYS)
    span = {"YEARLY": 12 * 366, "MONTHLY": 5 * 366, "WEEKLY": 800, "DAILY": 500, "HOURLY": 40, "MINUTELY": 3, "SECONDLY": 1}[freq]
    if chance(0.3):
        parts["COUNT"] = rng.randint(1, 30)
    elif chance(0.3):
        parts["UNTIL"] = (start + timedelta(days=rng.randint(0, span), hours=rng.choice([0, 0, 5]))).strftime(FORM)
    late = "COUNT" not in parts and chance(0.3)
    begin = start + timedelta(days=rng.randint(0, 2 * span) if late else 0)
    items = list(parts.items())
    rng.shuffle(items)
    text = ";".join(f"{name}={','.join(map(str, v)) if isinstance(v, list) else v}" for name, v in items)
    case = {"rule": text, "start": start.strftime(FORM), "to": (begin + timedelta(days=span)).strftime(FORM)}
    if late:
        case["from"] = begin.strftime(FORM)
    return case


def generate_set(rng):
    """Several RRULEs (RFC 5545 3.8.5.3: deprecated, a union) or an EXRULE (RFC 2445 4.8.5.2), from one DTSTART."""
    while True:
        case = generate_rule(rng)
        others = [generate_rule(rng)["rule"] for _ in range(rng.randint(1, 2))]
        usual = lambda rule: parts_of(rule)["FREQ"] in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
        if "from" in case or not all(usual(rule) for rule in [case["rule"], *others]):
            continue
        start = datetime.strptime(case["start"], FORM)
        # The parts that DTSTART stands in for may be another's: end what ends at its own end.
        case["to"] = (start + timedelta(days=800)).strftime(FORM)
        case["ex" if rng.random() < 0.5 else "more"] = others
        return case


def parts_of(rule):
    return dict(part.split("=") for part in rule.split(";"))


def framed(fired, case):
    """DTSTART, COUNT, UNTIL and the window, as we read them, around what an engine says that the rule produces."""
    parts, start, to = parts_of(case["rule"]), case["start"], case["to"]
    until = parts.get("UNTIL", "99991231T235959")
    all_starts = ([start] if start <= until else []) + [t for t in fired if start < t <= until]
    if "COUNT" in parts:
        all_starts = all_starts[: int(parts["COUNT"])]
    return [t for t in all_starts if case.get("from", start) <= t < to]


def dateutil_rule(case):
    """The rule as dateutil must be told it, for the reading of the RFC (see EXPLAINED)."""
    from dateutil.rrule import rrulestr

    parts = parts_of(case["rule"])
    start = datetime.strptime(case["start"], FORM)
    begin = start
    for name in ("COUNT", "UNTIL"):
        parts.pop(name, None)
    if parts["FREQ"] == "YEARLY" and "BYWEEKNO" in parts and not {"BYDAY", "BYMONTHDAY", "BYYEARDAY"} & set(parts):
        parts["BYDAY"] = DAYS[start.weekday()]
    days = parts.get("BYDAY", "").split(",")
    if any(len(day) > 2 for day in days) and any(len(day) == 2 for day in days):
        # dateutil takes what is in both the plain and the numbered days: number them all.
        most = 53 if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts else 5
        parts["BYDAY"] = ",".join(n + day if len(day) == 2 else day for day in days for n in (map(str, range(1, most + 1)) if len(day) == 2 else [""]))
    if "BYSETPOS" in parts:
        # dateutil begins its first set at DTSTART: give it the beginning of the period, with what DTSTART implies.
        pad = lambda name, value: parts.setdefault(name, str(value))
        if parts["FREQ"] in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY"):
            pad("BYHOUR", start.hour)
        if parts["FREQ"] not in ("MINUTELY", "SECONDLY"):
            pad("BYMINUTE", start.minute)
        if parts["FREQ"] != "SECONDLY":
            pad("BYSECOND", start.second)
        day_parts = {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"} & set(parts)
        if parts["FREQ"] == "WEEKLY" and not day_parts:
            parts["BYDAY"] = DAYS[start.weekday()]
        if parts["FREQ"] in ("YEARLY", "MONTHLY") and not day_parts:
            parts["BYMONTHDAY"] = str(start.day)
            if parts["FREQ"] == "YEARLY" and "BYMONTH" not in parts:
                parts["BYMONTH"] = str(start.month)
        if parts["FREQ"] == "WEEKLY":
            begin -= timedelta(days=(start.weekday() - DAYS.index(parts.get("WKST", "MO"))) % 7)
        if parts["FREQ"] == "MONTHLY":
            begin = begin.replace(day=1)
        if parts["FREQ"] == "YEARLY":
            begin = begin.replace(month=1, day=1)
        if parts["FREQ"] in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY"):
            begin = begin.replace(hour=0, minute=0, second=0)
        if parts["FREQ"] == "HOURLY":
            begin = begin.replace(minute=0, second=0)
        if parts["FREQ"] == "MINUTELY":
            begin = begin.replace(second=0)
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    return rrulestr(text, dtstart=begin)


def fired_by_dateutil(case):
    """What the rule alone produces, from the beginning of its first period on."""
    to = datetime.strptime(case["to"], FORM)
    parts = parts_of(case["rule"])
    if "BYWEEKNO" in parts:
        return [t.strftime(FORM) for t in in_weeks(case, parts, to) if t < to]
    fired = []
    for time_fired in dateutil_rule(case):
        if time_fired >= to:
            break
        fired.append(time_fired.strftime(FORM))
    return fired


def by_dateutil(case):
    starts = set(framed(fired_by_dateutil(case), case))
    for rule in case.get("more", []):
        further = {**case, "rule": rule}
        starts |= set(framed(fired_by_dateutil(further), further))
    for rule in case.get("ex", []):
        parts = parts_of(rule)
        # An EXRULE excludes what it produces itself, and DTSTART only if that is of it.
        fired = [t for t in fired_by_dateutil({**case, "rule": rule}) if case["start"] <= t <= parts.get("UNTIL", "99991231T235959")]
        starts -= set(fired[: int(parts["COUNT"])] if "COUNT" in parts else fired)
    return sorted(starts)


def in_weeks(case, parts, to):
    """BYWEEKNO from outside: dateutil numbers the week that two years share wrongly (see DISAGREEMENTS.md)."""
    from dateutil.rrule import rrulestr

    start = datetime.strptime(case["start"], FORM)
    wkst = DAYS.index(parts.get("WKST", "MO"))
    wanted = {int(n) for n in parts["BYWEEKNO"].split(",")}

    def week_of(day):
        fourth = day + timedelta(days=3 - (day.weekday() - wkst) % 7)
        return fourth.year, (fourth.timetuple().tm_yday - 1) // 7 + 1

    def is_wanted(day):
        year, week = week_of(day)
        weeks = next(week_of(date(year, 12, n))[1] for n in (31, 30, 29, 28) if week_of(date(year, 12, n))[0] == year)
        return week in wanted or week - weeks - 1 in wanted

    positions = [int(n) for n in parts.get("BYSETPOS", "").split(",") if n]
    told = {name: value for name, value in parts.items() if name not in ("BYWEEKNO", "BYSETPOS", "COUNT", "UNTIL")}
    if not {"BYDAY", "BYMONTHDAY", "BYYEARDAY"} & set(told):
        told["BYDAY"] = DAYS[start.weekday()]
    for name, value in (("BYHOUR", start.hour), ("BYMINUTE", start.minute), ("BYSECOND", start.second)):
        told.setdefault(name, str(value))
    rule = rrulestr(";".join(f"{name}={value}" for name, value in told.items()), dtstart=datetime(start.year, 1, 1))
    years = {}
    for fired in rule.between(datetime(start.year, 1, 1), datetime(to.year, 12, 31, 23, 59, 59), inc=True):
        if is_wanted(fired.date()):
            years.setdefault(fired.year, []).append(fired)
    for year in years.values():
        chosen = {n - 1 if n > 0 else len(year) + n for n in positions}
        yield from (t for n, t in enumerate(year) if not positions or n in chosen)


class TooSlow(Exception):
    pass


def guarded_dateutil(case):
    """dateutil walks to the year 9999 for a rule that never fires; after 0.3 s of computing it has no opinion."""
    import signal

    def stop(*_):
        raise TooSlow

    signal.signal(signal.SIGPROF, stop)
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, 0.3)
            return by_dateutil(case)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except TooSlow:
        return None
    except ValueError as error:
        return f"refused: {error}"


def by_libical(cases, program):
    """None where it has no answer: libical 3.0 searches for ever, or crashes, for some rules."""
    answers = []
    while program and len(answers) < len(cases):
        at = len(answers)
        batch = cases[at : at + 400]
        bare = lambda rule: ";".join(part for part in rule.split(";") if not part.startswith(("COUNT=", "UNTIL=")))
        text = "".join(f"{bare(case['rule'])} {case['start']} {case['to']}\n" for case in batch)
        process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            out, _ = process.communicate(text, timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
        lines = out.split("\n")[:-1]
        answers += ["refused" if line == "refused" else None if line.endswith("long") else line.split() for line in lines]
        if len(lines) < len(batch):
            answers.append(None)
    answers += [None] * (len(cases) - len(answers))
    return [framed(answer, case) if isinstance(answer, list) else answer for answer, case in zip(answers, cases)]


# --- calendars -----------------------------------------------------------------------------------------------------

ZONES = ["America/New_York", "Europe/Berlin", "Europe/London", "Australia/Lord_Howe", "Australia/Sydney", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Johannesburg", "America/St_Johns", "Pacific/Auckland"]
OWNER = "mailto:prof@example.edu"


def stamp(time_of, zone):
    """A property tail for a wall-clock time: floating, UTC or with a TZID."""
    if zone is None:
        return ":" + time_of.strftime(FORM)
    if zone == "UTC":
        return ":" + time_of.strftime(FORM) + "Z"
    return f";TZID={zone}:" + time_of.strftime(FORM)


def utc_of(time_of, zone):
    return time_of.replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)


def generate_calendar(rng, host):
    """(ics, lengths): lengths of each component by (UID, RECURRENCE-ID), as ('exact', seconds) or ('days', n)."""
    lines, lengths = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//x//EN"], {}
    for number in range(rng.randint(1, 5)):
        uid = f"{number}@x"
        all_day = rng.random() < 0.15
        zone = rng.choice([None, "UTC", host, *rng.sample(ZONES, 3)])
        clock = host if zone is None else zone
        # Near the changes of offset more often than not.
        near = rng.choice([datetime(2026, 3, 8), datetime(2026, 3, 29), datetime(2026, 4, 5), datetime(2026, 10, 4), datetime(2026, 10, 25), datetime(2026, 11, 1), datetime(2026, 6, 1)])
        start = near + timedelta(days=rng.randint(-40, 20), hours=rng.randint(0, 23), minutes=rng.choice([0, 15, 30, 45]))
        if all_day:
            start = datetime(start.year, start.month, start.day)
        days = rng.randint(1, 3)
        seconds = rng.choice([900, 1800, 3600, 5400, 7200, 10800, 28800])
        by_dtend = rng.random() < 0.5

        def write(begin, key, extra):
            out = ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z"]
            if all_day:
                out.append("DTSTART;VALUE=DATE:" + begin.strftime("%Y%m%d"))
                out.append("DTEND;VALUE=DATE:" + (begin + timedelta(days=days)).strftime("%Y%m%d") if by_dtend else f"DURATION:P{days}D")
                lengths[key] = ("days", days)
            else:
                out.append("DTSTART" + stamp(begin, zone))
                if by_dtend:
                    end = begin + timedelta(seconds=seconds)
                    out.append("DTEND" + stamp(end, zone))
                    lengths[key] = ("exact", max(0, int((utc_of(end, clock) - utc_of(begin, clock)).total_seconds())))
                else:
                    out.append(f"DURATION:PT{seconds}S")
                    lengths[key] = ("exact", seconds)
            return out + extra + ["END:VEVENT"]

        extra = []
        if rng.random() < 0.1:
            extra.append("TRANSP:TRANSPARENT")
        if rng.random() < 0.05:
            extra.append("STATUS:CANCELLED")
        if rng.random() < 0.15:
            extra.append(f"ATTENDEE;PARTSTAT={rng.choice(['ACCEPTED', 'DECLINED', 'TENTATIVE'])}:{OWNER}")
        instances = [start]
        if rng.random() < 0.8:
            freq = rng.choice(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY"])
            rule = f"FREQ={freq}"
            if rng.random() < 0.3:
                rule += f";INTERVAL={rng.randint(2, 3)}"
            if freq == "WEEKLY" and rng.random() < 0.5:
                picked = set(some(rng, DAYS, 3)) | {DAYS[start.weekday()]}
                rule += ";BYDAY=" + ",".join(sorted(picked, key=DAYS.index))
            if freq == "MONTHLY":
                start = start.replace(day=min(start.day, 28))
                if rng.random() < 0.5:
                    rule += f";BYDAY={(start.day - 1) // 7 + 1}{DAYS[start.weekday()]}"
            if rng.random() < 0.6:
                rule += f";COUNT={rng.randint(1, 20)}"
            from dateutil.rrule import rrulestr

            instances = list(rrulestr(rule, dtstart=start)[:20])
            extra.append("RRULE:" + rule)
            spell = lambda at: ";VALUE=DATE:" + at.strftime("%Y%m%d") if all_day else stamp(at, zone)
            excluded = set()
            for at in rng.sample(instances[1:], min(len(instances) - 1, rng.choice([0, 0, 1, 3]))):
                excluded.add(at)
                extra.append("EXDATE" + spell(at))
            if rng.random() < 0.2:
                at = start + timedelta(days=rng.randint(1, 60), hours=0 if all_day else 1)
                if at not in instances:
                    extra.append("RDATE" + spell(at))
        lines += write(start, (uid, None), extra)
        if len(instances) > 2:
            for at in rng.sample([i for i in instances[1:] if i not in excluded] or [], min(2, len(instances) - 1 - len(excluded))) if rng.random() < 0.5 else []:
                moved = at + timedelta(days=rng.randint(-3, 3), hours=0 if all_day else rng.randint(-3, 3))
                more = ["RECURRENCE-ID" + spell(at)]
                if rng.random() < 0.2:
                    more.append("STATUS:CANCELLED")
                if rng.random() < 0.2:
                    more.append(f"ATTENDEE;PARTSTAT=DECLINED:{OWNER}")
                lines += write(moved, (uid, at.strftime(FORM)), more)
    return "\r\n".join(lines + ["END:VCALENDAR", ""]), lengths


# Rules of the present: (daylight, standard) offsets, and when each begins.
OWN_ZONES = {
    "Europe/Berlin": (("+0200", "BYMONTH=3;BYDAY=-1SU", "020000"), ("+0100", "BYMONTH=10;BYDAY=-1SU", "030000")),
    "America/New_York": (("-0400", "BYMONTH=3;BYDAY=2SU", "020000"), ("-0500", "BYMONTH=11;BYDAY=1SU", "020000")),
    "Australia/Sydney": (("+1100", "BYMONTH=10;BYDAY=1SU", "020000"), ("+1000", "BYMONTH=4;BYDAY=1SU", "030000")),
    "Australia/Lord_Howe": (("+1100", "BYMONTH=10;BYDAY=1SU", "020000"), ("+1030", "BYMONTH=4;BYDAY=1SU", "020000")),
    "Asia/Kathmandu": (None, ("+0545", None, "000000")),
}


def own_vtimezone(rng, tzid, like):
    """A VTIMEZONE with another name, written as Outlook, as Apple or as a list of dates has it."""
    from dateutil.rrule import rrulestr

    daylight, standard = OWN_ZONES[like]
    style = rng.choice(["1601", "until", "dates"])
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    for kind, mine, other in (("DAYLIGHT", daylight, standard), ("STANDARD", standard, daylight)):
        if mine is None:
            continue
        offset, when, clock = mine
        before = (other or mine)[0]
        head, tail = [f"BEGIN:{kind}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{offset}"], [f"END:{kind}"]
        if when is None:
            lines += head + [f"DTSTART:19700101T{clock}"] + tail
            continue
        rule = f"FREQ=YEARLY;{when}"
        # The rule's own days, at the wall-clock time before the change.
        days = list(rrulestr(rule, dtstart=datetime(2000, 1, 1)).between(datetime(2000, 1, 1), datetime(2031, 1, 1)))
        at = lambda day: f"{day:%Y%m%d}T{clock}"
        if style == "1601":
            first = rrulestr(rule, dtstart=datetime(1601, 1, 1))[0]
            lines += head + [f"DTSTART:{at(first)}", f"RRULE:{rule}"] + tail
        elif style == "dates":
            lines += head + [f"DTSTART:{at(days[0])}"] + [f"RDATE:{at(day)}" for day in days[1:]] + tail
        else:
            sign = -1 if before[0] == "-" else 1
            ahead = sign * timedelta(hours=int(before[1:3]), minutes=int(before[3:5]))
            until = datetime.strptime(at(days[19]), FORM) - ahead
            lines += head + [f"DTSTART:{at(days[0])}", f"RRULE:{rule};UNTIL={until:{FORM}}Z"] + tail
            lines += head + [f"DTSTART:{at(days[20])}", f"RRULE:{rule}"] + tail
    return lines + ["END:VTIMEZONE"]


def generate_future(rng, host):
    """(ics, lengths) of series with THISANDFUTURE overrides, in zones of the file's own or IANA's."""
    lines, lengths, zones = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//x//EN"], {}, []
    for number in range(rng.randint(1, 3)):
        uid, like = f"{number}@x", rng.choice(list(OWN_ZONES))
        tzid = like
        if rng.random() < 0.7:
            tzid = f"Own {number}/{like.split('/')[1]}"
            zones += own_vtimezone(rng, tzid, like)
        near = rng.choice([datetime(2026, 3, 8), datetime(2026, 3, 29), datetime(2026, 4, 5), datetime(2026, 10, 4), datetime(2026, 10, 25), datetime(2026, 11, 1)])
        start = near + timedelta(days=rng.randint(-30, 5), hours=rng.randint(5, 20), minutes=rng.choice([0, 15, 30, 45]))
        step = rng.choice([1, 2, 7])
        rule = {1: "FREQ=DAILY", 2: "FREQ=DAILY;INTERVAL=2", 7: "FREQ=WEEKLY"}[step]
        count = rng.randint(4, 20)
        instances = [start + timedelta(days=step * n) for n in range(count)]

        def write(begin, more, key):
            seconds = rng.choice([900, 1800, 3600, 5400])
            lengths[key] = ("exact", seconds)
            return ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{key}", f"DTSTART;TZID={tzid}:{begin:{FORM}}", f"DURATION:PT{seconds}S", *more, "END:VEVENT"]

        excluded = rng.sample(instances[1:], min(2, count - 2)) if rng.random() < 0.4 else []
        lines += write(start, [f"RRULE:{rule};COUNT={count}"] + [f"EXDATE;TZID={tzid}:{at:{FORM}}" for at in excluded], f"{uid} all")
        left = [at for at in instances[1:] if at not in excluded]
        if left and rng.random() < 0.75:
            at = rng.choice(left)
            moved = at + timedelta(minutes=rng.choice([-180, -60, -15, 0, 15, 45, 120, 24 * 60]))
            lines += write(moved, [f"RECURRENCE-ID;RANGE=THISANDFUTURE;TZID={tzid}:{at:{FORM}}"], f"{uid} future")
            later = [other for other in left if other > at]
            if later and rng.random() < 0.4:
                single = rng.choice(later)
                moved = single + timedelta(minutes=rng.choice([-120, 30, 300]))
                lines += write(moved, [f"RECURRENCE-ID;TZID={tzid}:{single:{FORM}}"], f"{uid} one")
    return "\r\n".join(lines[:3] + zones + lines[3:] + ["END:VCALENDAR", ""]), lengths


def generate_calendar_case(seed, kind):
    rng = random.Random(seed)
    host = rng.choice(ZONES)
    ics, lengths = kind(rng, host)
    month = rng.choice([2, 3, 4, 9, 10, 11])
    until = month + 1
    if kind is generate_future:
        month, until = 2, 12
    case = {"ics": ics, "from": f"2026-{month:02}-01T00:00:00Z", "to": f"2026-{until:02}-15T00:00:00Z", "tz": host, "owner": [OWNER]}
    if kind is generate_calendar:
        lengths = {f"{uid} {rid}": value for (uid, rid), value in lengths.items()}
    return case, lengths


def blocks(event):
    if str(event.get("TRANSP", "OPAQUE")).upper() == "TRANSPARENT" or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return False
    attendees = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    return not any(str(a).lower() == OWNER and a.params.get("PARTSTAT") == "DECLINED" for a in attendees)


def by_recurring_ical_events(job):
    """The starts are the library's; lengths are given to each instance as RFC 5545 3.8.5.3 has it (see EXPLAINED)."""
    import icalendar, recurring_ical_events

    case, lengths = job
    host = ZoneInfo(case["tz"])
    window = [datetime.fromisoformat(case[key].replace("Z", "+00:00")) for key in ("from", "to")]
    calendar = icalendar.Calendar.from_ical(case["ics"])
    intervals = []
    # The library looks at wall-clock lengths: ask for more and clip.
    around = (window[0] - timedelta(days=6), window[1] + timedelta(days=6))
    for event in recurring_ical_events.of(calendar, keep_recurrence_attributes=True).between(*around):
        if not blocks(event):
            continue
        uid = str(event["UID"])
        start = event["DTSTART"].dt
        rid = event.get("RECURRENCE-ID")
        named = lengths.get(str(event.get("SUMMARY")))
        kind, amount = named or lengths.get(f"{uid} {rid.dt.strftime(FORM) if rid is not None and hasattr(rid.dt, 'hour') else rid.dt.strftime('%Y%m%dT000000') if rid is not None else None}", lengths.get(f"{uid} None"))
        if not isinstance(start, datetime):
            midnight = datetime(start.year, start.month, start.day)
            begin = utc_of(midnight, case["tz"])
            end = utc_of(midnight + timedelta(days=amount), case["tz"])
        else:
            start = start if start.tzinfo else start.replace(tzinfo=host)
            begin = start.astimezone(timezone.utc)
            end = begin + timedelta(seconds=amount)
        begin, end = max(begin, window[0]), min(end, window[1])
        if begin < end:
            intervals.append((begin, end))
    merged = []
    for begin, end in sorted(intervals):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return [[t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in pair] for pair in merged]


# --- what is explained ---------------------------------------------------------------------------------------------

EXPLAINED = Path(__file__).with_name("DISAGREEMENTS.md")


def libical_class(case, theirs):
    """The heading in DISAGREEMENTS.md that a difference of libical falls under, if any."""
    parts = parts_of(case["rule"])
    freq, by = parts["FREQ"], {name for name in parts if name.startswith("BY")}
    if theirs == "refused":
        return "libical refuses"
    if "BYSETPOS" in by:
        return "libical BYSETPOS"
    if "BYWEEKNO" in by:
        return "libical BYWEEKNO"
    if freq == "YEARLY" and "BYMONTHDAY" in by and "BYMONTH" not in by:
        return "libical YEARLY with BYMONTHDAY"
    if "BYYEARDAY" in by:
        return "libical BYYEARDAY"
    if freq not in ("YEARLY", "MONTHLY") and "-" in parts.get("BYMONTHDAY", ""):
        return "libical BYMONTHDAY from the end"
    if freq == "WEEKLY" and "INTERVAL" in parts:
        return "libical WEEKLY with INTERVAL"
    if freq in ("HOURLY", "MINUTELY", "SECONDLY") and {"BYHOUR", "BYMINUTE", "BYSECOND"} & by:
        return "libical list of the rule's own unit"
    return None


def ours(cases):
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "cases"), Path(folder, "answers")
        asked.write_text("".join(json.dumps(case) + "\n" for case in cases))
        env = {**os.environ, "OFFICEHOURS_CASES": str(asked), "OFFICEHOURS_ANSWERS": str(answered)}
        command = ["cargo", "test", "--quiet", "--lib", "cases_of_the_differential_test_are_answered"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
        return [json.loads(line) for line in answered.read_text().splitlines()]


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--full", action="store_true")
    args.add_argument("--seed", type=int, default=5545)
    args.add_argument("--rules", type=int)
    args.add_argument("--sets", type=int)
    args.add_argument("--calendars", type=int)
    args.add_argument("--future", type=int)
    args.add_argument("--libical", default="", help="the compiled libical.c; without it, no second opinion on rules")
    args = args.parse_args()
    rules = args.rules if args.rules is not None else 24_000 if args.full else 1_500
    sets = args.sets if args.sets is not None else 4_000 if args.full else 250
    calendars = args.calendars if args.calendars is not None else 2_400 if args.full else 150
    future = args.future if args.future is not None else 1_200 if args.full else 75
    began = time.time()
    failures, classes = [], {}
    with Pool() as pool:
        cases = [generate_rule(random.Random(f"{args.seed} {n}")) for n in range(rules)]
        several = [generate_set(random.Random(f"{args.seed} set {n}")) for n in range(sets)]
        jobs = [generate_calendar_case(f"{args.seed} {n}", generate_calendar) for n in range(calendars)]
        jobs += [generate_calendar_case(f"{args.seed} future {n}", generate_future) for n in range(future)]
        answers = ours(cases + several + [case for case, _ in jobs])
        found, found_sets, found_calendars = answers[:rules], answers[rules : rules + sets], answers[rules + sets :]
        print(f"ours: {time.time() - began:.0f} s", flush=True)
        dateutil = pool.map(guarded_dateutil, cases, chunksize=50)
        # It walks from DTSTART: only rules that are asked for from there.
        rare = {"BYMONTH", "BYMONTHDAY", "BYYEARDAY"}
        often = lambda parts: parts["FREQ"] in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY") or not rare & set(parts)
        asked = [n for n, case in enumerate(cases) if "from" not in case and often(parts_of(case["rule"]))]
        libical = [None] * len(cases)
        for n, answer in zip(asked, by_libical([cases[n] for n in asked], args.libical)):
            libical[n] = answer
        silent = sum(answer is None or isinstance(answer, str) for answer in dateutil)
        for case, answer, other in zip(cases, found, dateutil):
            if isinstance(other, list) and answer.get("starts") != other:
                failures.append(("dateutil", case, answer, other))
        of_sets = pool.map(guarded_dateutil, several, chunksize=50)
        silent += sum(answer is None or isinstance(answer, str) for answer in of_sets)
        for case, answer, other in zip(several, found_sets, of_sets):
            if isinstance(other, list) and answer.get("starts") != other:
                failures.append(("dateutil", case, answer, other))
        for case, answer, other, first in zip(cases, found, libical, dateutil):
            if other is None or answer.get("starts") == other:
                continue
            name = libical_class(case, other)
            # Explained only where dateutil, told as above, sees it as we do, or has no answer.
            if name and (first == answer.get("starts") or not isinstance(first, list)):
                classes[name] = classes.get(name, 0) + 1
            else:
                failures.append(("libical", case, answer, other))
        library = pool.map(by_recurring_ical_events, jobs, chunksize=20)
        for (case, _), answer, other in zip(jobs, found_calendars, library):
            if answer["busy"] != other:
                failures.append(("recurring-ical-events", case, answer, other))
    headings = EXPLAINED.read_text()
    for name in classes:
        if f"## {name}" not in headings:
            failures.append((name, "is not in DISAGREEMENTS.md", None, None))
    print(f"{rules} rules and {sets} sets of them ({silent} without an answer of dateutil), {calendars} calendars and {future} with THISANDFUTURE or zones of their own, seed {args.seed}, {time.time() - began:.0f} s")
    for name, count in sorted(classes.items()):
        print(f"  explained: {name}: {count}")
    for engine, case, answer, other in failures[:20]:
        print(f"\nNOT EXPLAINED against {engine}\n  {json.dumps(case)}\n  ours   {json.dumps(answer)[:600]}\n  theirs {json.dumps(other)[:600]}")
    print(f"{len(failures)} differences not explained")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
