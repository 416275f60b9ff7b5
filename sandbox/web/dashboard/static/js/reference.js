// Draws one of the OpenAPI documents; the tabs above choose it.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const files = { flows: "openapi-flows.yaml", control: "openapi-control.yaml" };
window.SwaggerUIBundle({
  url: files[new URLSearchParams(location.search).get("api")] ?? "openapi.yaml",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  presets: [window.SwaggerUIBundle.presets.apis],
});
