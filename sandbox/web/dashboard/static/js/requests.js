// The list of requests: live by server-sent events, filtered as one types, walked through with the arrow keys.

import { address } from "./api.js";
import { refresh } from "./refresh.js";

const SETTLE_MS = 150;
const QUIET_MS = 10_000;
const RETRY_MS = 2_000;
const STEPS = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 };
const filters = document.querySelector("[data-filters]");
const pauseButton = document.querySelector("[data-pause]");
const live = document.querySelector("[data-live]");
let stream = null;
let paused = false;
let arrived = 0;
let scheduled = 0;
let lastTook = 0;
let again = false;

// --- live -----------------------------------------------------------------------------------------------------------

function listen() {
  if (stream || paused || document.visibilityState !== "visible") return;
  stream = new EventSource(address("/requests/stream"));
  stream.onopen = () => {
    show("live", "Live");
    schedule();
  };
  stream.addEventListener("request", arrive);
  for (const name of ["event", "reset", "dropped"]) stream.addEventListener(name, schedule);
  stream.onerror = () => {
    show("off", "Reconnecting");
    if (stream.readyState !== EventSource.CLOSED) return;
    stop();
    setTimeout(listen, RETRY_MS);
  };
}

function stop() {
  stream?.close();
  stream = null;
}

function show(state, text) {
  live.dataset.live = state;
  live.querySelector("[data-live-text]").textContent = text;
}

function arrive() {
  if (isNewest()) schedule();
  else {
    arrived += 1;
    tellArrived();
  }
}

function tellArrived() {
  const place = document.querySelector("[data-arrived]");
  if (place && arrived) place.textContent = `${arrived} new · `;
}

// Many arrive at once in a load test: the page is renewed once for all, and no more often than it can be. It is renewed
// once more for those that arrive meanwhile, which the page that is on its way may lack.
function schedule() {
  again = true;
  if (scheduled) return;
  scheduled = setTimeout(async () => {
    again = false;
    const started = performance.now();
    try {
      if (!paused) await refresh();
    } catch {
      show("off", "The sandbox does not answer");
    }
    lastTook = performance.now() - started;
    scheduled = 0;
    if (again) schedule();
  }, Math.max(SETTLE_MS, lastTook * 2));
}

pauseButton.addEventListener("click", () => {
  paused = !paused;
  pauseButton.setAttribute("aria-pressed", String(paused));
  pauseButton.textContent = paused ? "Resume" : "Pause";
  if (paused) {
    stop();
    show("off", "Paused");
  } else {
    show("connecting", "Connecting");
    listen();
  }
});

document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? listen() : stop()));
addEventListener("pagehide", stop);
document.addEventListener("refreshed", tellArrived);
setInterval(() => {
  if (document.visibilityState === "visible") schedule();
}, QUIET_MS);
listen();

// --- filters --------------------------------------------------------------------------------------------------------

function isNewest() {
  return !new URL(location.href).searchParams.has("before");
}

let typing = 0;

function applyFilters() {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const url = new URL(location.pathname, location.href);
    for (const [name, value] of new FormData(filters)) if (value.trim()) url.searchParams.set(name, value.trim());
    filters.querySelector("[data-clear-filters]").hidden = !url.search;
    history.replaceState(null, "", url);
    arrived = 0;
    refresh();
  }, SETTLE_MS);
}

// A status, an instant or a JSONPath that is half written is none.
filters.addEventListener("input", (event) => event.target.hasAttribute("data-whole") || applyFilters());
filters.addEventListener("change", applyFilters);
filters.addEventListener("submit", (event) => {
  event.preventDefault();
  applyFilters();
});

document.addEventListener("moved", () => {
  arrived = 0;
  const given = new URL(location.href).searchParams;
  for (const field of filters.elements) if (field.name) field.value = (given.get(field.name) ?? "").slice(0, field.type === "datetime-local" ? 19 : undefined);
  filters.querySelector("[data-clear-filters]").hidden = ![...given.keys()].some((name) => name === "after" || filters.elements[name]);
});

// --- keys -----------------------------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const isWriting = event.target.matches?.("input, select, textarea");
  if (event.key === "/" && !isWriting) {
    event.preventDefault();
    filters.elements.text.select();
  } else if (event.key === "Escape" && isWriting) event.target.blur();
  else if (event.key === "Escape") document.querySelector("[data-close-pane]")?.click();
  else if (STEPS[event.key]) walk(event, STEPS[event.key], isWriting);
});

// Up and down walk through the rows, also into them from the search or the page; left and right through the bars of a picture.
function walk(event, step, isWriting) {
  const isUpright = event.key === "ArrowDown" || event.key === "ArrowUp";
  const from = event.target.closest?.(isUpright ? ".row a" : "[data-bars] a");
  const isIdle = isUpright && step > 0 && (event.target === document.body || event.target.matches("#main, #requests, [name=text]"));
  if (!from && (!isIdle || (isWriting && event.target.name !== "text"))) return;
  const places = [...document.querySelectorAll(isUpright ? ".row a" : "[data-bars] a")].filter((place) => isUpright || place.closest("svg") === from.closest("svg"));
  const next = places[places.indexOf(from) + step];
  if (!next) return;
  event.preventDefault();
  if (!isUpright) for (const place of places) place.tabIndex = place === next ? 0 : -1;
  next.focus();
}
