// Says what has happened: shown for a moment, and read out by screen readers.

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
