/** The operators' board. */

import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { Session } from "./parts/session.ts";
import { HandedOver } from "./parts/SignIn.tsx";
import "./styles/board.css";
import "./styles/card.css";
import "./styles/over.css";
import "./styles/parts.css";
import "./styles/details.css";
import "./styles/top.css";

const root = createRoot(document.getElementById("board")!);
const session = new Session();
void session.handOver().then((handed) => root.render(handed ? <HandedOver /> : <App session={session} />));
