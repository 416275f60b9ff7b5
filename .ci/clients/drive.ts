// Uses the types that openapi-typescript made of both specs, against a running sandbox: node drive.js READY_FILE
import { deepStrictEqual, ok } from "node:assert";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths as Control } from "./openapi-control.js";
import type { paths as Inbound } from "./openapi.js";

const { base_url: baseUrl } = JSON.parse(readFileSync(process.argv[2]!, "utf-8")) as { base_url: string };
const headers = { Accept: "application/json" };
const control = createClient<Control>({ baseUrl, headers });
const inbound = createClient<Inbound>({ baseUrl, headers });

const connectors = await control.GET("/_sandbox/connectors");
ok(connectors.data?.[0]);
const created = await control.POST("/_sandbox/connectors/{connector_id}/oauth-clients", {
  params: { path: { connector_id: connectors.data[0].id } },
  body: { name: "Generated client" },
});
ok(created.data);

const token = await inbound.POST("/oauth/token", {
  body: {
    grant_type: "client_credentials",
    client_id: created.data.client_id,
    client_secret: created.data.client_secret,
  },
});
ok(token.data);

const stored = await inbound.POST("/v1/{company}/{vanity_url}", {
  params: { path: { company: "acme", vanity_url: "anything" } },
  headers: { Authorization: `Bearer ${token.data.access_token}` },
  body: { order: "typescript" },
});
ok(stored.data);

const query = { client_id: created.data.client_id };
const received = await control.GET("/_sandbox/requests", { params: { query } });
deepStrictEqual(
  received.data?.entries.map((entry) => [entry.kind, entry.status]),
  [["token", 200], ["inbound", 200]],
);
const nonconforming = await control.GET("/_sandbox/contract-violations", { params: { query } });
deepStrictEqual(nonconforming.data?.requests, []);

const verified = await control.POST("/_sandbox/requests/verify", {
  body: { filter: { kind: "inbound" }, pattern: { json: { order: "typescript" } }, times: 1 },
});
ok(verified.data);
const rule = { fault: { kind: "status", code: 503 }, match: { endpoint: "inbound" } } as const;
ok((await control.POST("/_sandbox/faults", { body: rule })).data);
ok((await control.POST("/_sandbox/clock/advance", { body: { duration: "24h" } })).data);
const state = await control.GET("/_sandbox/state", { params: { query: {} } });
ok(state.data);
ok((await control.PUT("/_sandbox/state", { body: state.data })).data);

// @ts-expect-error the contract has no such grant
const mistake: Inbound["/oauth/token"]["post"]["requestBody"] = { content: { "application/json": { grant_type: "password" } } };
void mistake;
console.log("typescript:", stored.data.message);
