// What a page does beyond its HTML. Everything here may be missing.

const root = document.documentElement;
const guestZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const hostZone = root.dataset.zone;

// The guest's zone goes with the booking.
for (const input of document.querySelectorAll("[data-tz]")) {
  if (!input.value && guestZone) input.value = guestZone;
}

// Both clocks are shown when they differ, now or in half a year.
function differ(one, other) {
  const [a, b] = [one, other].map((timeZone) => new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }));
  const offset = (clock, at) => clock.formatToParts(at).find((part) => part.type === "timeZoneName").value;
  return [0, 91, 182].map((days) => Date.now() + days * 864e5).some((at) => offset(a, at) !== offset(b, at));
}
try {
  const here = new URL(location.href);
  if (hostZone && guestZone && hostZone !== guestZone && !here.searchParams.has("tz")
      && !document.querySelector("[data-posted]") && differ(hostZone, guestZone)) {
    here.searchParams.set("tz", guestZone);
    location.replace(here);
  }
} catch {
  // A zone that this browser does not know: the host's clock is enough.
}

// A second click does not send a form twice; coming back makes it work again.
const sent = new Set();
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    form.setAttribute("aria-busy", "true");
  });
}
addEventListener("pageshow", () => {
  for (const form of sent) form.removeAttribute("aria-busy");
  sent.clear();
});

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}
for (const input of document.querySelectorAll("input[readonly]")) {
  input.addEventListener("focus", () => input.select());
}

// What is wrong is what is read first.
document.querySelector("#mistakes, #taken, #decision-error, [data-posted] ~ * [aria-invalid]")?.focus();

// A day or another month is shown in place: the page of its link is fetched, and what differs is taken from it. The month is a grid of
// days as the WAI-ARIA Authoring Practices have it ("Date Picker"): one tab stop, walked with the keys.
const live = document.querySelector("[data-live]");
if (live) {
  const parts = ["#month", "#times", "#list", ".languages"];
  const cells = () => [...document.querySelectorAll(".month td[data-date]")];
  const cellOf = (date) => cells().find((cell) => cell.dataset.date === date);
  const say = (text) => { document.querySelector("#said").textContent = text; };
  const words = (css) => document.querySelector(css)?.textContent ?? "";
  let shown = location.search;
  let request;

  const address = (url) => {
    const bare = new URL(url, location.href);
    bare.hash = "";
    return bare.href;
  };

  // Makes the table a grid whose tab stop is that date, else the day that is shown, today or the first.
  function dress(date) {
    const table = document.querySelector(".month");
    if (!table) return;
    table.setAttribute("role", "grid");
    table.setAttribute("aria-labelledby", "month-title");
    for (const cell of cells()) {
      const link = cell.querySelector("a");
      cell.tabIndex = -1;
      if (link) link.tabIndex = -1;
      else cell.setAttribute("aria-disabled", "true");
      if (cell.querySelector(".chosen")) cell.setAttribute("aria-selected", "true");
      link?.removeAttribute("aria-current");
    }
    const stop = cellOf(date) ?? document.querySelector("td[aria-selected], td[aria-current]") ?? cells()[0];
    if (stop) stop.tabIndex = 0;
  }

  // What has the focus, so that its like can have it afterwards.
  function focused() {
    const at = document.activeElement;
    if (!at?.closest(parts.join())) return () => {};
    return () => {
      const same = (link) => link.href === at.href && link.closest(parts.join());
      const like = at.rel ? document.querySelector(`.arrow[rel="${at.rel}"]`)
        : document.getElementById(at.id) ?? [...document.links].find(same);
      (like ?? document.querySelector(".month [tabindex='0']"))?.focus({ preventScroll: true });
    };
  }

  // Shows the page of that address here; resolves to whether it did. `date` is to have the focus.
  async function show(url, { date, quietly } = {}) {
    request?.abort();
    const { signal } = request = new AbortController();
    let page;
    live.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { signal });
      page = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      if (signal.aborted) return false;
    }
    if (signal.aborted) return false;
    live.removeAttribute("aria-busy");
    if (page === undefined && quietly) return false;
    // What cannot be shown here, such as that the calendar is not to be read, has a page of its own.
    if (!page?.querySelector("#month")) {
      if (address(url) === address(location.href)) location.reload();
      else location.assign(url);
      return false;
    }
    const refocus = focused();
    const cell = document.activeElement?.dataset?.date;
    const open = [...document.querySelectorAll("details[open]")].map((details) => details.className);
    for (const part of parts) {
      const fresh = page.querySelector(part);
      if (fresh) document.querySelector(part)?.replaceWith(fresh);
    }
    for (const details of document.querySelectorAll("#times details, #list details")) {
      details.open = open.includes(details.className);
    }
    shown = new URL(url, location.href).search;
    dress(date ?? cell);
    if (date) cellOf(date)?.focus();
    else refocus();
    return true;
  }

  live.addEventListener("click", async (event) => {
    const link = event.target.closest("#month a, #times p > a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const date = new URL(link.href).searchParams.get("day");
    if (link.matches(".day")) {
      document.querySelector(".day.chosen")?.classList.remove("chosen");
      link.classList.add("chosen");
    }
    if (!await show(link.href, { date })) return;
    if (address(link.href) !== address(location.href)) history.pushState(null, "", address(link.href));
    say(words(date ? ".month [aria-selected] .hidden" : "#month-title"));
    // On a small screen the times are below: who points sees them at once, whoever has the keys finds them with the next Tab.
    if (!date || !event.detail) return;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    document.querySelector("#times").scrollIntoView({ block: "nearest", behavior });
  });

  const iso = (time) => new Date(time).toISOString().slice(0, 10);
  const daysOn = (date, days) => iso(Date.parse(date) + days * 864e5);
  const monthsOn = (date, months) => {
    const [year, month, day] = date.split("-").map(Number);
    const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
    return iso(Date.UTC(year, month - 1 + months, Math.min(day, last)));
  };

  async function go(date, from) {
    const there = cellOf(date);
    if (there) {
      from.tabIndex = -1;
      there.tabIndex = 0;
      return there.focus();
    }
    const turn = document.querySelector(`.arrow[rel="${date < from.dataset.date ? "prev" : "next"}"]`);
    if (!turn || !await show(turn.href, { date })) return;
    history.replaceState(null, "", address(turn.href));
    say(words("#month-title"));
  }

  live.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td[data-date]");
    if (!cell || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const { date } = cell.dataset;
    const week = [...cell.parentElement.querySelectorAll("[data-date]")];
    const onward = getComputedStyle(cell).direction === "rtl" ? -1 : 1;
    const to = {
      ArrowLeft: () => daysOn(date, -onward),
      ArrowRight: () => daysOn(date, onward),
      ArrowUp: () => daysOn(date, -7),
      ArrowDown: () => daysOn(date, 7),
      Home: () => week[0].dataset.date,
      End: () => week.at(-1).dataset.date,
      PageUp: () => monthsOn(date, -1),
      PageDown: () => monthsOn(date, 1),
    }[event.key];
    if (to) go(to(), cell);
    else if (event.key === "Enter" || event.key === " ") cell.querySelector("a")?.click();
    else return;
    event.preventDefault();
  });

  addEventListener("popstate", () => {
    if (location.search !== shown) show(location.href);
  });
  // Times that were looked at a while ago are looked up again; but not over the answer to a form, which no address leads to.
  const refresh = () => { if (!document.querySelector("[data-posted]")) show(location.href, { quietly: true }); };
  let left = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) left = Date.now();
    else if (left && Date.now() - left > 60000) refresh();
  });
  addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
  dress();
}

// In a frame of another page, the frame is as high as this page: it is told the height, and nothing else.
if ("embedded" in root.dataset && parent !== window) {
  new ResizeObserver(() => parent.postMessage({ officehours: { height: root.offsetHeight } }, "*")).observe(root);
}
