// Try it: a token and a payload from the page. These are calls to the emulated API itself, so they land in the journal.

import { address, call, reach, Refusal } from "./api.js";
import { load } from "./refresh.js";
import { complain, say } from "./status.js";

const SETTLE_MS = 150;
const page = document.querySelector("[data-try]");
if (page) start();

function start() {
  const tokenForm = page.querySelector("[data-get-token]");
  const postForm = page.querySelector("[data-post]");
  const service = page.querySelector("[data-service]");
  let drawn = 0;
  let drawing = 0;
  let underWay = false;
  const root = address("").replace(/\/_sandbox$/, "");

  function choose() {
    const chosen = service.selectedOptions[0].dataset;
    tokenForm.elements.client_id.value = chosen.client;
    tokenForm.elements.client_secret.value = "";
    postForm.elements.payload.value = chosen.sample;
    draw();
  }

  // The sandbox writes the lines, as those of an opened request. Each keeps its element, and with it the chosen tab.
  async function draw() {
    const asked = (drawn += 1);
    const values = new FormData(tokenForm);
    values.set("path", service.selectedOptions[0].dataset.path);
    values.set("payload", postForm.elements.payload.value);
    const fresh = await load(address("/dashboard/try/code"), {}, values).catch(() => null);
    if (asked !== drawn) return;
    for (const lines of fresh?.querySelectorAll("pre[id]") ?? []) document.getElementById(lines.id).textContent = lines.textContent;
    page.dataset.drawn = asked;
  }

  function drawSoon() {
    clearTimeout(drawing);
    drawing = setTimeout(draw, SETTLE_MS);
  }

  tokenForm.addEventListener("submit", (event) => perform(event, tokenForm, "[data-token-answer]", getToken));
  postForm.addEventListener("submit", (event) => perform(event, postForm, "[data-post-answer]", post));
  page.querySelector("[data-make-client]").addEventListener("click", (event) => perform(event, tokenForm, "[data-token-answer]", makeClient));
  service.addEventListener("change", choose);
  page.addEventListener("input", drawSoon);

  async function perform(event, form, place, action) {
    event.preventDefault();
    if (underWay) return;
    underWay = true;
    complain(form, "");
    try {
      await action(page.querySelector(place));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      complain(form, error.message);
    } finally {
      underWay = false;
      draw();
    }
  }

  async function makeClient() {
    const made = await call("POST", `/connectors/${service.selectedOptions[0].dataset.connector}/oauth-clients`, { name: "Try it" });
    tokenForm.elements.client_id.value = made.client_id;
    tokenForm.elements.client_secret.value = made.client_secret;
    say("A client was created; the form has its secret until you leave the page");
  }

  async function getToken(place) {
    const response = await reach(root + page.dataset.tokenPath, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: tokenForm.elements.client_id.value,
        client_secret: tokenForm.elements.client_secret.value,
        scope: page.dataset.scope,
      }),
    });
    const text = await response.text();
    showAnswer(place, response, text);
    const token = response.ok ? accessToken(text) : null;
    if (token) {
      postForm.elements.token.value = token;
      postForm.querySelector("button").focus();
    }
  }

  async function post(place) {
    const response = await reach(root + service.selectedOptions[0].dataset.path, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${postForm.elements.token.value}`,
        "Content-Type": "application/json",
        Accept: "application/json",
      },
      body: postForm.elements.payload.value,
    });
    showAnswer(place, response, await response.text());
  }

  addEventListener("pagehide", () => tokenForm.reset());
  choose();
}

function accessToken(text) {
  try {
    return JSON.parse(text).access_token;
  } catch {
    return null;
  }
}

function showAnswer(place, response, text) {
  const line = document.createElement("p");
  const status = document.createElement("span");
  status.className = `outcome ${response.ok ? "accepted" : "rejected"}`;
  const mark = document.createElement("span");
  mark.className = "mark";
  mark.setAttribute("aria-hidden", "true");
  status.append(mark, `${response.status} ${response.statusText}`);
  const link = document.createElement("a");
  link.href = address("/");
  link.textContent = "See it in the journal";
  line.append(status, " ", link);
  const body = document.createElement("pre");
  body.className = "code short";
  body.tabIndex = 0;
  body.setAttribute("aria-label", "Body of the answer");
  body.textContent = text;
  place.replaceChildren(line, body);
}
