"""Reads a message with Python's email package, and the calendar in it with the icalendar package, holds it against RFC 6047,
RFC 5546 and what mail programs need, and prints what it saw as JSON; status 1 on any complaint."""
import datetime
import email
import email.policy
import json
import sys

import icalendar

with open(sys.argv[1], "rb") as file:
    data = file.read()
if b"\n" in data.replace(b"\r\n", b""):
    sys.exit("a line ends without CR")
if max(len(line) for line in data.split(b"\r\n")) > 998:
    sys.exit("a line is longer than 998 octets")
message = email.message_from_bytes(data, policy=email.policy.default)
for part in message.walk():
    if part.defects:
        sys.exit(f"{part.get_content_type()}: {part.defects}")
for name in ("From", "To", "Date", "Message-ID", "Subject", "Auto-Submitted", "MIME-Version"):
    if len(message.get_all(name, [])) != 1:
        sys.exit(f"{name} is there {len(message.get_all(name, []))} times")
for name in message.keys():
    if name.lower().startswith("list-") or name.lower() == "bcc":
        sys.exit(f"{name} does not belong here")


def shape(part):
    if part.is_multipart():
        return [part.get_content_type(), [shape(child) for child in part.iter_parts()]]
    return part.get_content_type()


def instant(value):
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        sys.exit(f"not an instant: {value!r}")
    return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def content(kind):
    part = next((part for part in message.walk() if part.get_content_type() == kind), None)
    return part and part.get_content()


def event(part, attachment):
    text = part.get_payload(decode=True)
    if text != attachment.get_payload(decode=True):
        sys.exit("the two copies of the calendar differ")
    if part["Content-Type"].params["charset"].lower() != "utf-8":
        sys.exit("the calendar's charset is not UTF-8")
    calendar = icalendar.Calendar.from_ical(text)
    for component in calendar.walk():
        if component.errors:
            sys.exit(f"{component.name}: {component.errors}")
    if calendar["METHOD"] != part["Content-Type"].params["method"]:
        sys.exit("METHOD is another than in the MIME type")
    if {str(calendar[name]) for name in ("VERSION", "CALSCALE")} != {"2.0", "GREGORIAN"} or "PRODID" not in calendar:
        sys.exit("VERSION, CALSCALE or PRODID")
    events = calendar.walk("VEVENT")
    if len(events) != 1:
        sys.exit(f"{len(events)} events")
    event = events[0]
    zone = event["DTSTART"].params.get("TZID")
    if zone not in [str(component["TZID"]) for component in calendar.walk("VTIMEZONE")]:
        sys.exit(f"DTSTART has the TZID {zone!r}, for which there is no VTIMEZONE")
    attendees = event["ATTENDEE"] if isinstance(event["ATTENDEE"], list) else [event["ATTENDEE"]]
    if [str(attendee) for attendee in attendees] != [f"mailto:{message['X-RcptTo']}"]:
        sys.exit(f"mailed to {message['X-RcptTo']}, invited {attendees}")
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "stamp": instant(event.decoded("DTSTAMP")),
        "start": instant(event.decoded("DTSTART")),
        "end": instant(event.decoded("DTEND")),
        "zone": zone,
        "status": str(event["STATUS"]),
        "summary": str(event["SUMMARY"]),
        "location": str(event.get("LOCATION", "")),
        "url": str(event["URL"]),
        "description": str(event["DESCRIPTION"]),
        "organizer": [str(event["ORGANIZER"]), event["ORGANIZER"].params.get("CN")],
        "attendee": {name: str(value) for name, value in attendees[0].params.items()},
    }


parts = list(message.walk())
calendars = [part for part in parts if part.get_content_type() == "text/calendar"]
files = [part for part in parts if part.get_content_type() == "application/ics"]
if len(calendars) != len(files) or len(calendars) > 1:
    sys.exit(f"{len(calendars)} calendars, {len(files)} files")
if files and files[0].get_filename() != "invite.ics":
    sys.exit(f"the file is called {files[0].get_filename()}")
print(json.dumps({
    "headers": {name.lower(): str(value) for name, value in message.items()},
    "shape": shape(message),
    "text": content("text/plain"),
    "html": content("text/html"),
    "event": event(calendars[0], files[0]) if calendars else None,
}))
