// How a page of the recipe stays up to date: by a socket, or by asking over HTTP while none can be had.
import { connect } from "#connect";

const ASK_EVERY = 5000; // ms

/**
 * Opens the socket, and calls `ask` every few seconds as long as it is not connected. `say` gets how live the page is,
 * in words; `ask` returns a promise that fails where the server does not answer. Returns the socket, and a function that
 * leaves.
 */
export function goLive(token, ask, say) {
  const socket = connect(token);
  let timer = null;
  let ended = null; // why the server wants to see us no more

  function askNow() {
    const told = (words) => timer !== null && say(words);
    ask().then(() => told("asking every 5 s"), () => told("offline"));
  }

  function askOften() {
    if (timer !== null || ended) return;
    timer = setInterval(askNow, ASK_EVERY);
    askNow();
  }

  function stopAsking() {
    clearInterval(timer);
    timer = null;
  }

  function end(reason) {
    ended = reason;
    stopAsking();
    say("ended: " + reason);
  }

  socket.on("connect", () => {
    stopAsking();
    say("live");
  });
  socket.on("disconnect", (reason) => {
    if (ended) return;
    say("lost: " + reason);
    askOften();
    if (reason === "io server disconnect") socket.connect(); // the one end after which the client does not try again
  });
  socket.io.on("reconnect", (tries) => console.info("back after", tries, "tries"));
  socket.on("force_disconnect", ({ reason }) => end(reason));

  // A refusal is an `error` with the server's words in 1.x, and a `connect_error` after which the client gives up in 4.x.
  // All else is a network that lets no socket through, for now.
  socket.on("error", (error) => (error instanceof Error ? askOften() : end(error)));
  socket.on("connect_error", (error) => (socket.active === false ? end(error.message) : askOften()));

  function leave() {
    ended = "left";
    stopAsking();
    socket.disconnect();
  }
  return { socket, leave };
}

/** An answer of the REST API, as JSON; fails where it is none or says no. */
export async function get(path, token) {
  const answer = await fetch(path, { headers: { Authorization: "Bearer " + token } });
  if (!answer.ok) throw new Error(path + ": " + answer.status);
  return answer.json();
}
