// Copies a text, also where the page has no access to the clipboard: over plain HTTP on another machine.

import { say } from "./status.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (button) copyText(button);
});

async function copyText(button) {
  const scope = button.closest("dialog") ?? document;
  const text = button.dataset.copyFrom ? scope.querySelector(button.dataset.copyFrom).textContent : button.dataset.copy;
  const copied = await copy(text, scope === document ? document.body : scope);
  const before = button.textContent;
  button.textContent = copied ? "Copied" : "Press Ctrl+C";
  say(copied ? "Copied" : "Could not copy; select the text and copy it by hand");
  setTimeout(() => { button.textContent = before === "Copied" ? "Copy" : before; }, 1500);
}

async function copy(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr";
    place.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
