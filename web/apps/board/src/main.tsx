/** The operators' board. */

import { createRoot } from "react-dom/client";
import { clientFor, takeFragment } from "../../shared/shop.ts";
import { App } from "./App.tsx";
import { ofToken } from "./model/who.ts";
import "./styles/board.css";
import "./styles/card.css";
import "./styles/over.css";

const token = takeFragment("board").get("token") ?? "";
const client = clientFor(token);
createRoot(document.getElementById("board")!).render(<App client={client} me={ofToken(token)} />);
client.connect();
