// Adding an entity: a sample is uploaded or pasted, and the fields found in it are shown before it is added.

import { address } from "./api.js";
import { load } from "./refresh.js";

const dialog = document.getElementById("add-entity");
const sample = dialog.querySelector("[data-sample]");
const upload = dialog.querySelector("[data-upload]");
const place = dialog.querySelector("[data-detected]");
let waiting = 0;
let latest = 0;

upload.addEventListener("change", async () => {
  const file = upload.files[0];
  if (!file) return;
  sample.value = await file.text();
  const name = dialog.querySelector("[name=name]");
  name.value ||= file.name.replace(/\.json$/i, "");
  detect();
});

sample.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(detect, 200);
});

dialog.addEventListener("opening", () => place.replaceChildren());

async function detect() {
  const turn = ++latest;
  if (!sample.value.trim()) {
    place.replaceChildren();
    return;
  }
  const page = await load(address("/dashboard/detected-fields"), { "Content-Type": "application/json" }, sample.value);
  const found = page.getElementById("detected");
  if (turn === latest && found) place.replaceChildren(document.importNode(found, true));
}
