// Lives a booking in headless Firefox, over WebDriver BiDi: found by the keyboard in the month's grid, booked, moved, cancelled.
//   node firefox.js HOST-PAGE MEETING DAY START
// Prints the address of the booking's page. Exits with a word on what is wrong.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const [host, meeting, day, start] = process.argv.slice(2);
const profile = await mkdtemp(join(tmpdir(), "officehours-firefox-"));
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: "/usr/bin/firefox-esr",
  headless: true,
  userDataDir: profile,
  // Firefox will not start in a home that is another user's, as a test's may be.
  env: { ...process.env, HOME: profile },
  extraPrefsFirefox: { "intl.accept_languages": "en", "app.update.disabledForTesting": true, "datareporting.policy.dataSubmissionEnabled": false },
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 360, height: 740 });
  const wrong = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") wrong.push(message.text()); });
  const text = () => page.$eval("body", (body) => body.innerText);
  const follow = async (css) => { await Promise.all([page.waitForNavigation(), page.click(css)]); };

  await page.goto(host);
  await follow(`a[href$="/${meeting}"]`);

  // To the day by the keys, and to its times with Enter, on this page.
  await page.waitForSelector("table[role=grid]");
  await page.focus(".month [tabindex='0']");
  const at = () => page.evaluate(() => document.activeElement.dataset.date);
  for (let steps = 0; await at() !== day; steps++) {
    assert.ok(steps < 40, `the keys do not reach ${day}`);
    const before = await at();
    await page.keyboard.press(before < day ? "ArrowRight" : "ArrowLeft");
    await page.waitForFunction((date) => document.activeElement.dataset.date !== date, {}, before);
  }
  await page.keyboard.press("Enter");
  await page.waitForFunction((date) => new URL(location).searchParams.get("day") === date, {}, day);
  await page.waitForSelector(`#times a[href*="${start}"]`);
  await follow(`#times a[href*="${start}"]`);

  await page.type("[name=name]", "Ada Lovelace");
  await page.type("[name=email]", "ada@example.org");
  await follow("form.book button.main");
  assert.match(page.url(), /\/b\//);
  assert.match(await text(), /Ada Lovelace/);
  const booking = page.url();

  await follow('a[href$="/move"]');
  await page.click("input[type=radio]");
  await follow('form[action$="/move"] button');
  assert.equal(page.url(), booking);

  await page.click("details.cancel > summary");
  await page.click("details.cancel [type=checkbox]");
  await follow("details.cancel button");
  assert.match(await text(), /cancelled/);
  assert.deepEqual(wrong, []);
  console.log(booking);
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
