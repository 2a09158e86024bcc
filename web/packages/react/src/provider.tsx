/** Which client the hooks speak to. */

import { OrdercastClient, retryOnReturn, type ClientOptions, type ReturnSources } from "@ordercast/client";
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from "react";

const Context = createContext<OrdercastClient | null>(null);

/** A client of yours, which you connect and end. */
export interface GivenClient {
  client: OrdercastClient;
  children?: ReactNode;
}

/** A client of the provider's own: connected while it is mounted, made anew where `url` or a token's text changes. */
export interface OwnClient extends ClientOptions, ReturnSources {
  /** Where the server is; in a page, where the page is from. */
  url?: string | undefined;
  children?: ReactNode;
}

/** Gives the hooks below it a client. */
export function OrdercastProvider(props: GivenClient | OwnClient): ReactNode {
  if ("client" in props) return <Context.Provider value={props.client}>{props.children}</Context.Provider>;
  const { url, token } = props;
  return <Owner key={`${url ?? ""} ${typeof token === "string" ? token : ""}`} {...props} />;
}

/** Where a page that is rendered on a server is from: it knows that in a browser, and connects only there. */
const NOWHERE = "http://nowhere.invalid";

function Owner({ url = ownPlace(), AppState, NetInfo, children, ...options }: OwnClient): ReactNode {
  const latest = useRef(options.token);
  const [client] = useState(() => {
    // A function that is written anew with each render is asked as it is then.
    const { token } = options;
    const asked = typeof token === "string" ? token : () => (latest.current as typeof token)();
    return new OrdercastClient(url, { ...options, token: asked });
  });
  useEffect(() => {
    latest.current = options.token;
  });
  useEffect(() => {
    if (url === NOWHERE) throw new TypeError('say where the server is: <OrdercastProvider url="https://shop.example" …>');
    client.connect();
    return () => client.disconnect();
  }, [client, url]);
  useEffect(() => retryOnReturn(client, { AppState, NetInfo }), [client, AppState, NetInfo]);
  return <Context.Provider value={client}>{children}</Context.Provider>;
}

function ownPlace(): string {
  const { location } = globalThis as { location?: { origin?: string } };
  return location?.origin ?? NOWHERE;
}

/** The provider's client. Throws outside of one. */
export function useOrdercast(): OrdercastClient {
  const client = useContext(Context);
  if (client === null) throw new Error("There is no <OrdercastProvider> around this component: put one around your app.");
  return client;
}
