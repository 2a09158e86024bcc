"""What a connection costs: CPU to let it in, memory to keep it."""

from __future__ import annotations

from bench.contenders import BUN, NODE, ORDERCAST, PYTHON_SOCKETIO, Running, running
from bench.crowd import Crowd, operators
from bench.http import Connection
from bench.loop import Loop, loaded
from bench.scenario import Column, Figures, Goal, Round, Scenario

WARM = 200
CLIENTS = 1_000
MORE = 3_000


def measure(round: Round) -> Figures:
    """One round on one server."""
    first, more = round.size(CLIENTS, 500), round.size(MORE, 1_000)
    loop = Loop()
    with running(round.contender) as server:
        crowd = Crowd(loop, server.port)
        control = Connection(loop, server.port)
        crowd.connect(operators(WARM))
        tokens, later = operators(first, WARM), operators(more, WARM + first)
        empty = _settled(loop, control, server)
        crowd.connect(tokens)
        some = _settled(loop, control, server)
        before = server.cpu_seconds()
        with loaded() as load:
            crowd.connect(later)
        cpu = server.cpu_seconds() - before
        many = _settled(loop, control, server)
        crowd.check()
        crowd.close()
    loop.close()
    return {
        "CPU ms per connect": 1000 * cpu / more,
        "connects/s": more / load.seconds,
        "kB per connection": (some - empty) / first / 1000,
        "kB, the next 3,000": (many - some) / more / 1000,
        "load's CPU %": 100 * load.share,
    }


def _settled(loop: Loop, control: Connection, server: Running) -> int:
    """Bytes in use once the connects are over and their garbage is collected."""
    loop.rest(0.3)
    control.call("POST", "/bench/collect")
    loop.rest(0.3)
    return server.resident()


SCENARIO = Scenario(
    name="connects",
    title=f"{CLIENTS:,} to {WARM + CLIENTS + MORE:,} operators connect and stay",
    contenders=(ORDERCAST, NODE, BUN, PYTHON_SOCKETIO),
    columns=(
        Column("CPU ms per connect", 3),
        Column("connects/s", 0, higher_is_better=True),
        Column("kB per connection"),
        Column("kB, the next 3,000"),
        Column("load's CPU %", 0),
    ),
    measure=measure,
    goals=(
        Goal("memory per idle, authenticated, joined connection (kB)", "kB per connection", 8, stretch=4),
        Goal("the same, against Node.js", "kB per connection", 0.3, NODE),
        Goal("server CPU per authenticated connect", "CPU ms per connect", 0.4, NODE, stretch=0.25),
    ),
    plots=("CPU ms per connect", "kB per connection"),
    method=f"""\
After {WARM} operators have warmed the server up, {CLIENTS:,} more connect and then {MORE:,}, at most 50 at a time:
the WebSocket handshake, the Socket.IO CONNECT with a token of their own, the answer to it. *CPU* is the user and
system time that all threads of the server took for the last {MORE:,}, divided by their number. *Memory* is the
growth of the process's resident set over the first {CLIENTS:,} and over the last {MORE:,}, each read after a full
garbage collection (which favours servers with much garbage); what the kernel keeps per socket is in neither.""",
    verdict="""\
We lose to Bun in CPU per connect: its HTTP parser, its WebSocket handshake and its event loop are compiled, ours
are compiled only in part (httptools, uvloop, the hash). What is left is uvicorn's request, the handshake's headers,
the token and Python objects for the session. Memory is the other way round: what we keep per connection is a
session, a socket and their rooms, in slots, with no task and no timer of their own.

Node.js varies most in memory, since its heap grows in steps and gives back when it likes.""",
)
