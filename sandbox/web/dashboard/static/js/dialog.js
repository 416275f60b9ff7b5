// The dialog: the form of another page, opened over this one. Nothing of it stays in the document once it is closed, or
// the page is left: it may have shown a secret.

import { load, refresh } from "./refresh.js";
import { say } from "./status.js";

const dialog = document.getElementById("dialog");
const kept = () => dialog.querySelector("[data-kept]");

export async function openDialog(url) {
  const page = await load(url).catch(() => null);
  if (!page || !fillDialog(page)) location.assign(url);
  else if (!dialog.open) dialog.showModal();
}

// Shows the form, or the answer to it, of a page; returns whether it has one.
export function fillDialog(page) {
  const content = page.querySelector("[data-dialog]");
  if (!content) return false;
  dialog.className = content.className;
  dialog.replaceChildren(document.importNode(content, true));
  const head = dialog.querySelector("h1");
  const lower = document.createElement("h2"); // the page has its own first heading
  for (const { name, value } of head.attributes) lower.setAttribute(name, value);
  lower.append(...head.childNodes);
  head.replaceWith(lower);
  dialog.querySelector("[autofocus]")?.focus();
  return true;
}

dialog.addEventListener("submit", (event) => {
  if (event.target.dataset.to !== "") return;
  event.preventDefault();
  const made = kept();
  dialog.close();
  if (made) refresh().then(() => say(made.dataset.done));
});

// A slip of a finger on Escape must not lose what cannot be shown again.
dialog.addEventListener("cancel", (event) => {
  if (!kept()) return;
  event.preventDefault();
  dialog.querySelector("[data-to] button").focus();
});
dialog.addEventListener("close", () => dialog.replaceChildren());
addEventListener("pagehide", () => {
  dialog.replaceChildren();
  dialog.close();
});
