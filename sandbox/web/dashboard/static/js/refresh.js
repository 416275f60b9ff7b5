// Takes what changed from the page as it is now. The browser parses it as a document of its own, in which no script
// runs; what a region shows is replaced only where it differs, so that focus, selection and open details stay.

let current = null;
let next = null;

// Resolves when the page shows what the sandbox held when this was called, or something newer.
export function refresh() {
  if (current) return next ??= current.catch(() => {}).then(refresh);
  next = null;
  current = renew().finally(() => { current = null; });
  return current;
}

async function renew() {
  const asked = location.href;
  const fresh = await load(asked, { "X-Known-Pane": document.querySelector("[data-version]")?.dataset.version ?? "" });
  if (asked !== location.href) return renew();
  show(fresh);
}

// Takes the regions that differ from a fresh page; others than those of every page are known by their ids.
export function show(fresh, regions = "[data-region]") {
  const focused = describeFocus();
  for (const region of document.querySelectorAll(regions)) {
    const name = region.dataset.region;
    const counterpart = name ? fresh.querySelector(`[data-region="${name}"]`) : fresh.getElementById(region.id);
    if (counterpart) update(region, counterpart);
  }
  restoreFocus(focused);
  document.dispatchEvent(new CustomEvent("refreshed"));
}

let asked = 0;

// Posts a body and takes regions of the page that comes back, unless another was asked for meanwhile: what is out of
// date must not take the place of what was typed since.
export async function redraw(url, body, regions, headers) {
  const mine = ++asked;
  const page = await load(url, headers, body).catch(() => null);
  if (page && mine === asked) show(page, regions);
}

// Returns a page as a document; with a body it is asked for by POST.
export function load(url, headers = {}, body = null) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(body === null ? "GET" : "POST", url);
    request.responseType = "document";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onload = () => (request.response ? resolve(request.response) : reject(new Error(`no page at ${url}`)));
    request.onerror = () => reject(new Error("the sandbox does not answer"));
    request.send(body);
  });
}

function update(region, fresh) {
  for (const name of ["class", "hidden"]) {
    if (fresh.hasAttribute(name)) region.setAttribute(name, fresh.getAttribute(name));
    else region.removeAttribute(name);
  }
  // What has a version is left out of the fresh page when it is here already.
  if (fresh.dataset.version) {
    if (region.dataset.version === fresh.dataset.version) return;
    region.dataset.version = fresh.dataset.version;
  }
  if (region.hasAttribute("data-keyed")) updateKeyed(region, fresh);
  else if (!sameContent(region, fresh)) {
    const opened = new Set([...region.querySelectorAll("details[open][data-key]")].map((details) => details.dataset.key));
    region.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    for (const details of region.querySelectorAll("details[data-key]")) details.open ||= opened.has(details.dataset.key);
  }
}

function sameContent(region, fresh) {
  const copy = region.cloneNode(true);
  for (const details of copy.querySelectorAll("details")) details.removeAttribute("open");
  const other = fresh.cloneNode(true);
  for (const details of other.querySelectorAll("details")) details.removeAttribute("open");
  copy.normalize();
  other.normalize();
  return copy.childNodes.length === other.childNodes.length
    && [...copy.childNodes].every((node, i) => node.isEqualNode(other.childNodes[i]));
}

// Rows that are the same stay the same elements; those beyond the fresh window go.
function updateKeyed(region, fresh) {
  const known = new Map([...region.children].map((child) => [child.dataset.key, child]));
  let position = region.firstElementChild;
  for (const child of fresh.children) {
    const row = known.get(child.dataset.key);
    known.delete(child.dataset.key);
    if (row?.isEqualNode(child)) {
      if (row === position) position = position.nextElementSibling;
      else region.insertBefore(row, position);
    } else {
      region.insertBefore(document.importNode(child, true), position);
      if (row) {
        if (row === position) position = position.nextElementSibling;
        row.remove();
      }
    }
  }
  for (const row of known.values()) row.remove();
}

function describeFocus() {
  const element = document.activeElement;
  if (!element || element === document.body || !element.closest("[data-region]")) return null;
  const keyed = element.closest("[data-key]");
  return { element, id: element.id, key: keyed?.dataset.key, tag: element.tagName, label: element.getAttribute("aria-label") };
}

function restoreFocus(focused) {
  if (!focused || document.activeElement === focused.element) return;
  if (focused.element.isConnected) { // it was moved, as the row of a payload that came again
    focused.element.focus({ preventScroll: true });
    return;
  }
  const candidates = focused.id
    ? [document.getElementById(focused.id)]
    : [...document.querySelectorAll(`[data-key="${CSS.escape(focused.key ?? "")}"] ${focused.tag}`)];
  const same = candidates.find((element) => element && element.getAttribute("aria-label") === focused.label);
  (same ?? candidates[0] ?? document.getElementById("main"))?.focus({ preventScroll: true });
}
