// The app: a customer's order, or all orders for who is an operator.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Provider } from "react-redux";
import { applyMiddleware, legacy_createStore as createStore } from "redux";
import { LoggedIn, OrderList, OrderStatus } from "./components.jsx";
import reducers from "./reducers.js";
import socketMiddleware from "./socketMiddleware.js";

const store = createStore(reducers, applyMiddleware(socketMiddleware));

// Whoever links here puts token and order behind the #, which no server's log ever has.
const given = new URLSearchParams(location.hash.slice(1));
const orderId = given.get("order");
const user = { token: given.get("token"), role: orderId ? "customer" : "operator" };

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <Provider store={store}>
      <LoggedIn user={user}>{orderId ? <OrderStatus orderId={orderId} /> : <OrderList />}</LoggedIn>
    </Provider>
  </StrictMode>,
);
