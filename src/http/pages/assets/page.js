// What a page does beyond its HTML. Everything here may be missing.

const root = document.documentElement;
const guestZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const hostZone = root.dataset.zone;

// The guest's zone goes with the booking.
for (const input of document.querySelectorAll("[data-tz]")) {
  if (!input.value && guestZone) input.value = guestZone;
}

// Both clocks are shown when they differ, now or in half a year.
const offset = (zone, at) =>
  new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(at)
    .find((part) => part.type === "timeZoneName").value;
const differs = (at) => offset(hostZone, at) !== offset(guestZone, at);
try {
  const here = new URL(location.href);
  const now = Date.now();
  if (hostZone && guestZone && !here.searchParams.has("tz") && !document.querySelector("[data-posted]")
      && [now, now + 91 * 864e5, now + 182 * 864e5].some(differs)) {
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
document.querySelector("#mistakes, #taken")?.focus();

// Times that were looked at a while ago are looked up again.
if (document.querySelector("[data-live]")) {
  let left = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) left = Date.now();
    else if (left && Date.now() - left > 60000) location.reload();
  });
}

// In a frame of another page, the frame is as high as this page: it is told the height, and nothing else.
if ("embedded" in root.dataset && parent !== window) {
  new ResizeObserver(() => parent.postMessage({ officehours: { height: root.offsetHeight } }, "*")).observe(root);
}
