// The form of a fault rule: the fields of a kind once it is chosen, and the preview while one types.

import { load, show } from "./refresh.js";

const SETTLED_MS = 350;
const form = document.getElementById("rule");
let waiting;
let asked = 0;

form.addEventListener("change", (event) => {
  if (event.target.hasAttribute("data-chooses")) renew();
});
form.addEventListener("input", (event) => {
  if (event.target.hasAttribute("data-chooses")) return;
  clearTimeout(waiting);
  waiting = setTimeout(renew, SETTLED_MS, "[data-region=preview]");
});

// A kind that was chosen before this script ran, or that the browser restored, is not the one the fields are for.
const rendered = (choice) => Math.max(0, [...choice.options].findIndex((option) => option.defaultSelected));
const isOther = (choice) => choice.selectedIndex !== rendered(choice);
if ([...form.querySelectorAll("select[data-chooses]")].some(isOther)) renew();

// What came back is out of date if more was asked meanwhile: it must not take the place of what was typed since.
async function renew(regions) {
  const mine = ++asked;
  const page = await load(form.getAttribute("action"), {}, new FormData(form)).catch(() => null);
  if (page && mine === asked) show(page, regions);
}
