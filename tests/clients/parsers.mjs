// The reference parsers of Engine.IO 3 and 4 and of Socket.IO 4 and 5, asked over stdin: a JSON line in, a JSON line out.
// Binary data travels as {"$binary": base64}.
import { createInterface } from "node:readline";
import eio2 from "eio-parser-2";
import * as eio5 from "eio-parser-5";
import sio33 from "sio-parser-3.3";
import sio34 from "sio-parser-3.4";
import * as sio4 from "sio-parser-4";

const socketParsers = { 3.3: sio33, 3.4: sio34, 4: sio4 };

function unpack(value) {
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$binary === "string") return Buffer.from(value.$binary, "base64");
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unpack(inner)]));
}

function pack(value) {
  if (Buffer.isBuffer(value)) return { $binary: value.toString("base64") };
  if (Array.isArray(value)) return value.map(pack);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, pack(inner)]));
}

const answers = {
  // Engine.IO 4
  "packet 4": ({ packet, binary }) => {
    let encoded;
    eio5.encodePacket(packet, binary, (data) => (encoded = data));
    return encoded;
  },
  "read packet 4": ({ encoded }) => eio5.decodePacket(encoded),
  "payload 4": ({ packets }) => {
    let encoded;
    eio5.encodePayload(packets, (data) => (encoded = data));
    return encoded;
  },
  "read payload 4": ({ encoded }) => eio5.decodePayload(encoded),

  // Engine.IO 3
  "packet 3": ({ packet, binary }) => {
    let encoded;
    eio2.encodePacket(packet, binary, false, (data) => (encoded = data));
    return encoded;
  },
  "read packet 3": ({ encoded }) => eio2.decodePacket(encoded),
  "payload 3": ({ packets, binary }) => {
    let encoded;
    eio2.encodePayload(packets, binary, (data) => (encoded = data));
    return encoded;
  },
  "read payload 3": ({ encoded }) => {
    const packets = [];
    eio2.decodePayload(encoded, (packet) => void packets.push(packet));
    return packets;
  },

  // Socket.IO, by the parser's version
  socket: ({ parser, packet }) => {
    const encoder = new socketParsers[parser].Encoder();
    if (parser === "4") return encoder.encode(packet);
    let encoded;
    encoder.encode(packet, (parts) => (encoded = parts));
    return encoded;
  },
  "read socket": ({ parser, parts }) => {
    const packets = [];
    const decoder = new socketParsers[parser].Decoder();
    decoder.on("decoded", (packet) => packets.push(packet));
    for (const part of parts) decoder.add(part);
    return packets;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: pack(answers[ask](unpack(question))) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
}
