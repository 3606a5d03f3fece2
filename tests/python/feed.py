"""Reads an iCalendar file with the icalendar package and prints what it saw as JSON; status 1 on any complaint."""
import datetime
import json
import sys

import icalendar


def instant(value):
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        sys.exit(f"not an instant: {value!r}")
    return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


with open(sys.argv[1], "rb") as file:
    calendar = icalendar.Calendar.from_ical(file.read())
complaints = [f"{component.name}: {error}" for component in calendar.walk() for error in component.errors]
if complaints:
    sys.exit("\n".join(complaints))
events = [
    {
        "uid": str(event["UID"]),
        "start": instant(event.decoded("DTSTART")),
        "end": instant(event.decoded("DTEND")),
        "summary": str(event["SUMMARY"]),
        "url": str(event.get("URL", "")),
        "description": str(event.get("DESCRIPTION", "")),
        "properties": sorted({str(key) for key in event}),
        "components": [child.name for child in event.subcomponents],
    }
    for event in calendar.walk("VEVENT")
]
busy = [
    [instant(period.start), instant(period.end)]
    for component in calendar.walk("VFREEBUSY")
    for value in ([component["FREEBUSY"]] if not isinstance(component.get("FREEBUSY", []), list) else component.get("FREEBUSY", []))
    for period in (value if isinstance(value, list) else [value])
]
print(json.dumps({
    "calendar": {str(key): str(value) for key, value in calendar.items()},
    "components": [child.name for child in calendar.subcomponents],
    "events": events,
    "busy": busy,
}))
