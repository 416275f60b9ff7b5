// Reads a form as the JSON body of a call, and shows in it why the call was refused.

import { Refusal } from "./api.js";

const READERS = {
  integer: (field) => Number.parseInt(field.value, 10),
  number: (field) => Number(field.value),
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

function readJson(text) {
  try {
    return JSON.parse(text);
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
