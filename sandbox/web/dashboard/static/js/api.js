// Calls to the control API, and what the sandbox says when it refuses one.

const PREFIX = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

export class Refusal extends Error {}

export function address(path) {
  return PREFIX + path;
}

// Returns the JSON of the answer, or null where there is none; throws a Refusal with a text for people.
export async function call(method, path, body) {
  const options = { method, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const response = await reach(address(path), options);
  const text = await response.text();
  const answer = text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : null;
  if (!response.ok) throw new Refusal(sentence(answer?.detail ?? `the sandbox answered ${response.status}`));
  return answer;
}

export async function reach(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new Refusal("The sandbox does not answer. Is it still running?");
  }
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
