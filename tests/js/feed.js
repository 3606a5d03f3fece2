// Reads an iCalendar file with ical.js in its strict mode and prints what it saw as JSON; throws on any complaint.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

ICAL.design.strict = true;
const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf8")));
if (calendar.name !== "vcalendar") throw new Error(`one vcalendar expected, not ${calendar.name}`);
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component, { strictExceptions: true });
  if (!event.startDate || !event.endDate) throw new Error(`no times in ${event.uid}`);
  return {
    uid: event.uid,
    start: event.startDate.toJSDate().toISOString(),
    end: event.endDate.toJSDate().toISOString(),
    summary: event.summary,
  };
});
console.log(JSON.stringify({ events }));
