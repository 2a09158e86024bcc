// A receiver of webhooks, which verifies them with npm's standardwebhooks: node webhook_receiver.mjs PORT.
// Prints a JSON line for each request; POST /mode sets how it answers from then on: {"status", "wait", "headers"}.
// The secret comes as the first line of its input, since a verifier is made before its webhook is asked for.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

let secret;
let mode = { status: 204 };

function verified(body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    return String(error.message);
  }
}

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (request.url === "/mode") {
      mode = JSON.parse(body);
      response.end();
      return;
    }
    const { status, wait = 0, headers = {}, only } = mode;
    const refused = !only || JSON.parse(body).data.orderId === only;
    const answered = refused ? status : 204;
    const seen = { url: request.url, headers: request.headers, body, verified: verified(body, request.headers), status: answered };
    setTimeout(() => {
      console.log(JSON.stringify(seen));
      response.writeHead(answered, headers).end("said so");
    }, wait);
  });
});

createInterface({ input: process.stdin }).on("line", (line) => (secret = line));
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
