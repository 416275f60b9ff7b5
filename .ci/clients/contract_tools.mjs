// Which tools for Node read the contract, and of those that validate requests, which tell a good one from a bad one.
//
// Usage: node contract_tools.mjs FOLDER-WITH-NODE_MODULES FILE...    (documents that the demo seed resolves)
// Prints JSON: by tool and by file "works" or the reason why it does not.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [, , folder, ...files] = process.argv;
const require = createRequire(`${folder}/`);
const yaml = (file) => require("js-yaml").load(readFileSync(file, "utf8"));
console.warn = () => {}; // one tool warns of each format that it does not know

const BASE = "http://127.0.0.1:8025";
const JSON_TYPE = { "content-type": "application/json", accept: "application/json" };
const BEARER = { ...JSON_TYPE, authorization: "Bearer x" };

/** Return the requests with which validators are tried: a name, the request, and whether it keeps to the contract. */
function probes(file) {
  const orders = yaml(file).paths["/v1/acme/orders"];
  if (orders === undefined) return ofFlows();
  const body = orders.post.requestBody.content["application/json"];
  const order = body.examples.stored.value;
  const client = { client_id: "id", client_secret: "secret" };
  return [
    ["a token request", "/oauth/token", JSON_TYPE, { grant_type: "client_credentials", ...client }, true],
    ["another grant", "/oauth/token", JSON_TYPE, { grant_type: "password", ...client }, false],
    ["an order", "/v1/acme/orders", BEARER, order, true],
    ["an order without a token", "/v1/acme/orders", JSON_TYPE, order, false],
    ["an order with a wrong field", "/v1/acme/orders", BEARER, { ...order, id: "text" }, false],
  ];
}

/** Return the requests for the document of process flows. */
function ofFlows() {
  const keyed = { ...JSON_TYPE, authorization: "key" };
  const [start, login] = ["/api/v1/flows/1/start", "/api/v1/login"];
  return [
    ["a start", start, keyed, { payload: "1" }, true],
    ["a start without a key", start, JSON_TYPE, { payload: "1" }, false],
    ["a start with a wrong field", start, keyed, { payload: 1 }, false],
    ["a login", login, JSON_TYPE, { email: "ada@example.test", password: "x" }, true],
    ["a login without a password", login, JSON_TYPE, { email: "ada@example.test" }, false],
  ];
}

/** Try a validator, which returns whether it takes a request. */
async function tried(file, takes) {
  for (const [name, path, headers, body, isGood] of probes(file)) {
    if ((await takes(path, headers, body)) !== isGood) return `${isGood ? "refuses" : "takes"} ${name}`;
  }
  return "works";
}

const TOOLS = {
  async Prism(file) {
    const { getHttpOperationsFromSpec } = require("@stoplight/prism-cli/dist/operations");
    const { createInstance } = require("@stoplight/prism-http");
    const { createLogger } = require("@stoplight/prism-core");
    const operations = await getHttpOperationsFromSpec(file);
    const config = { validateRequest: true, validateResponse: true, checkSecurity: true, errors: false, isProxy: false, mock: { dynamic: false } };
    const prism = createInstance(config, { logger: createLogger("contract", { enabled: false, level: "silent" }) });
    return tried(file, async (path, headers, body) => {
      const answer = await prism.request({ method: "post", url: { path, baseUrl: BASE }, headers, body }, operations)();
      return answer._tag === "Right" && answer.right.output.statusCode < 300;
    });
  },

  async "express-openapi-validator"(file) {
    const express = require("express");
    const app = express();
    app.use(express.json());
    app.use(require("express-openapi-validator").middleware({ apiSpec: file, validateRequests: true, validateResponses: false, ignoreServers: true }));
    app.use((request, response) => response.json({}));
    app.use((error, request, response, next) => response.status(error.status ?? 500).json({ message: error.message }));
    const server = app.listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    try {
      return await tried(file, async (path, headers, body) => {
        const url = `http://127.0.0.1:${server.address().port}${path}`;
        const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
        if (answer.status >= 500) throw new Error((await answer.json()).message);
        return answer.ok;
      });
    } finally {
      server.close();
    }
  },

  async "openapi-backend"(file) {
    if (Number.parseInt(process.versions.node, 10) < 20) return "needs Node 20";
    const { OpenAPIBackend } = require("openapi-backend");
    const ajvOpts = { strict: false, validateFormats: false };
    const api = new OpenAPIBackend({ definition: yaml(file), strict: true, quick: false, ajvOpts });
    api.register({ notFound: () => 404, validationFail: () => 400, unauthorizedHandler: () => 401 });
    for (const item of Object.values(api.inputDocument.paths)) {
      for (const operation of Object.values(item)) api.register(operation.operationId, () => 200);
    }
    const bearer = ({ request }) => /^Bearer ./.test(request.headers.authorization ?? "");
    const apiKey = ({ request }) => request.headers.authorization !== undefined;
    for (const [scheme, holds] of Object.entries({ bearer, clientBasic: () => false, loginToken: bearer, apiKey })) {
      if (scheme in api.inputDocument.components.securitySchemes) api.registerSecurityHandler(scheme, holds);
    }
    await api.init();
    return tried(file, async (path, headers, body) => (await api.handleRequest({ method: "POST", path, headers, query: {}, body })) === 200);
  },

  async "openapi-diff"(file) {
    const spec = { content: JSON.stringify(yaml(file)), location: file, format: "openapi3" };
    const found = await require("openapi-diff").diffSpecs({ sourceSpec: spec, destinationSpec: spec });
    return found.breakingDifferencesFound ? "finds a difference between the document and itself" : "works";
  },

  async "Dredd (its parser)"(file) {
    const { Fury } = require("@apielements/core");
    const fury = new Fury();
    fury.use(require("@apielements/openapi3-parser"));
    const parsed = await new Promise((done, fail) => {
      fury.parse({ source: readFileSync(file, "utf8") }, (error, result) => (result ? done(result) : fail(error)));
    });
    const [error] = parsed.errors.map((each) => each.toValue());
    return error ?? (parsed.api === undefined ? "finds no API" : "works");
  },
};

const table = {};
for (const [name, run] of Object.entries(TOOLS)) {
  table[name] = {};
  for (const file of files) {
    try {
      table[name][file] = await run(file);
    } catch (error) {
      table[name][file] = String(error.message ?? error).replaceAll(`"${file}": `, "").split("\n")[0];
    }
  }
}
process.stdout.write(JSON.stringify(table));
process.exit(0);
