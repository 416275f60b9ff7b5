// Try it: a token and a payload from the page. These are calls to the emulated API itself, so they land in the journal.

import { address, call, reach, Refusal } from "./api.js";
import { redraw } from "./refresh.js";
import { complain, say } from "./status.js";

const SETTLE_MS = 150;
const page = document.querySelector("[data-try]");
if (page) start(...page.querySelectorAll("form"));

function start(tokenForm, postForm) {
  const { client_id: id, client_secret: secret } = tokenForm.elements;
  const { payload, token } = postForm.elements;
  const service = page.querySelector("select");
  const chosen = () => service.selectedOptions[0].dataset;
  let drawing = 0;
  let underWay = false;

  function choose() {
    id.value = chosen().client;
    secret.value = "";
    payload.value = chosen().sample;
    draw();
  }

  // The sandbox writes the lines, as those of an opened request.
  function draw() {
    const values = new FormData(tokenForm);
    values.set("path", chosen().path);
    values.set("payload", payload.value);
    redraw(address("/dashboard/try/code"), values, "[data-try] pre[id]");
  }

  function performing(form, action) {
    return async (event) => {
      event.preventDefault();
      if (underWay) return;
      underWay = true;
      complain(form, "");
      try {
        await action(form);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        complain(form, error.message);
      } finally {
        underWay = false;
        draw();
      }
    };
  }

  async function makeClient() {
    const made = await call("POST", `/connectors/${chosen().connector}/oauth-clients`, { name: "Try it" });
    id.value = made.client_id;
    secret.value = made.client_secret;
    say("A client was created; the form has its secret until you leave the page");
  }

  async function getToken() {
    const got = accessToken(await send(tokenForm, page.dataset.tokenPath, { body: new URLSearchParams(new FormData(tokenForm)) }));
    if (!got) return;
    token.value = got;
    postForm.querySelector("button").focus();
  }

  const post = () => send(postForm, chosen().path, {
    headers: { Authorization: `Bearer ${token.value}`, "Content-Type": "application/json", Accept: "application/json" },
    body: payload.value,
  });

  tokenForm.addEventListener("submit", performing(tokenForm, getToken));
  postForm.addEventListener("submit", performing(postForm, post));
  page.querySelector("[data-make-client]").addEventListener("click", performing(tokenForm, makeClient));
  service.addEventListener("change", choose);
  page.addEventListener("input", () => {
    clearTimeout(drawing);
    drawing = setTimeout(draw, SETTLE_MS);
  });
  addEventListener("pagehide", () => tokenForm.reset());
  choose();
}

// Sends a request of a form, shows the answer below it and returns its body.
async function send(form, path, options) {
  const response = await reach(address("").replace(/\/_sandbox$/, "") + path, { method: "POST", ...options });
  const text = await response.text();
  const shown = page.querySelector("template").content.cloneNode(true);
  shown.querySelector(".outcome").classList.add(response.ok ? "accepted" : "rejected");
  shown.querySelector("[data-status]").textContent = `${response.status} ${response.statusText}`;
  shown.querySelector("pre").textContent = text;
  form.querySelector(".answer").replaceChildren(shown);
  return text;
}

function accessToken(text) {
  try {
    return JSON.parse(text).access_token;
  } catch {
    return null;
  }
}
