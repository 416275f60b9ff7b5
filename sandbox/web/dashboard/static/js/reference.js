// Draws one of the two OpenAPI documents; the tabs above choose it.

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const control = new URLSearchParams(location.search).get("api") === "control";
window.SwaggerUIBundle({
  url: control ? "openapi-control.yaml" : "openapi.yaml",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  presets: [window.SwaggerUIBundle.presets.apis],
});
