/** The first code of the page to run. It is small, so that it asks while the browser reads the rest. */

import { askEarly } from "./parts/early.ts";
import "./styles/board.css";
import "./styles/card.css";
import "./styles/over.css";
import "./styles/parts.css";
import "./styles/details.css";
import "./styles/top.css";

askEarly();
void import("./main.tsx");
