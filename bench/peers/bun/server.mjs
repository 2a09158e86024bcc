// The recipe on Bun: @socket.io/bun-engine in place of Node's engine, Bun's own HTTP server in place of Express.
// Orders live in memory, as in ../node/server.mjs.
import { Server as Engine } from "@socket.io/bun-engine";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";

const secret = process.env.JWT_SECRET;
const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);

const verify = (token) => jwt.verify(token, secret, { algorithms: ["HS256"] });

io.use((socket, next) => {
  const token = socket.handshake.auth.token ?? socket.handshake.query.token;
  if (!token) return next(new Error("Authentication required"));
  try {
    socket.user = verify(token);
    next();
  } catch (error) {
    next(new Error(error.name === "TokenExpiredError" ? "Token expired" : "Invalid token"));
  }
});

io.on("connection", (socket) => {
  socket.join(`user:${socket.user.userId}`);
  if (socket.user.role === "operator" || socket.user.role === "admin") socket.join("operators");
});

const orders = new Map();
let number = 0;

function burst(n) {
  for (let i = 0; i < n; i += 1) {
    number += 1;
    io.to("operators").emit("order:status_changed", {
      orderId: number,
      status: "ready",
      customerId: 42,
      updatedBy: "bench",
      updatedAt: new Date().toISOString(),
      version: 1,
      position: number,
    });
  }
}

async function create(request) {
  const { customerId } = await request.json();
  const order = { orderId: orders.size + 1, customerId, status: "received", version: 1 };
  orders.set(String(order.orderId), order);
  return Response.json(order, { status: 201 });
}

async function patch(request, id, user) {
  const order = orders.get(id);
  if (!order) return Response.json({ error: "not found" }, { status: 404 });
  order.status = (await request.json()).status;
  order.version += 1;
  const updatedAt = new Date().toISOString();
  const { orderId, status, customerId, version } = order;
  io.to(`user:${customerId}`).to(`order:${orderId}`).emit("order:updated", { orderId, status, updatedAt, version });
  io.to("operators").emit("order:status_changed", {
    orderId,
    status,
    customerId,
    updatedBy: user.userId,
    updatedAt,
    version,
  });
  return Response.json(order);
}

const { websocket, idleTimeout, maxRequestBodySize } = engine.handler();
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  websocket,
  idleTimeout,
  maxRequestBodySize,
  fetch(request, server) {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/socket.io/")) return engine.handleRequest(request, server);
    if (url.pathname === "/bench/burst") {
      burst(Number(url.searchParams.get("n")));
      return Response.json({});
    }
    if (url.pathname === "/bench/collect") {
      Bun.gc(true);
      return Response.json({});
    }
    let user;
    try {
      user = verify((request.headers.get("authorization") ?? "").replace(/^Bearer /, ""));
    } catch {
      return Response.json({ error: "Invalid token" }, { status: 401 });
    }
    if (request.method === "POST" && url.pathname === "/api/orders") return create(request);
    const id = url.pathname.match(/^\/api\/orders\/([^/]+)$/)?.[1];
    if (request.method === "PATCH" && id) return patch(request, id, user);
    return Response.json({ error: "not found" }, { status: 404 });
  },
});
