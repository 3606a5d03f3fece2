// A calendar file can be dropped, and is sent at once. Everything works without this.

const field = document.querySelector("[data-drop]");
const input = field?.querySelector("input[type=file]");

if (input) {
  const over = (is) => field.toggleAttribute("data-over", is);
  for (const name of ["dragenter", "dragover"]) {
    field.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      over(true);
    });
  }
  for (const name of ["dragleave", "drop"]) field.addEventListener(name, () => over(false));
  field.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.form.requestSubmit();
  });
  // A file that misses the field does not replace the page.
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => {
      if (event.dataTransfer?.types.includes("Files") && !field.contains(event.target)) event.preventDefault();
    });
  }
  // Coming back to the page, the file is to be given anew.
  addEventListener("pageshow", (event) => { if (event.persisted) input.value = ""; });
}
