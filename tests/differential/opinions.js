// What ical.js makes of calendars: reads [{ics, zones, to}] as JSON and prints, for each, its occurrences before `to` with the
// properties that decide whether they count, or why it has none. `zones` are VTIMEZONEs for the names that the file leaves out.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";
import ICAL from "ical.js";

const MOST = 3000;
// It searches for ever for some rules.
const MILLISECONDS = 500;

function moment(time) {
  const wall = time.toICALString().replace("Z", "");
  const floating = time.isDate || time.zone === ICAL.Timezone.localTimezone;
  return { wall, date: time.isDate, unix: floating ? null : time.toUnixTime() };
}

function occurrence(start, end, component) {
  const lines = ["transp", "status", "attendee", "organizer"].flatMap((name) =>
    component.getAllProperties(name).map((property) => property.toICALString()));
  for (const property of component.getAllProperties()) {
    if (property.name.startsWith("x-microsoft") || property.name.startsWith("x-apple-travel")) lines.push(property.toICALString());
  }
  return { start: moment(start), end: moment(end), lines };
}

function ofCalendar(calendar, to, found) {
  const series = new Map();
  for (const component of calendar.getAllSubcomponents("vevent")) {
    const uid = component.getFirstPropertyValue("uid");
    if (!series.has(uid)) series.set(uid, { masters: [], exceptions: [] });
    series.get(uid)[component.hasProperty("recurrence-id") ? "exceptions" : "masters"].push(component);
  }
  for (const { masters, exceptions } of series.values()) {
    if (masters.length === 0) {
      for (const component of exceptions) {
        const event = new ICAL.Event(component);
        found.push(occurrence(event.startDate, event.endDate, component));
      }
    }
    for (const master of masters) {
      const event = new ICAL.Event(master, { exceptions: [...exceptions] });
      if (!event.isRecurring()) {
        found.push(occurrence(event.startDate, event.endDate, master));
        continue;
      }
      const iterator = event.iterator();
      for (let n = 0, next = iterator.next(); next && next.toUnixTime() < to; n++, next = iterator.next()) {
        if (n === MOST) throw new Error("too many occurrences");
        const details = event.getOccurrenceDetails(next);
        found.push(occurrence(details.startDate, details.endDate, details.item.component));
      }
    }
  }
}

function answered({ ics, zones, to }) {
  ICAL.TimezoneService.reset();
  const parsed = ICAL.parse(ics);
  const calendars = (Array.isArray(parsed[0]) ? parsed : [parsed]).map((one) => new ICAL.Component(one));
  const known = zones.map((text) => new ICAL.Component(ICAL.parse(text)));
  const found = [];
  for (const calendar of calendars) {
    for (const zone of [...known, ...calendar.getAllSubcomponents("vtimezone")]) {
      // The names that are IANA's have IANA's rules, as we read them.
      if (!ICAL.TimezoneService.has(zone.getFirstPropertyValue("tzid"))) ICAL.TimezoneService.register(zone);
    }
    ofCalendar(calendar, to, found);
  }
  if (found.length === 0 && !calendars.some((calendar) => calendar.getFirstSubcomponent("vevent"))) return { none: "no event" };
  return { found };
}

const answers = JSON.parse(readFileSync(0, "utf8")).map((asked) => {
  globalThis.answer = () => answered(asked);
  try {
    return runInThisContext("answer()", { timeout: MILLISECONDS });
  } catch (error) {
    return { none: String(error.message).slice(0, 100) };
  }
});
console.log(JSON.stringify(answers));
