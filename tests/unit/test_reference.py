"""docs/reference/socketio.md says what there is, all of it, and its examples work."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import socketio as python_socketio

from ordercast import socketio
from ordercast.engineio import Options, disconnects
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.request import Request
from ordercast.socketio import BroadcastOperator, DynamicNamespace, Handshake, Namespace, Server, Socket
from ordercast.socketio.packet import RESERVED
from scripts.site.inside import INSIDE
from tests.harness import ROOT, ServerProcess

TEXT = (ROOT / "docs" / "reference" / "socketio.md").read_text()
WAIT = 60.0  # s; bounds a failure only


def section(title: str) -> str:
    """The text below a heading, to the next one of its level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    assert found is not None, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[2:]]


def blocks() -> list[str]:
    """The Python in it."""
    return re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)


def an_instance(cls: type) -> Any:
    """One of the class, for what its instances alone have."""
    server = Server()
    session: Any = type("Session", (), {"request": Request("/", b"", ())})()
    made: dict[type, Any] = {
        Server: server,
        Namespace: server.of("/"),
        DynamicNamespace: server.of(re.compile("/x")),
        BroadcastOperator: server.to("room"),
        Socket: Socket(server.of("/"), session, "id", {}),
        Handshake: Handshake(session.request, {}),
    }
    return made[cls]


def names(cls: type) -> set[str]:
    """What applications may use of a class."""
    return {name for name in dir(an_instance(cls)) if not name.startswith("_")} - INSIDE[cls]


# -- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", INSIDE)
def test_every_name_is_there(cls: type) -> None:
    text = section(f"`{cls.__name__}`")
    elsewhere = names(Namespace) | INSIDE[Namespace] if cls is DynamicNamespace else set()
    expected = names(cls) - elsewhere
    assert expected
    assert {name for name in expected if not re.search(rf"`(\w+\.|await )?{name}\b[^`]*`", text)} == set()


@pytest.mark.parametrize("cls", INSIDE)
def test_what_is_left_out_is_there_to_be_left_out(cls: type) -> None:
    assert {name for name in INSIDE[cls] if not hasattr(an_instance(cls), name)} == set()


def test_every_export_has_its_place() -> None:
    assert {name for name in socketio.__all__ if f"`{name}`" not in TEXT and f"**`{name}" not in TEXT} == set()


def test_what_a_server_offers_for_the_root() -> None:
    """All of a namespace's but what is said to be missing."""
    missing = {name for name in names(Namespace) if not hasattr(an_instance(Server), name)}
    assert missing == {"listeners", "latest_of", "name", "server", "rooms", "delivered", "closing"}


def test_signatures() -> None:
    """Those with defaults, word for word."""
    for cls, call in (
        (Server, "close(grace=2.0, spread=0.0)"),
        (BroadcastOperator, "emit_with_ack(event, *args, timeout=10.0)"),
        (BroadcastOperator, "disconnect_sockets(close=False, *, why=SERVER_DISCONNECT)"),
        (Socket, "emit_with_ack(event, *args, timeout=10.0)"),
        (Socket, "emit(event, *args, ack=None)"),
        (Socket, "disconnect(close=False, *, why=SERVER_DISCONNECT)"),
        (Namespace, "off(event, listener=None)"),
        (Namespace, "off_any(listener=None)"),
        (Namespace, "use(middleware)"),
        (Namespace, "server_side_emit_with_ack(event, *args, timeout=None)"),
    ):
        name = call.partition("(")[0]
        parameters = list(inspect.signature(getattr(cls, name)).parameters.values())[1:]
        bare = inspect.Signature([one.replace(annotation=inspect.Parameter.empty) for one in parameters])
        assert str(bare).replace(repr(disconnects.SERVER_DISCONNECT), "SERVER_DISCONNECT") == call[len(name) :]
        assert f"{call}`" in section(f"`{cls.__name__}`") or f"{call} ->" in section(f"`{cls.__name__}`"), call


def test_the_names_it_maps_to_are_there() -> None:
    ours = " ".join(row[2] for row in rows("Coming from Node.js or python-socketio"))
    used = set(re.findall(r"\b(io|socket|socket\.handshake)\.(\w+)", ours)) - {("socket", "io")}
    used |= {("io", name) for name in re.findall(r", `(\w+_\w+)`", ours) if name != "skip_sid"}
    assert len(used) > 30
    owners = {"io": Server, "socket": Socket, "socket.handshake": Handshake}
    assert {(of, name) for of, name in used if name not in names(owners[of])} == set()
    options = set(re.findall(r"`(\w+)=[^`]*`", ours))
    assert options <= {row[0].strip("`") for row in rows("Options")}


# -- tables ---------------------------------------------------------------------------------------------------


def test_every_option_with_its_default() -> None:
    expected = {field.name: field.default for field in dataclasses.fields(Options)}
    for parameter in inspect.signature(Server.__init__).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            expected[parameter.name] = parameter.default
    assert {row[0].strip("`"): ast.literal_eval(row[1].strip("`")) for row in rows("Options")} == expected


def test_times_and_sizes_have_their_units() -> None:
    units = {row[0].strip("`"): row[2] for row in rows("Options")}
    for name, unit in units.items():
        timed = name.endswith(("_timeout", "_interval", "_time")) or name == "linger"
        sized = name.endswith("_bytes") or name in ("max_payload", "max_head")
        assert unit == ("s" if timed else "bytes" if sized else "per s" if name.endswith("_rate") else ""), name


def test_every_reason_with_its_close_code_and_whether_the_client_comes_back() -> None:
    def row(why: Disconnect) -> tuple[str, str, str]:
        unheard = why.silent and why is not disconnects.SLOW_CONSUMER
        return f"`{why.reason}`", "none" if unheard else str(why.close_code), "yes" if why.returns else "no"

    found = {(reason, code, returns) for reason, code, _, returns, _ in rows("How a connection ends")}
    assert found == {row(why) for why in disconnects.ALL}


def test_the_reserved_names() -> None:
    assert {name for name in RESERVED if f"`{name}`" not in section("`BroadcastOperator`")} == set()


# -- code -----------------------------------------------------------------------------------------------------


def test_every_piece_of_code_compiles_and_calls_what_is_there() -> None:
    assert len(blocks()) >= 30
    owners = {"io": Server, "socket": Socket, "kitchen": Namespace, "namespace": Namespace, "shops": DynamicNamespace}
    unknown = set()
    for block in blocks():
        tree = compile(block, "socketio.md", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in owners:
                owner = node.value.id
                if node.attr not in names(owners[owner]):
                    unknown.add((owner, node.attr))
    assert unknown == set()


def test_every_call_has_an_example() -> None:
    code = "\n".join(blocks())
    shown = set(re.findall(r"\.(\w+)\(", code)) | set(re.findall(r"\.(\w+)\b", code))
    calls = {name for cls in (Server, BroadcastOperator, Socket) for name in names(cls) if callable_of(cls, name)}
    assert calls - shown - {"in_", "sockets_leave", "local", "listeners"} == set()


def callable_of(cls: type, name: str) -> bool:
    """Whether it is a method of the class itself."""
    return inspect.isfunction(inspect.getattr_static(cls, name, None))


EXAMPLES = {re.match(r"# (\w+)\.py\n", block)[1]: block for block in blocks() if block.startswith("# ")}  # type: ignore[index]


def test_the_whole_examples() -> None:
    assert set(EXAMPLES) == {"chat", "shop", "api"}


@pytest.mark.parametrize(
    ("name", "command", "path", "fast"),
    [
        ("chat", ("chat",), "/socket.io/", True),
        ("chat", ("hypercorn", "chat:io", "--workers", "0", "--graceful-timeout", "0"), "/socket.io/", False),
        ("chat", ("uvicorn", "chat:io", "--timeout-graceful-shutdown", "1"), "/socket.io/", False),
        ("shop", ("shop",), "/live/socket.io/", True),
        ("api", ("api",), "/socket.io/", True),
    ],
)
async def test_the_examples_work(name: str, command: tuple[str, ...], path: str, fast: bool, tmp_path: Path) -> None:
    source = EXAMPLES[name]
    assert "port=8000" in source
    (tmp_path / f"{name}.py").write_text(source.replace("port=8000", "port=0"))
    auth = {"token": "a secret"} if "use" in source else None
    with ServerProcess(tmp_path, command=command, pythonpath=str(tmp_path)) as server:
        for transport in ("websocket", "polling"):
            said: asyncio.Queue[str] = asyncio.Queue()
            speaker, hearer = (python_socketio.AsyncClient(reconnection=False) for _ in range(2))
            hearer.on("said", said.put_nowait)
            for client in (hearer, speaker):
                await client.connect(server.url, auth=auth, transports=[transport], socketio_path=path)
            assert await speaker.call("say", "hello", timeout=WAIT) == "said hello"
            async with asyncio.timeout(WAIT):
                assert await said.get() == "hello"
            for client in (hearer, speaker):
                await client.disconnect()
        if "hypercorn" not in command:
            assert ("[accepted]" in server.log) is not fast, "uvicorn's own word for a WebSocket through ASGI"
        if name == "api":
            await who_is_refused(server)
        assert "Traceback" not in server.log


async def who_is_refused(server: ServerProcess) -> None:
    """The middleware's words reach the client."""
    refused: asyncio.Queue[Any] = asyncio.Queue()
    client = python_socketio.AsyncClient(reconnection=False)
    client.on("connect_error", refused.put_nowait)
    with pytest.raises(python_socketio.exceptions.ConnectionError):
        await client.connect(server.url, auth={"token": "none"}, transports=["websocket"])
    async with asyncio.timeout(WAIT):
        assert await refused.get() == {"message": "Who are you?", "data": {"code": 401}}
