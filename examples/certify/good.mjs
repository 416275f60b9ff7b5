// Pushes orders as good.py does: it waits, it ends, and it never reports an order as sent that was refused.
// Everything comes from the environment; PATCHWORKS_PAYLOADS is a file with a JSON object a line.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const ATTEMPTS = 5;
const FIRST_WAIT_S = 0.3;
const RENEW_EARLY_S = 60;
const DEADLINE_S = Number(process.env.DEADLINE_S ?? 3); // for one request, to the last byte of its answer
const env = process.env;

class Stopped extends Error {} // no retry helps
class Failed extends Error { // another attempt may help
  constructor(why, waitS) {
    super(why);
    this.waitS = waitS;
  }
}

async function post(url, body, headers) {
  let response, text;
  try {
    const signal = AbortSignal.timeout(DEADLINE_S * 1000);
    response = await fetch(url, { method: "POST", body, headers: { Accept: "application/json", ...headers }, signal, redirect: "manual" });
    text = await response.text();
  } catch (error) {
    throw new Failed(error.cause?.code ?? error.name);
  }
  if (response.status === 429 || response.status >= 500) {
    throw new Failed(`it answered ${response.status}`, Number(response.headers.get("Retry-After")) || undefined);
  }
  try {
    return [response.status, JSON.parse(text)];
  } catch {
    throw new Failed("the answer is no JSON"); // a page of a proxy, or an answer that was cut off
  }
}

async function tried(call) {
  let problem;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const wait = FIRST_WAIT_S * 2 ** attempt;
    if (attempt) await sleep(1000 * (problem.waitS ?? wait * (0.5 + Math.random() / 2)));
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      problem = error;
    }
  }
  throw new Stopped(`gave up after ${ATTEMPTS} attempts: ${problem.message}`);
}

let token = "";
let renewAt = 0;

async function accessToken() {
  if (!token || performance.now() >= renewAt) {
    const askedAt = performance.now();
    const form = new URLSearchParams({ grant_type: "client_credentials", client_id: env.PATCHWORKS_CLIENT_ID, client_secret: env.PATCHWORKS_CLIENT_SECRET });
    const [status, answer] = await tried(() => post(env.PATCHWORKS_TOKEN_URL, form));
    if (status !== 200 || !answer.access_token) throw new Stopped(`no token: ${status} ${answer.error ?? ""}`);
    token = answer.access_token;
    const lifetime = Number(answer.expires_in ?? 3600);
    renewAt = askedAt + 1000 * ((Number.isFinite(lifetime) ? lifetime : 3600) - RENEW_EARLY_S);
  }
  return token;
}

async function pushOnce(order) {
  const headers = { Authorization: `Bearer ${await accessToken()}`, "Content-Type": "application/json" };
  return tried(() => post(env.PATCHWORKS_INBOUND_URL, JSON.stringify(order), headers));
}

async function push(order) {
  let [status, answer] = await pushOnce(order);
  if (status === 401) { // the token has expired, or was revoked: a new one, and one more attempt
    token = "";
    [status, answer] = await pushOnce(order);
  }
  if (status === 401) throw new Stopped("a new token is refused too");
  if (status >= 300) console.error(`order ${order.number} is refused: ${status} ${answer.message}`);
  return status < 300;
}

const file = env.PATCHWORKS_PAYLOADS || new URL("orders.ndjson", import.meta.url);
const orders = readFileSync(file, "utf8").split("\n").filter((line) => line.trim()).map((line) => JSON.parse(line));
try {
  let allAccepted = true;
  for (const order of orders) allAccepted = (await push(order)) && allAccepted;
  process.exitCode = allAccepted ? 0 : 1;
} catch (error) {
  if (!(error instanceof Stopped)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
