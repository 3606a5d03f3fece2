"""An independent CalDAV client (python-caldav) for the tests: what another program of the host would see and do.

    calendar_client.py discover URL            the calendars that a bare URL leads to
    calendar_client.py events CALENDAR         every event, as that client and the icalendar package read it
    calendar_client.py put CALENDAR            adds the event on standard input
    calendar_client.py move CALENDAR UID START END    new times (UTC instants), written as that client writes
    calendar_client.py edit CALENDAR UID       sets the properties of a JSON object on standard input; null takes one away
    calendar_client.py carry CALENDAR UID TO   moves it to another calendar: a deletion and a creation
    calendar_client.py delete CALENDAR UID
    calendar_client.py rename CALENDAR NAME    another display name
    calendar_client.py copy CALENDAR...        the text of each object of each calendar, by its path

The login comes from CALDAV_USER and CALDAV_PASSWORD; answers are JSON on standard output.
"""
import datetime
import html
import json
import os
import sys
import urllib.parse

import caldav
import icalendar
from caldav.elements import dav
from lxml import etree


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


def typed(value):
    """A date, an instant, a rule, an address with parameters, or text."""
    if not isinstance(value, dict):
        return value
    if "date" in value:
        return datetime.date.fromisoformat(value["date"])
    if "instant" in value:
        return datetime.datetime.fromisoformat(value["instant"])
    if "rule" in value:
        return icalendar.vRecur.from_ical(value["rule"])
    address = icalendar.vCalAddress(value["address"])
    address.params.update(value.get("params", {}))
    return address


def copy(client, url):
    """Listed by PROPFIND; each object by a GET of its own, or many by multiget."""
    body = '<propfind xmlns="DAV:"><prop><getetag/><resourcetype/></prop></propfind>'
    listing = etree.fromstring(client.propfind(url, props=body, depth=1).raw.encode())
    paths = []
    for response in listing.iter("{DAV:}response"):
        path = response.findtext("{DAV:}href").strip()
        if response.find(".//{DAV:}collection") is None and not path.endswith("/"):
            paths.append(path)
    objects = {}
    if len(paths) > 100:
        for at in range(0, len(paths), 100):
            hrefs = "".join(f"<href>{html.escape(path)}</href>" for path in paths[at : at + 100])
            body = (
                '<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
                f"<prop><C:calendar-data/></prop>{hrefs}</C:calendar-multiget>"
            )
            answer = etree.fromstring(client.report(url, body, 1).raw.encode())
            for response in answer.iter("{DAV:}response"):
                text = response.findtext(".//{urn:ietf:params:xml:ns:caldav}calendar-data")
                objects[urllib.parse.unquote(response.findtext("{DAV:}href").strip())] = text
        if len(objects) != len(paths):
            sys.exit(f"{url} lists {len(paths)} objects and gives {len(objects)}")
        return objects
    for path in paths:
        answer = client.request(urllib.parse.urljoin(url, path))
        if answer.status != 200:
            sys.exit(f"GET {path}: {answer.status}")
        objects[urllib.parse.unquote(path)] = answer.raw
    return objects


def main():
    command, url, *rest = sys.argv[1:]
    with caldav.DAVClient(url=url, username=os.environ["CALDAV_USER"], password=os.environ["CALDAV_PASSWORD"]) as client:
        if command == "discover":
            calendars = client.principal().calendars()
            return [{"url": str(calendar.url), "name": calendar.get_display_name()} for calendar in calendars]
        if command == "copy":
            return {calendar: copy(client, calendar) for calendar in [url, *rest]}
        calendar = client.calendar(url=url)
        if command == "rename":
            calendar.set_properties([dav.DisplayName(rest[0])])
            return None
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
        if command == "edit":
            component = event.icalendar_component
            for name, value in json.load(sys.stdin).items():
                if name in component:
                    del component[name]
                if value is not None:
                    component.add(name, typed(value))
            event.save()
            return seen(event)
        if command == "carry":
            text = event.data
            event.delete()
            return seen(client.calendar(url=rest[1]).add_event(text))
        if command == "delete":
            event.delete()
            return None
    sys.exit(f"unknown command {command}")


print(json.dumps(main()))
