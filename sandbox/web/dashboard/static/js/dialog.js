// Dialogs: opened with what their button says they are about, closed without leaving anything behind.

import { complain } from "./form.js";

export function openDialog(button) {
  const dialog = document.getElementById(button.dataset.dialog);
  const form = dialog.querySelector("form");
  form?.reset();
  complain(form, "");
  if (form && button.dataset.path) form.dataset.path = button.dataset.path;
  for (const place of dialog.querySelectorAll("[data-fill]")) place.textContent = button.dataset[place.dataset.fill] ?? "";
  dialog.dispatchEvent(new CustomEvent("opening"));
  dialog.showModal();
}

export function wireDialogs() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });
}
