#!/usr/bin/env node
// Usage: openapi-types SCHEMA.json OUT.ts ; the schema is an OpenAPI or an AsyncAPI document.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";
import { eventTypes } from "./events.mjs";

const [schema, out] = process.argv.slice(2);
const document = JSON.parse(await readFile(schema, "utf8"));
const described = "asyncapi" in document ? eventTypes(document) : document;
const nodes = await openapiTS(described, { alphabetize: true, defaultNonNullable: false });
await mkdir(dirname(out), { recursive: true });
await writeFile(out, `// Generated from ${schema}; not to be edited.\n${astToString(nodes)}`);
