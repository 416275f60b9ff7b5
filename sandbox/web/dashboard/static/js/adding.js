// What the forms show while one types: the fields of an entity's sample, and the full URL of a service.

import { address } from "./api.js";
import { redraw } from "./refresh.js";

let waiting = 0;

document.addEventListener("input", ({ target }) => {
  const { form } = target;
  if (target.hasAttribute("data-sample")) {
    clearTimeout(waiting);
    waiting = setTimeout(detect, 200, target.value);
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
  detect(sample.value);
});

const detect = (sample) => redraw(address("/dashboard/detected-fields"), sample, "#detected", { "Content-Type": "application/json" });
