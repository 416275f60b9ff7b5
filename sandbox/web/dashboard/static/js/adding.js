// What the forms show while one types: the fields of an entity's sample, and the full URL of a service.

import { address } from "./api.js";
import { load } from "./refresh.js";

let waiting = 0;
let latest = 0;

document.addEventListener("input", (event) => {
  const { form } = event.target;
  if (event.target.hasAttribute("data-sample")) {
    clearTimeout(waiting);
    waiting = setTimeout(detect, 200, form);
  } else if (form?.dataset.base && form.elements.source) {
    const { company } = form.elements.source.selectedOptions[0].dataset;
    const vanity = form.elements.vanity_url.value.toLowerCase() || "…";
    form.querySelector("[data-full-url]").textContent = `${form.dataset.base}/${company}/${vanity}`;
  }
});

document.addEventListener("change", async ({ target }) => {
  const file = target.hasAttribute("data-upload") && target.files[0];
  if (!file) return;
  const { sample, name } = target.form.elements;
  sample.value = await file.text();
  name.value ||= file.name.replace(/\.json$/i, "");
  detect(target.form);
});

async function detect(form) {
  const turn = ++latest;
  const { value } = form.elements.sample;
  const page = value.trim() && await load(address("/dashboard/detected-fields"), { "Content-Type": "application/json" }, value);
  const found = page && page.getElementById("detected");
  if (turn === latest) form.querySelector("[data-detected]").replaceChildren(...(found ? [document.importNode(found, true)] : []));
}
