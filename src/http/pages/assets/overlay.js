// A calendar file can be dropped, and is sent at once. Everything works without this.

const field = document.querySelector("[data-drop]");
const input = field?.querySelector("input[type=file]");

if (input) {
  // What is too large is said before it is sent.
  const check = () => {
    const large = input.files[0]?.size > Number(input.dataset.most);
    input.setCustomValidity(large ? input.dataset.tooLarge : "");
    return !large || input.reportValidity();
  };
  input.addEventListener("change", check);
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
    if (check()) input.form.requestSubmit();
  });
  // A file that misses the field does not replace the page.
  for (const name of ["dragover", "drop"]) {
    addEventListener(name, (event) => {
      if (event.dataTransfer?.types.includes("Files") && !field.contains(event.target)) event.preventDefault();
    });
  }
  // Coming back to the page, the file is to be given anew.
  addEventListener("pageshow", (event) => { if (event.persisted) { input.value = ""; check(); } });
}
