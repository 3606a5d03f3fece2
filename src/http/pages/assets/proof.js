// A proof of work instead of a puzzle: appends counters to the challenge until the SHA-256 of the whole begins with as many zero bits
// as are asked for. It begins when the page is there, so that it is done before the form is filled in.

const encoder = new TextEncoder();

function zeroBits(digest) {
  let bits = 0;
  for (const byte of new Uint8Array(digest)) {
    if (byte) return bits + Math.clz32(byte) - 24;
    bits += 8;
  }
  return bits;
}

export async function solve(challenge, bits, batch = 512) {
  for (let first = 0; ; first += batch) {
    const texts = Array.from({ length: batch }, (_, index) => `${challenge}.${first + index}`);
    const digests = await Promise.all(texts.map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text))));
    const found = digests.findIndex((digest) => zeroBits(digest) >= bits);
    if (found >= 0) return texts[found];
  }
}

const field = globalThis.document?.querySelector("[data-challenge]");
// WebCrypto is there on https and on this machine alone; without it the server asks in another way.
if (field && globalThis.crypto?.subtle) {
  const solved = solve(field.dataset.challenge, Number(field.dataset.bits));
  solved.then((text) => { field.value = text; });
  // Who is quicker than the browser waits for it.
  field.form.addEventListener("submit", (event) => {
    if (field.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = event.submitter;
    if (button) button.disabled = true;
    solved.then(() => {
      if (button) button.disabled = false;
      field.form.requestSubmit(button ?? undefined);
    });
  }, { capture: true });
}
