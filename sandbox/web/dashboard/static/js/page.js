// What every page does: its forms call the control API, its dialogs open, its clock runs.
//
//   data-method, data-path              the call of a form; data-done: what to say after it; data-go: where to go ({id} is filled in)
//   data-dialog="id"                    opens a dialog; data-close closes it
//   data-copy, data-copy-from           text to copy, or its place
//   data-soft                           a link or a form of the page: only what changes is replaced; data-done, data-refocus
//   data-region, data-refresh="s"       what is replaced, and how often by itself

import { call, Refusal } from "./api.js";
import { runClocks } from "./clock.js";
import "./copy.js";
import { openDialog, wireDialogs } from "./dialog.js";
import { complain, readForm } from "./form.js";
import { load, refresh, show } from "./refresh.js";
import { say } from "./status.js";
import "./tabs.js";
import "./tree.js";

document.addEventListener("click", (event) => {
  const element = event.target.closest("button, a");
  if (!element) return;
  if (element.dataset.dialog) openDialog(element);
  else if (element.hasAttribute("data-soft") && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    goSoftly(element);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.method && !form.hasAttribute("data-soft")) return;
  event.preventDefault();
  if (form.dataset.method) act(form);
  else submitSoftly(form, event.submitter);
});

// What is being done is not done twice. A disabled button would lose the focus, so this is not by disabling it.
const underWay = new WeakSet();

async function act(form) {
  if (underWay.has(form)) return;
  underWay.add(form);
  complain(form, "");
  try {
    const answer = await call(form.dataset.method, form.dataset.path, await bodyOf(form));
    if (form.dataset.go) {
      location.assign(form.dataset.go.replace("{id}", encodeURIComponent(answer?.id ?? "")));
      return;
    }
    form.closest("dialog")?.close();
    if (!form.hasAttribute("data-keep")) form.reset();
    await refresh();
    if (form.dataset.refocus) document.querySelector(form.dataset.refocus)?.focus();
    say(form.dataset.done ?? "Done");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    complain(form, error.message);
  } finally {
    underWay.delete(form);
  }
}

// Posts a form as the browser would, and takes what changed from the page that comes back.
async function submitSoftly(form, button) {
  if (underWay.has(form)) return;
  underWay.add(form);
  complain(form, "");
  try {
    const page = await load(form.getAttribute("action"), {}, new FormData(form, button));
    const refusal = page.querySelector("[data-refusal]");
    if (refusal && form.querySelector("[data-problem]")) complain(form, refusal.textContent);
    else if (refusal) say(refusal.textContent);
    else if (new URL(page.URL).pathname !== location.pathname) location.assign(page.URL);
    else {
      if (!form.hasAttribute("data-keep")) form.reset();
      show(page);
      const wrong = document.querySelector("[aria-invalid='true'], [data-wrong]");
      (wrong ?? (form.dataset.refocus && document.querySelector(form.dataset.refocus)))?.focus();
      say(wrong ? "Not done: see the marked fields." : button?.dataset.done ?? form.dataset.done ?? "Done");
    }
  } catch {
    say("The sandbox does not answer. Is it still running?");
  } finally {
    underWay.delete(form);
  }
}

async function bodyOf(form) {
  const wanted = form.dataset.mustMatch;
  if (wanted !== undefined && form.elements.confirmation.value !== wanted) {
    throw new Refusal(`That is not its name. Type ${wanted}.`);
  }
  const body = readForm(form);
  if ("company_name" in body) {
    const company = await call("POST", "/companies", { name: body.company_name });
    delete body.company_name;
    body.company = company.slug;
  }
  return Object.keys(body).length ? body : undefined;
}

async function goSoftly(link) {
  const wasOpen = new URL(location.href).searchParams.get("open");
  history.pushState(null, "", link.getAttribute("href")); // a link in a picture has another kind of .href
  document.dispatchEvent(new CustomEvent("moved"));
  await refresh();
  const target = link.hasAttribute("data-close-pane")
    ? document.querySelector(`[data-key="${CSS.escape(wasOpen ?? "")}"] a`) ?? document.getElementById("main")
    : link.dataset.focus && document.querySelector(link.dataset.focus);
  target?.focus();
}

addEventListener("popstate", () => {
  document.dispatchEvent(new CustomEvent("moved"));
  refresh();
});

for (const region of document.querySelectorAll("[data-refresh]")) {
  setInterval(() => {
    if (document.visibilityState === "visible") refresh().catch(() => {});
  }, Number(region.dataset.refresh) * 1000);
}

wireDialogs();
runClocks();
