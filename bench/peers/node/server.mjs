// The 2016 recipe with today's packages: JWT before the connection completes, a room per user, a room of operators.
// Orders live in memory, which spares it what Ordercast pays for its database.
import { createServer } from "node:http";
import express from "express";
import jwt from "jsonwebtoken";
import { Server } from "socket.io";

const secret = process.env.JWT_SECRET;
const app = express();
const server = createServer(app);
const io = new Server(server);

io.use((socket, next) => {
  const token = socket.handshake.auth.token ?? socket.handshake.query.token;
  if (!token) return next(new Error("Authentication required"));
  try {
    socket.user = jwt.verify(token, secret, { algorithms: ["HS256"] });
    next();
  } catch (error) {
    next(new Error(error.name === "TokenExpiredError" ? "Token expired" : "Invalid token"));
  }
});

io.on("connection", (socket) => {
  socket.join(`user:${socket.user.userId}`);
  if (socket.user.role === "operator" || socket.user.role === "admin") socket.join("operators");
  socket.on("watch:order", (orderId) => {
    const order = orders.get(String(orderId));
    if (order && (socket.user.role !== "customer" || String(order.customerId) === String(socket.user.userId))) {
      socket.join(`order:${orderId}`);
    }
  });
});

const orders = new Map();

function authenticate(request, response, next) {
  try {
    request.user = jwt.verify((request.headers.authorization ?? "").replace(/^Bearer /, ""), secret, { algorithms: ["HS256"] });
    next();
  } catch {
    response.status(401).json({ error: "Invalid token" });
  }
}

app.use(express.json());
app.post("/api/orders", authenticate, (request, response) => {
  const orderId = orders.size + 1;
  const order = { orderId, customerId: request.body.customerId, status: "received", version: 1 };
  orders.set(String(orderId), order);
  response.status(201).json(order);
});
app.patch("/api/orders/:id", authenticate, (request, response) => {
  const order = orders.get(request.params.id);
  if (!order) return response.status(404).json({ error: "not found" });
  order.status = request.body.status;
  order.version += 1;
  const updatedAt = new Date().toISOString();
  const { orderId, status, customerId, version } = order;
  io.to(`user:${customerId}`).to(`order:${orderId}`).emit("order:updated", { orderId, status, updatedAt, version });
  io.to("operators").emit("order:status_changed", {
    orderId,
    status,
    customerId,
    updatedBy: request.user.userId,
    updatedAt,
    version,
  });
  response.json(order);
});

// What the benchmarks need besides: events without requests, and a heap without garbage.
let number = 0;
app.post("/bench/burst", (request, response) => {
  for (let i = 0; i < Number(request.query.n); i += 1) {
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
  response.json({});
});
app.post("/bench/collect", (request, response) => {
  globalThis.gc();
  response.json({});
});

server.listen(Number(process.argv[2]), "127.0.0.1");
