// Adding a service: its source is one entity of one connector, and its full URL is shown while one types.

const form = document.querySelector("[data-service-form]");
const source = form.querySelector("[data-source]");

function derive() {
  const chosen = source?.selectedOptions[0]?.dataset;
  if (!chosen) return;
  form.elements.company.value = chosen.company;
  form.elements.connector_id.value = chosen.connector;
  form.elements.entity.value = chosen.entity;
  const vanity = form.elements.vanity_url.value.toLowerCase() || "…";
  form.querySelector("[data-full-url]").textContent = `${form.dataset.base}/v1/${chosen.company}/${vanity}`;
}

form.addEventListener("input", derive);
document.getElementById("add-service").addEventListener("opening", derive);
