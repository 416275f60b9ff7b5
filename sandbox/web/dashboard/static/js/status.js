// Says what has happened: shown for a moment, and read out by screen readers; or why not, in a form.

const place = document.getElementById("status");
let hiding;

export function say(text) {
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = text;
    place.classList.add("shown");
  });
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    place.classList.remove("shown");
    place.textContent = "";
  }, 5000);
}

export function complain(form, text) {
  const place = form.querySelector("[data-problem]");
  if (!place) return;
  place.hidden = !text;
  place.textContent = text;
}
