// Lighthouse (performance, accessibility, best practices) on pages, in the headless Chromium of this machine.
//   LIGHTHOUSE=FOLDER node lighthouse.js URL...        where FOLDER/node_modules has it; tests/lighthouse does all this
// Prints each score, and what keeps it from 100. Exit status 1 when one is below 100.

import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { resolve } = createRequire(join(process.env.LIGHTHOUSE, "package.json"));
const of = async (name) => (await import(pathToFileURL(resolve(name)))).default;
const [lighthouse, puppeteer] = [await of("lighthouse"), await of("puppeteer-core")];

const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  // At home with the hosts of the demo: a guest elsewhere is led on to a page with both clocks.
  env: { ...process.env, TZ: "Europe/Berlin" },
});
const port = Number(new URL(browser.wsEndpoint()).port);
let short = false;
try {
  for (const url of process.argv.slice(2)) {
    for (const formFactor of ["mobile", "desktop"]) {
      const desktop = { screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false },
        throttling: { rttMs: 40, throughputKbps: 10240, cpuSlowdownMultiplier: 1 } };
      const { lhr } = await lighthouse(url, {
        port,
        formFactor,
        logLevel: "error",
        onlyCategories: ["performance", "accessibility", "best-practices"],
        ...(formFactor === "desktop" ? desktop : {}),
      });
      const scores = Object.values(lhr.categories).map(({ id, score }) => `${id} ${Math.round(score * 100)}`);
      const metric = (id) => `${id} ${lhr.audits[id].displayValue}`;
      const metrics = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"].map(metric);
      console.log(`${url} (${formFactor}): ${scores.join(", ")}; ${metrics.join(", ")}`);
      for (const category of Object.values(lhr.categories).filter(({ score }) => score < 1)) {
        short ||= Math.round(category.score * 100) < 100;
        for (const { id, weight } of category.auditRefs) {
          const { score, title, displayValue } = lhr.audits[id];
          if (weight && score !== null && score < 1) console.log(`  ${category.id}: ${title} ${displayValue ?? ""} (${score})`);
        }
      }
    }
  }
} finally {
  await browser.close();
}
process.exitCode = short ? 1 : 0;
