// Shows a page of officehours in the page that loads this, as high as it needs to be:
//   <script src="https://meet.example.edu/embed.js" data-page="noether/office-hour" async></script>
// The frame is named by data-title, else in the language that the page in it will speak.
(() => {
  const script = document.currentScript;
  const page = new URL(script.dataset.page || "", new URL(".", script.src));
  page.searchParams.set("embed", "1");
  const frame = document.createElement("iframe");
  frame.src = page;
  const titles = "TITLES";
  const wanted = [page.searchParams.get("lang"), ...navigator.languages];
  const language = wanted.map((tag) => tag?.split("-")[0]).find((tag) => tag in titles);
  frame.title = script.dataset.title || titles[language] || titles.default;
  frame.style.cssText = "inline-size:100%;block-size:40rem;border:0";
  script.after(frame);
  let pages = 0;
  frame.addEventListener("load", () => {
    // The next page begins at its top, wherever the guest had scrolled to.
    if (pages++ > 0 && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
  });
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.origin !== page.origin) return;
    const height = Number(event.data?.officehours?.height);
    if (height > 0) frame.style.blockSize = `${Math.ceil(height)}px`;
  });
})();
