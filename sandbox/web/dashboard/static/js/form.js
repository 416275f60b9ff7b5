// Reads a form as the JSON body of a call, and shows in it why the call was refused.

import { JsonText, Refusal } from "./api.js";

const READERS = {
  integer: (field) => Number.parseInt(field.value, 10),
  number: (field) => Number(field.value),
  nullable: (field) => field.value.trim() || null,
  boolean: (field) => field.checked,
  utc: (field) => `${field.value}${field.value.length === 16 ? ":00" : ""}Z`,
  json: (field) => readJson(field.value),
};

export function readForm(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.hasAttribute("data-unsent")) continue;
    if (field.type === "radio" && !field.checked) continue;
    if (field.hasAttribute("data-optional") && field.value.trim() === "") continue;
    const read = READERS[field.dataset.type];
    body[field.name] = read ? read(field) : field.value;
  }
  return body;
}

// Checks a JSON text and keeps it as it is: JSON.parse turns 100.00 into 100 and rounds integers beyond 2^53.
function readJson(text) {
  try {
    JSON.parse(text);
    return new JsonText(text);
  } catch (error) {
    throw new Refusal(`The sample is not JSON: ${error.message}`);
  }
}

export function complain(form, text) {
  const place = form?.querySelector("[data-problem]");
  if (!place) return;
  place.hidden = !text;
  place.textContent = text;
}
