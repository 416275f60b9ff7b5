// Import a Postman collection as Bruno's application does: its command line imports OpenAPI only.
//
// Usage: node bruno.mjs NODE_MODULES COLLECTION FOLDER
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
const [, , folder, file, output] = process.argv;
const require = createRequire(`${folder}/`);
const { postmanToBruno } = require("@usebruno/converters");
const { createCollectionFromBrunoObject } = require("@usebruno/cli/src/utils/collection");
mkdirSync(output);
const { collection } = await postmanToBruno(JSON.parse(readFileSync(file, "utf8")));
await createCollectionFromBrunoObject(collection, output);
