// The one place that has the socket: opens it at login, and turns its events into actions.
import { get, goLive } from "../../connect/live.js";
import {
  LOGIN,
  LOGOUT,
  WATCH_ORDER,
  orderStatusUpdated,
  socketConnected,
  socketDisconnected,
  watchDenied,
} from "./actions.js";

export default function socketMiddleware({ dispatch }) {
  let socket = null;
  let leave = () => {};
  const watched = new Set(); // each connection begins with none

  const updated = (order) => dispatch(orderStatusUpdated(order));
  const watch = (orderId) => socket.emit("watch:order", orderId);

  /** What a socket would tell, over HTTP. */
  async function ask({ token, role }) {
    const paths = role === "operator" ? ["/api/orders"] : [...watched].map((orderId) => "/api/orders/" + orderId);
    const answers = await Promise.all(paths.map((path) => get(path, token)));
    answers.flatMap((answer) => answer.orders ?? answer).forEach(updated);
  }

  function open(user) {
    const say = (words) => dispatch(words === "live" ? socketConnected() : socketDisconnected(words));
    ({ socket, leave } = goLive(user.token, () => ask(user), say));
    socket.on("connect", () => {
      watched.forEach(watch);
      if (user.role === "operator") ask(user).catch(console.error);
    });
    for (const event of ["watching", "order:updated", "order:created", "order:status_changed"]) socket.on(event, updated);
    socket.on("watch:denied", (denied) => dispatch(watchDenied(denied)));
  }

  function close() {
    leave();
    socket = null;
    watched.clear();
  }

  return (next) => (action) => {
    switch (action.type) {
      case LOGIN:
        close();
        open(action);
        break;
      case LOGOUT:
        close();
        break;
      case WATCH_ORDER:
        watched.add(String(action.orderId));
        if (socket?.connected) watch(action.orderId);
        break;
    }
    return next(action);
  };
}
