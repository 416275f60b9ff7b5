// A handle of a Patchworks Sandbox for tests in Node 18 or newer: copy this file, it needs no package.
// Its types are in the comments: TypeScript reads them with "allowJs": true.
//
//   const sandbox = await Sandbox.attach();            // PATCHWORKS_SANDBOX_URL and PATCHWORKS_SANDBOX_CONTROL_KEY
//   const sandbox = await Sandbox.start();             // a process of its own; needs the command patchworks-sandbox
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * @typedef {{ base_url: string, control_url: string, control_key: string | null, token_url: string,
 *   inbound_urls: Record<string, string>, company: string | null, client_id: string | null,
 *   client_secret: string | null, version: string, pid: number, tls_base_url: string | null,
 *   tls_ca_file: string | null }} Endpoints
 * @typedef {{ id: string, seq: number, kind: string, method: string, path: string, status: number,
 *   outcome: "accepted" | "rejected" | "faulted", reason: string | null, json: any, [field: string]: any }} Entry
 * @typedef {{ kind?: string, company?: string, vanity_url?: string, client_id?: string, outcome?: string,
 *   status?: number, json_path?: string, after?: number, newest?: number, limit?: number }} Filter
 * @typedef {{ json?: any, json_contains?: any, match?: string, headers?: Record<string, string>,
 *   [field: string]: any }} Pattern
 * @typedef {{ times?: number, at_least?: number, at_most?: number, filter?: Filter, only_accepted?: boolean }} Expected
 */

/** The sandbox refused a call; `status` and `problem` are its answer. */
export class SandboxError extends Error {
  /** @param {number} status @param {any} problem */
  constructor(status, problem) {
    super(problem?.detail ?? `the sandbox answered ${status}`);
    this.name = "SandboxError";
    this.status = status;
    this.problem = problem;
  }
}

/** An assertion about what arrived does not hold; the message shows the nearest requests and the differences. */
export class NotReceivedError extends SandboxError {}

export class Sandbox {
  /** @param {string} url @param {string | null} key @param {(() => Promise<void>) | null} stop */
  constructor(url, key = null, stop = null) {
    this.url = url.replace(/\/+$/, "");
    this.key = key;
    this._stop = stop;
    /** @type {Endpoints} */
    this.endpoints = /** @type {any} */ (null);
  }

  /** Use the sandbox at a URL. @param {string} [url] @param {string | null} [key] @returns {Promise<Sandbox>} */
  static async attach(url, key) {
    const env = process.env;
    const sandbox = new Sandbox(
      url ?? env.PATCHWORKS_SANDBOX_URL ?? "http://127.0.0.1:8025",
      key ?? env.PATCHWORKS_SANDBOX_CONTROL_KEY ?? null,
    );
    await sandbox.refresh();
    return sandbox;
  }

  /**
   * Start a sandbox on a free port and wait until it is ready.
   * @param {{ command?: string[], options?: string[], timeoutMs?: number }} [how]
   * @returns {Promise<Sandbox>}
   */
  static async start({ command = ["patchworks-sandbox"], options = [], timeoutMs = 30_000 } = {}) {
    const folder = await mkdtemp(join(tmpdir(), "patchworks-sandbox-"));
    const file = join(folder, "ready.json");
    const [program, ...before] = command;
    const child = spawn(program, [...before, "serve", "--port", "0", "--ready-file", file, ...options], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (data) => (said = (said + data).slice(-4_000)));
    const ended = new Promise((resolve) => child.once("close", resolve).once("error", resolve));
    const stop = async () => {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    };
    let over = false;
    ended.then(() => (over = true));
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const text = await readFile(file, "utf-8").catch(() => "");
      if (text) {
        const ready = JSON.parse(text);
        const sandbox = new Sandbox(ready.base_url, ready.control_key, stop);
        sandbox.endpoints = ready;
        return sandbox;
      }
      if (over || Date.now() > deadline) {
        await stop();
        throw new Error(`the sandbox did not start: ${said || program}`);
      }
      await sleep(20);
    }
  }

  /** Stop a sandbox that `start` started. */
  async stop() {
    await this._stop?.();
    this._stop = null;
  }

  /** Ask for its addresses and credentials again, as after another seed. @returns {Promise<Endpoints>} */
  async refresh() {
    this.endpoints = await this.control("GET", "/endpoints");
    return this.endpoints;
  }

  /**
   * Call the control API; throws SandboxError.
   * @param {string} method @param {string} path @param {any} [body] @param {Record<string, any>} [query]
   * @returns {Promise<any>}
   */
  async control(method, path, body, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const url = `${this.url}/_sandbox${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (this.key) headers.Authorization = `Bearer ${this.key}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    const found = text && (answer.headers.get("content-type") ?? "").includes("json") ? JSON.parse(text) : text;
    if (!answer.ok) throw new SandboxError(answer.status, found);
    return found;
  }

  /** Begin anew: a new journal, no faults, real time, the same clients. */
  async reset() {
    await this.control("POST", "/reset");
  }

  /** The requests that it received, oldest first. @param {Filter} [filter] @returns {Promise<Entry[]>} */
  async requests(filter = {}) {
    return (await this.control("GET", "/requests", undefined, filter)).entries;
  }

  /** Wait until requests came. @param {Filter & { count?: number, timeout?: number }} [filter] @returns {Promise<Entry[]>} */
  async waitFor(filter = {}) {
    return (await this.control("GET", "/requests/wait", undefined, { count: 1, timeout: 10, ...filter })).entries;
  }

  /**
   * Assert what a service accepted; throws NotReceivedError.
   * @param {string} vanityUrl @param {Pattern} [pattern] @param {Expected} [expected]
   */
  async verify(vanityUrl, pattern = {}, { filter = {}, only_accepted = true, ...counts } = {}) {
    const where = { kind: "inbound", vanity_url: vanityUrl, ...filter };
    try {
      await this.control("POST", "/requests/verify", { filter: where, only_accepted, pattern, ...counts });
    } catch (error) {
      if (error instanceof SandboxError && error.status === 409) throw new NotReceivedError(409, error.problem);
      throw error;
    }
  }

  /**
   * Make it fail: `addFault({ kind: "status", code: 503 }, { endpoint: "inbound" }, { times: 2 })`.
   * @param {{ kind: string, [option: string]: any }} fault @param {Record<string, any>} [match]
   * @param {Record<string, any>} [rule] @returns {Promise<any>}
   */
  async addFault(fault, match = {}, rule = {}) {
    return this.control("POST", "/faults", { fault, match, ...rule });
  }

  /** Let time pass, such as "24h". @param {string} duration */
  async advance(duration) {
    await this.control("POST", "/clock/advance", { duration });
  }
}
