"""Hands the calendars in messages to Evolution's calendar (evolution-data-server) one after the other, as its user does by accepting
them, and prints as JSON what is in the calendar after each: a list a message, of events. Evolution reads with libical and applies
iTIP (RFC 5546) by itself.

dbus-run-session -- /usr/bin/python3 evolution.py FOLDER MESSAGE.eml…   (FOLDER: an empty one, for Evolution's files)
"""
import email
import email.policy
import json
import os
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
    if os.environ.get(name) != str(folder):
        sys.exit(f"{name} must be {folder}: this is not for anybody's real calendar")

import gi

gi.require_version("ECal", "2.0")
gi.require_version("EDataServer", "1.2")
gi.require_version("ICalGLib", "3.0")
from gi.repository import ECal, EDataServer, ICalGLib

registry = EDataServer.SourceRegistry.new_sync(None)
calendar = ECal.Client.connect_sync(registry.ref_builtin_calendar(), ECal.ClientSourceType.EVENTS, 10, None)
after = []
for path in sys.argv[2:]:
    message = email.message_from_bytes(pathlib.Path(path).read_bytes(), policy=email.policy.default)
    part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    received = ICalGLib.Component.new_from_string(part.get_payload(decode=True).decode())
    if not calendar.receive_objects_sync(received, ECal.OperationFlags.NONE, None):
        sys.exit(f"{path} was not taken")
    _, events = calendar.get_object_list_sync("#t", None)
    after.append([
        {
            "uid": event.get_uid(),
            "start": event.get_dtstart().as_ical_string(),
            "end": event.get_dtend().as_ical_string(),
            "sequence": event.get_sequence(),
            "summary": event.get_summary(),
        }
        for event in events
    ])
print(json.dumps(after))
