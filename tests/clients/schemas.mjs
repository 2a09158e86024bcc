// Judges by JSON Schema. Reads a line {"asyncapi": DOCUMENT} or {"message": KEY, "payload": VALUE} and answers each with
// a line, a list of what is wrong: of a document by AsyncAPI's own schema, of a payload by its message in that document.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import Ajv from "ajv";
import addFormats from "ajv-formats";

// The form for validators that, as this one, know draft-07 by themselves.
const specification = createRequire(import.meta.url)("@asyncapi/specs/schemas/3.0.0-without-$id.json");

const official = addFormats(new Ajv({ strict: false, allErrors: true })).compile(specification);
let ours;
let document;

function judge({ asyncapi, message, payload }) {
  if (asyncapi !== undefined) {
    document = asyncapi;
    ours = addFormats(new Ajv({ strict: false, allErrors: true })).addSchema(document, "document");
    return official(document) ? [] : official.errors;
  }
  const validate = ours.getSchema(`document#/components/messages/${message}/payload`);
  if (validate === undefined) return [{ message: `the document has no message ${message}` }];
  return validate(payload) ? [] : validate.errors;
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(judge(JSON.parse(line))));
