// The form of a fault rule: the fields of a kind once it is chosen, and the preview while one types.

import { redraw } from "./refresh.js";

const SETTLED_MS = 350;
const form = document.getElementById("rule");
const renew = (regions) => redraw(form.getAttribute("action"), new FormData(form), regions);
let waiting;

form.addEventListener("change", (event) => event.target.hasAttribute("data-chooses") && renew());
form.addEventListener("input", (event) => {
  if (event.target.hasAttribute("data-chooses")) return;
  clearTimeout(waiting);
  waiting = setTimeout(renew, SETTLED_MS, "[data-region=preview]");
});

// A kind that was chosen before this script ran, or that the browser restored, is not the one the fields are for.
const rendered = (choice) => Math.max(0, [...choice.options].findIndex((option) => option.defaultSelected));
if ([...form.querySelectorAll("select[data-chooses]")].some((choice) => choice.selectedIndex !== rendered(choice))) renew();
