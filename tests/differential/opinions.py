#!/usr/bin/env python3
"""What independent engines make of the cases of fixtures/busy, whose busy time was worked out by hand.

    tests/differential/opinions.py [FOLDER] [--show CASE]

icalendar with recurring-ical-events (tests/requirements.txt) and ical.js (tests/package.json) say when the events of each
calendar are; which of them count (TRANSP, STATUS, PARTSTAT, Outlook's BUSYSTATUS, travel time) is said here, anew, from
fixtures/busy/README.md. Their ends are taken as they give them.
Part of tests/run, some seconds. Ends with status 1 if a case and an engine differ and the table in fixtures/busy/OPINIONS.md does
not say why, if the table names a difference that is none, or if a case that no engine confirms is not in its second table.
"""

import argparse, contextlib, json, re, signal, subprocess, sys, time, warnings
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar, recurring_ical_events

ROOT = Path(__file__).resolve().parents[2]
ENGINES = ("recurring-ical-events", "ical.js")
AROUND = timedelta(days=8)


class TooLong(Exception):
    """The engine has no answer."""


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def merged(intervals, window):
    """UTC, sorted, disjoint, touching ones joined, clipped, as text."""
    out = []
    for begin, end in sorted((max(a, window[0]), min(b, window[1])) for a, b in intervals):
        if begin >= end:
            continue
        if out and begin <= out[-1][1]:
            out[-1][1] = max(out[-1][1], end)
        else:
            out.append([begin, end])
    return [[t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in pair] for pair in out]


# --- which events count -------------------------------------------------------------------------------------------


def counts(lines, all_day, case):
    """`lines`: the content lines of the event that decide, unfolded."""
    values, attendees, organizer = {}, [], ""
    for line in lines:
        head, value = re.match(r'((?:[^":]|"[^"]*")*):?(.*)', re.sub(r"\r?\n[ \t]", "", line), re.S).groups()
        name, *params = re.split(r';(?=(?:[^"]|"[^"]*")*$)', head)
        params = dict((p.split("=", 1) + [""])[:2] for p in params)
        params = {key.upper(): val.strip('"') for key, val in params.items()}
        if name.upper() == "ATTENDEE":
            attendees.append((value, params))
        elif name.upper() == "ORGANIZER":
            organizer = value
        else:
            values.setdefault(name.upper(), value.strip().upper())
    plain = lambda address: re.sub(r"^mailto:", "", address.strip().lower())
    owner = {plain(address) for address in case["owner"]}
    mine = [p.get("PARTSTAT", "NEEDS-ACTION").upper() for value, p in attendees if plain(value) in owner or plain(p.get("EMAIL", "")) in owner]
    order = ["DECLINED", "DELEGATED", "NEEDS-ACTION", "TENTATIVE", "ACCEPTED"]
    answer = max(mine, key=lambda one: order.index(one) if one in order else 4) if mine else "ACCEPTED"
    if values.get("STATUS") == "CANCELLED" or answer in ("DECLINED", "DELEGATED"):
        return False
    if answer == "NEEDS-ACTION" and all_day and plain(organizer) not in owner:
        return False
    outlook = values.get("X-MICROSOFT-CDO-BUSYSTATUS") or values.get("X-MICROSOFT-CDO-INTENDEDSTATUS")
    transp = values.get("TRANSP")
    tentative = values.get("STATUS") == "TENTATIVE" or answer == "TENTATIVE"
    if outlook in ("BUSY", "OOF"):
        busy = True
    elif outlook == "TENTATIVE":
        busy, tentative = True, True
    elif outlook in ("FREE", "WORKINGELSEWHERE"):
        busy = transp == "OPAQUE"
    else:
        busy = transp != "TRANSPARENT"
    return busy and not (tentative and case.get("tentative_free"))


def travel(lines):
    for line in lines:
        if line.upper().startswith("X-APPLE-TRAVEL-DURATION"):
            return icalendar.vDuration.from_ical(line.rsplit(":", 1)[1].strip())
    return timedelta()


# --- the engines --------------------------------------------------------------------------------------------------


def decoded(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def stop(*_):
    raise TooLong


def by_recurring_ical_events(case, data):
    """The intervals, or why there are none."""
    window, host = case["window"], ZoneInfo(case["tz"])
    with contextlib.redirect_stderr(None), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, 0.5)
        # It remembers the zones of other files by their names.
        icalendar.use_zoneinfo()
        try:
            calendars = icalendar.Calendar.from_ical(data, multiple=True)
            if not any(calendar.walk("VEVENT") for calendar in calendars):
                return "no event"
            found = [event for calendar in calendars for event in recurring_ical_events.of(calendar, skip_bad_series=False).between(window[0] - AROUND, window[1] + AROUND)]
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    def at(time):
        try:
            return (time if time.tzinfo else time.replace(tzinfo=host)).astimezone(timezone.utc)
        except OverflowError:
            return time.replace(tzinfo=timezone.utc)

    midnight = lambda day: at(datetime(day.year, day.month, day.day))
    intervals = []
    for event in found:
        start, end = event["DTSTART"].dt, event["DTEND"].dt
        all_day = not isinstance(start, datetime)
        lines = [line for line in event.to_ical().decode().replace("\r\n ", "").splitlines() if re.match("TRANSP|STATUS|ATTENDEE|ORGANIZER|X-MICROSOFT|X-APPLE-TRAVEL", line, re.I)]
        if not counts(lines, all_day, case):
            continue
        if all_day:
            intervals.append((midnight(start), midnight(end)))
        else:
            ahead = travel(lines)
            intervals.append((at(start) - ahead, at(end) if isinstance(end, datetime) else midnight(end)))
    return intervals


@cache
def vtimezone(tzid):
    """Each change of offset an observance of its own."""
    zone, lines = ZoneInfo(tzid), ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    offset = lambda at: at.astimezone(zone).utcoffset()
    spell = lambda delta: ("-" if delta < timedelta() else "+") + "%02d%02d" % divmod(abs(delta) // timedelta(minutes=1), 60)
    at, end, step = datetime(1995, 1, 1, tzinfo=timezone.utc), datetime(2033, 1, 1, tzinfo=timezone.utc), timedelta(minutes=30)
    onsets = [(at, offset(at))]
    while at < end:
        later = at + timedelta(days=1)
        while at < later and offset(later) != offset(at):
            if offset(at + step) != offset(at):
                onsets.append((at + step, offset(at)))
            at += step
        at = later
    for at, before in onsets:
        after = offset(at)
        lines += ["BEGIN:STANDARD", f"DTSTART:{at + before:%Y%m%dT%H%M%S}", f"TZOFFSETFROM:{spell(before)}", f"TZOFFSETTO:{spell(after)}", "END:STANDARD"]
    return "\r\n".join([*lines, "END:VTIMEZONE", ""])


def names_in(text):
    found = set(re.findall(r'TZID="?([^":;,]+)"?:', re.sub(r"\r?\n[ \t]", "", text)))
    known = set()
    for name in found:
        with contextlib.suppress(Exception):
            ZoneInfo(name)
            known.add(name)
    return known


def by_ical_js(cases):
    """All at once: a list of occurrences for each, or why there is none."""
    asked = [{"ics": decoded(data), "zones": [vtimezone(name) for name in sorted(names_in(decoded(data)))], "to": int((case["window"][1] + AROUND).timestamp())} for case, data in cases]
    done = subprocess.run(["node", str(Path(__file__).with_name("opinions.js"))], input=json.dumps(asked), capture_output=True, text=True, cwd=ROOT / "tests", check=False)
    if done.returncode:
        sys.exit(done.stderr)
    answers = []
    for (case, _), answer in zip(cases, json.loads(done.stdout)):
        if "none" in answer:
            answers.append(answer["none"])
            continue
        host = ZoneInfo(case["tz"])

        def at(moment):
            if moment["unix"] is not None:
                return datetime.fromtimestamp(max(0, min(moment["unix"], 253_402_300_799)), timezone.utc)
            form = "%Y%m%d" if moment["date"] else "%Y%m%dT%H%M%S"
            try:
                return datetime.strptime(moment["wall"], form).replace(tzinfo=host).astimezone(timezone.utc)
            except (ValueError, OverflowError):
                return datetime(1970, 1, 1, tzinfo=timezone.utc)

        chosen = [o for o in answer["found"] if counts(o["lines"], o["start"]["date"], case)]
        answers.append([(at(o["start"]) - (timedelta() if o["start"]["date"] else travel(o["lines"])), at(o["end"])) for o in chosen])
    return answers


# --- what is explained --------------------------------------------------------------------------------------------


def explained(path):
    """{(case, engine)} of the first table, {case} of the second."""
    differences, alone = set(), set()
    first, _, second = path.read_text().partition("## Confirmed by none")
    row = re.compile(r"^\| (?P<why>[^|]+) \| (?P<engines>[^|]+) \| (?P<cases>[^|]+) \|$", re.M)
    for match in row.finditer(first):
        for case in re.findall(r"`([^`]+)`", match["cases"]):
            differences |= {(case, engine.strip()) for engine in match["engines"].split(",")}
    for line in second.splitlines():
        if line.startswith("| "):
            alone |= set(re.findall(r"`([^`]+)`", line.rsplit("|", 2)[1]))
    return differences, alone


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder", nargs="?", default=str(ROOT / "fixtures/busy"))
    args.add_argument("--show", action="append", default=[], help="print what each engine says of this case; all: of each")
    args = args.parse_args()
    began, folder = time.time(), Path(args.folder)
    cases = []
    for path in sorted(folder.glob("*.ics")):
        case = json.loads(path.with_suffix(".json").read_text())
        case["name"], case["window"] = path.stem, (instant(case["from"]), instant(case["to"]))
        cases.append((case, path.read_bytes()))
    of_js = by_ical_js(cases)
    differences, alone, silent = set(), set(), 0
    for (case, data), js in zip(cases, of_js):
        said = {}
        for engine, answer in zip(ENGINES, (by_recurring_ical_events(case, data), js)):
            said[engine] = answer if isinstance(answer, str) else merged(answer, case["window"])
        answered = {engine: busy for engine, busy in said.items() if isinstance(busy, list)}
        silent += len(said) - len(answered)
        differences |= {(case["name"], engine) for engine, busy in answered.items() if busy != case["busy"]}
        if case["busy"] not in answered.values():
            alone.add(case["name"])
        if {case["name"], "all"} & set(args.show):
            print(f"{case['name']}: {case['why']}\n  expected {json.dumps(case['busy'])}")
            for engine, busy in said.items():
                print(f"  {engine}: {'same' if busy == case['busy'] else json.dumps(busy)}")
    table = folder / "OPINIONS.md"
    known, known_alone = explained(table) if table.exists() else (set(), set())
    wrong = [f"{case} differs from {engine}, and OPINIONS.md does not say why" for case, engine in sorted(differences - known)]
    wrong += [f"{case} does not differ from {engine}, though OPINIONS.md has it" for case, engine in sorted(known - differences)]
    wrong += [f"{case} is confirmed by no engine, and OPINIONS.md does not have it" for case in sorted(alone - known_alone)]
    wrong += [f"{case} is confirmed by an engine, though OPINIONS.md says by none" for case in sorted(known_alone - alone)]
    confirmed = len(cases) - len(alone)
    print(f"{len(cases)} calendars: {confirmed} confirmed by an engine, {len(differences)} differences of theirs, {silent} without an answer, {time.time() - began:.0f} s")
    print("\n".join(wrong))
    print(f"{len(wrong)} not explained")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
