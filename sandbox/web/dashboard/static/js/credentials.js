// Creating an OAuth client. The secret exists in this dialog only: in no page the sandbox renders, in no history entry,
// and not in the document once the dialog is closed or the page is left.

import { call, Refusal } from "./api.js";
import { complain } from "./form.js";
import { refresh } from "./refresh.js";
import { say } from "./status.js";

const dialog = document.getElementById("create-client");
const form = dialog.querySelector("form");
const issued = dialog.querySelector("[data-issued]");
let underWay = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (underWay) return;
  underWay = true;
  complain(form, "");
  try {
    show(await call("POST", form.dataset.path, { name: form.elements.name.value }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(form, error.message);
  } finally {
    underWay = false;
  }
});

function show(credentials) {
  for (const place of issued.querySelectorAll("[data-slot]")) place.textContent = credentials[place.dataset.slot];
  form.hidden = true;
  issued.hidden = false;
  dialog.setAttribute("aria-labelledby", "issued-title");
  document.getElementById("issued-title").focus();
}

function forget() {
  for (const place of issued.querySelectorAll("[data-slot]")) place.textContent = "";
  form.hidden = false;
  issued.hidden = true;
  dialog.setAttribute("aria-labelledby", "create-client-title");
}

dialog.querySelector("[data-finished]").addEventListener("click", async () => {
  dialog.close();
  await refresh();
  say("The new OAuth2 client is listed");
});
// A slip of a finger on Escape must not lose what cannot be shown again.
dialog.addEventListener("cancel", (event) => {
  if (issued.hidden) return;
  event.preventDefault();
  dialog.querySelector("[data-finished]").focus();
});
dialog.addEventListener("close", forget);
addEventListener("pagehide", () => {
  forget();
  dialog.close();
});
