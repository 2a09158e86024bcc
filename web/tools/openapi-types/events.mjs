// An AsyncAPI document's schemas as an OpenAPI document's, with three more that name the events: what the server says
// (`ServerEvents`), what a client says (`ClientEvents`), and what that is answered with (`Answers`), by event name.

/** `document` is AsyncAPI 3.0, of `scripts/openapi.py`. */
export function eventTypes(document) {
  const operations = Object.values(document.operations);
  const of = (action) => operations.filter((operation) => operation.action === action);
  const payload = ({ messages: [message] }) => found(document, message).payload;
  return {
    openapi: "3.1.0",
    info: document.info,
    paths: {},
    components: {
      schemas: {
        ...document.components.schemas,
        ServerEvents: byName(of("send"), payload),
        ClientEvents: byName(of("receive"), payload),
        Answers: byName(of("receive").filter(({ reply }) => reply), ({ reply }) => payload(reply)),
      },
    },
  };
}

function byName(operations, schemaOf) {
  const properties = Object.fromEntries(
    operations.map((operation) => [operation.title, { ...schemaOf(operation), description: operation.summary }]),
  );
  return { type: "object", properties, required: Object.keys(properties) };
}

/** What a reference leads to, through further ones. */
function found(document, { $ref }) {
  const there = $ref.slice(2).split("/").reduce((at, name) => at[name], document);
  return there.$ref === undefined ? there : found(document, there);
}
