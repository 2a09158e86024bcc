// The store: how live it is, and what is known of orders.
import { combineReducers } from "redux";
import {
  LOGIN,
  LOGOUT,
  ORDER_STATUS_UPDATED,
  SOCKET_CONNECTED,
  SOCKET_DISCONNECTED,
  WATCH_DENIED,
} from "./actions.js";

const nowhere = { loggedIn: false, connected: false, words: "not logged in" };

function connection(state = nowhere, action) {
  switch (action.type) {
    case LOGIN:
      return { loggedIn: true, connected: false, words: "connecting" };
    case LOGOUT:
      return nowhere;
    case SOCKET_CONNECTED:
      return { ...state, connected: true, words: "live" };
    case SOCKET_DISCONNECTED:
      return { ...state, connected: false, words: action.words };
    default:
      return state;
  }
}

/** Orders by id. One that comes late, as an answer that was under way while an event came, changes nothing. */
function orders(state = {}, action) {
  switch (action.type) {
    case LOGOUT:
      return {};
    case ORDER_STATUS_UPDATED: {
      const { order } = action;
      return order.version < state[order.orderId]?.version ? state : { ...state, [order.orderId]: order };
    }
    case SOCKET_CONNECTED: // what comes now counts: after a restore from a backup, versions are lower
      return Object.fromEntries(Object.entries(state).map(([id, order]) => [id, { ...order, version: 0 }]));
    case WATCH_DENIED:
      return { ...state, [action.orderId]: { orderId: action.orderId, status: action.error, version: 0 } };
    default:
      return state;
  }
}

export default combineReducers({ connection, orders });
