// Lets the clocks of the page run between two readings of the sandbox's, and asks now and then whether they still agree.

import { call } from "./api.js";
import { refresh } from "./refresh.js";

const TICK_MS = 250;
const CHECK_MS = 5000;
const TOLERATED_S = 2;
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const readings = new WeakMap();

function sandboxNow() {
  const place = document.querySelector("[data-clock]");
  if (!readings.has(place)) readings.set(place, performance.now());
  return Number(place.dataset.clock) + ((performance.now() - readings.get(place)) / 1000) * Number(place.dataset.rate);
}

function tick() {
  const now = sandboxNow();
  const shown = new Date(now * 1000).toISOString();
  const day = shown.slice(0, -14);
  const hours = shown.slice(-13, -5);
  for (const place of document.querySelectorAll("[data-clock]")) {
    if (place.hasAttribute("data-parts")) {
      place.querySelector(".date").textContent = day;
      place.querySelector(".hours").textContent = hours;
    } else place.textContent = `${day} ${hours}`;
  }
  for (const place of document.querySelectorAll("[data-expires]")) {
    const left = Number(place.dataset.expires) - now;
    place.textContent = left > 0 ? `${span(left)} left` : "expired";
  }
}

function span(seconds) {
  let left = Math.floor(Math.abs(seconds));
  const parts = [];
  for (const [size, unit] of UNITS) {
    const amount = Math.floor(left / size);
    left -= amount * size;
    if (amount || (unit === "s" && !parts.length)) parts.push(`${amount} ${unit}`);
    else if (parts.length) break;
  }
  return parts.slice(0, 2).join(" ");
}

// Somebody else may have moved the clock: a test, the command line, another window.
async function check() {
  if (document.visibilityState !== "visible") return;
  const { now, frozen, rate } = await call("GET", "/clock").catch(() => ({}));
  if (now === undefined) return;
  const place = document.querySelector("[data-clock]");
  const apart = Math.abs(new Date(now).getTime() / 1000 - sandboxNow());
  if (Number(place.dataset.rate) !== (frozen ? 0 : rate) || apart > TOLERATED_S * Math.max(1, rate)) refresh().catch(() => {});
}

tick();
setInterval(tick, TICK_MS);
setInterval(check, CHECK_MS);
document.addEventListener("refreshed", tick);
