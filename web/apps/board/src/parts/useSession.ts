import { useSyncExternalStore } from "react";
import type { Session, SessionState } from "./session.ts";

/** What a session is like now. */
export const useSession = (session: Session): SessionState => useSyncExternalStore(session.subscribe, () => session.state);
