// What every page does: its forms and links replace the parts of it that change, its dialog opens, its clock runs.
//
//   data-to="dialog"                    a form that leads to a page, whose form opens as a dialog; data-to="" in a dialog closes it
//   data-copy, data-copy-from           text to copy, or its place
//   data-soft                           a link or a form of the page: only what changes is replaced; data-done, data-refocus
//   data-region, data-refresh="s"       what is replaced, and how often by itself

import "./adding.js";
import "./clock.js";
import "./copy.js";
import { fillDialog, openDialog } from "./dialog.js";
import "./parts.js";
import { load, refresh, show } from "./refresh.js";
import { complain, say } from "./status.js";

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-soft]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  goSoftly(link);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const isOpener = form.dataset.to === "dialog";
  if (event.defaultPrevented || !(isOpener || form.hasAttribute("data-soft") || form.closest("dialog"))) return;
  event.preventDefault();
  if (isOpener) openDialog(form.getAttribute("action"));
  else submitSoftly(form, event.submitter);
});

// What is being done is not done twice. A disabled button would lose the focus, so this is not by disabling it.
const underWay = new WeakSet();

// Posts a form as the browser would, and takes what changed from the page that comes back.
async function submitSoftly(form, button) {
  if (underWay.has(form)) return;
  underWay.add(form);
  complain(form, "");
  try {
    const page = await load(form.getAttribute("action"), {}, new FormData(form, button));
    const dialog = form.closest("dialog");
    if (dialog && fillDialog(page)) return;
    const refusal = page.querySelector("[data-refusal]");
    if (refusal && form.querySelector("[data-problem]")) complain(form, refusal.textContent);
    else if (refusal) say(refusal.textContent);
    else if (new URL(page.URL).pathname !== location.pathname) location.assign(page.URL);
    else {
      dialog?.close();
      if (!form.hasAttribute("data-keep")) form.reset();
      if (dialog) await refresh(); // its filters are not those of this page
      else show(page);
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
