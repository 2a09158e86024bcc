#!/usr/bin/env node
// Usage: openapi-types SCHEMA.json OUT.ts
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import openapiTS, { astToString } from "openapi-typescript";

const [schema, out] = process.argv.slice(2);
const nodes = await openapiTS(JSON.parse(await readFile(schema, "utf8")), { alphabetize: true, defaultNonNullable: false });
await mkdir(dirname(out), { recursive: true });
await writeFile(out, `// Generated from ${schema}; not to be edited.\n${astToString(nodes)}`);
