"""An independent CalDAV client (python-caldav) for the tests: what another program of the host would see and do.

    calendar_client.py discover URL            the calendars that a bare URL leads to
    calendar_client.py events CALENDAR         every event, as that client and the icalendar package read it
    calendar_client.py put CALENDAR            adds the event on standard input
    calendar_client.py move CALENDAR UID START END    new times (UTC instants), written as that client writes
    calendar_client.py delete CALENDAR UID

The login comes from CALDAV_USER and CALDAV_PASSWORD; answers are JSON on standard output.
"""
import datetime
import json
import os
import sys

import caldav


def utc(value):
    if not isinstance(value, datetime.datetime):
        return value.isoformat()
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seen(event):
    component = event.icalendar_component
    start = component["DTSTART"]
    return {
        "href": str(event.url),
        "uid": str(component["UID"]),
        "summary": str(component.get("SUMMARY", "")),
        "description": str(component.get("DESCRIPTION", "")),
        "location": str(component.get("LOCATION", "")),
        "status": str(component.get("STATUS", "")),
        "start": utc(start.dt),
        "end": utc(component["DTEND"].dt) if "DTEND" in component else None,
        "tzid": str(start.params.get("TZID", "")),
        "properties": sorted({str(key) for key in component}),
        "components": [child.name for child in event.icalendar_instance.subcomponents],
        "calendar_properties": sorted({str(key) for key in event.icalendar_instance}),
    }


def main():
    command, url, *rest = sys.argv[1:]
    with caldav.DAVClient(url=url, username=os.environ["CALDAV_USER"], password=os.environ["CALDAV_PASSWORD"]) as client:
        if command == "discover":
            calendars = client.principal().calendars()
            return [{"url": str(calendar.url), "name": calendar.get_display_name()} for calendar in calendars]
        calendar = client.calendar(url=url)
        if command == "events":
            return [seen(event) for event in calendar.events()]
        if command == "put":
            return seen(calendar.add_event(sys.stdin.buffer.read().decode()))
        event = calendar.event_by_uid(rest[0])
        if command == "move":
            start, end = (datetime.datetime.fromisoformat(text) for text in rest[1:])
            component = event.icalendar_component
            for name, value in (("DTSTART", start), ("DTEND", end)):
                del component[name]
                component.add(name, value)
            event.save()
            return seen(event)
        if command == "delete":
            event.delete()
            return None
    sys.exit(f"unknown command {command}")


print(json.dumps(main()))
