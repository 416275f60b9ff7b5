// The parts of a request as tabs, of which one panel shows at a time (all without scripts), and its JSON as trees: a line
// is chosen by a click or the arrow keys, and the bar below the tree has its JSONPath.

document.addEventListener("click", (event) => {
  const tab = event.target.closest('[role="tab"][aria-controls]');
  if (tab) choose(tab);
});

document.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const tab = step && event.target.closest('[role="tab"][aria-controls]');
  if (!tab) return;
  const tabs = tabsBeside(tab);
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  choose(next);
  next.focus();
});

function choose(tab) {
  for (const each of tabsBeside(tab)) {
    each.setAttribute("aria-selected", String(each === tab));
    each.tabIndex = each === tab ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).toggleAttribute("data-off", each !== tab);
  }
}

// Shows the panels that an element is in, the outer ones too.
function reveal(element) {
  for (let panel = element.closest('[role="tabpanel"]'); panel; panel = panel.parentElement.closest('[role="tabpanel"]')) {
    const tab = document.getElementById(panel.getAttribute("aria-labelledby"));
    if (tab) choose(tab);
  }
}

function tabsBeside(tab) {
  return [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];
}

// --- trees ----------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-line]");
  const line = link ? document.getElementById(link.hash.slice(1)) : event.target.closest("[data-tree] [data-step]");
  if (!line) return;
  if (link) event.preventDefault();
  mark(line);
  if (link) line.closest("[data-tree]").focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  if (!event.target.hasAttribute?.("data-tree")) return;
  const lines = [...event.target.querySelectorAll("[data-step]")].filter((line) => line.offsetParent);
  const at = lines.findIndex((line) => line.hasAttribute("data-marked"));
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const fold = { ArrowLeft: false, ArrowRight: true, " ": "other" }[event.key];
  if (step === undefined && fold === undefined) return;
  event.preventDefault();
  if (step) mark(lines[Math.min(Math.max(at + step, 0), lines.length - 1)]);
  else if (lines[at]?.tagName === "SUMMARY") lines[at].parentElement.open = fold === "other" ? !lines[at].parentElement.open : fold;
});

function mark(line) {
  const tree = line.closest("[data-tree]");
  for (const other of tree.querySelectorAll("[data-marked]")) other.removeAttribute("data-marked");
  line.setAttribute("data-marked", "");
  reveal(tree);
  let path = line.dataset.step;
  const own = line.tagName === "SUMMARY" ? line.parentElement : null;
  for (let fold = (own ?? line).parentElement.closest("details"); fold && tree.contains(fold); fold = fold.parentElement.closest("details")) {
    fold.open = true;
    path = fold.firstElementChild.dataset.step + path;
  }
  const bar = tree.nextElementSibling;
  bar.querySelector("[data-path]").textContent = `$${path}`;
  bar.querySelector("[data-copy]").dataset.copy = `$${path}`;
  line.scrollIntoView({ block: "nearest" });
}
