// Tabs: one panel of a tab list shows at a time. Without scripts all panels show, one below the other.

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

export function choose(tab) {
  for (const each of tabsBeside(tab)) {
    each.setAttribute("aria-selected", String(each === tab));
    each.tabIndex = each === tab ? 0 : -1;
    panelOf(each)?.setAttribute("data-off", "");
  }
  panelOf(tab)?.removeAttribute("data-off");
}

// Shows the panels that an element is in, the outer ones too.
export function reveal(element) {
  for (let panel = element.closest('[role="tabpanel"]'); panel; panel = panel.parentElement.closest('[role="tabpanel"]')) {
    const tab = document.getElementById(panel.getAttribute("aria-labelledby"));
    if (tab) choose(tab);
  }
}

function tabsBeside(tab) {
  return [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];
}

function panelOf(tab) {
  return document.getElementById(tab.getAttribute("aria-controls"));
}
