// Components that know the store alone, and nothing of sockets.
import { useEffect } from "react";
import { connect } from "react-redux";
import { login, logout, watchOrder } from "./actions.js";

function Status({ orderId, order, watchOrder }) {
  useEffect(() => void watchOrder(orderId), [orderId, watchOrder]);
  return <p role="status">{order ? order.status : "One moment …"}</p>;
}

export const OrderStatus = connect((state, { orderId }) => ({ order: state.orders[orderId] }), { watchOrder })(Status);

function List({ orders }) {
  return (
    <ul>
      {Object.values(orders).map(({ orderId, status }) => (
        <li key={orderId}>
          {orderId}: {status}
        </li>
      ))}
    </ul>
  );
}

export const OrderList = connect(({ orders }) => ({ orders }))(List);

function Session({ words, loggedIn, user, login, logout, children }) {
  return (
    <main>
      {loggedIn ? children : null}
      <p>
        <small>{words}</small>{" "}
        {loggedIn ? (
          <button onClick={logout}>Log out</button>
        ) : (
          <button onClick={() => login(user.token, user.role)}>Log in</button>
        )}
      </p>
    </main>
  );
}

export const LoggedIn = connect(({ connection }) => connection, { login, logout })(Session);
