/** The operators' board. */

import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { Session } from "./parts/session.ts";
import { HandedOver } from "./parts/SignIn.tsx";

const root = createRoot(document.getElementById("board")!);
const session = new Session();
void session.handOver().then((handed) => root.render(handed ? <HandedOver /> : <App session={session} />));
