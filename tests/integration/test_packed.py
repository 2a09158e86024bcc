"""The three JavaScript packages as `npm pack` makes them, in an empty folder: what their READMEs show runs in plain
Node.js, and their types resolve for TypeScript's own rules of Node.js. A Vite app: tests/browser/test_tutorial.py."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from scripts.sizes import package_sizes
from tests.harness import ROOT, ServerProcess, token

PATIENCE = 60.0  # s; bounds a failure only
PACKAGES = ROOT / "web" / "packages"

# What a developer writes against each, with mistakes that only resolved types can tell.
TYPED = """
import { connect, Problem, type Order } from "@ordercast/client";
import { OrdercastProvider, useChangeStatus, useOrder } from "@ordercast/react";
import { orderQuery } from "@ordercast/react/query";
import { ordercastSlice, watchOrder } from "@ordercast/redux";

const client = connect("http://127.0.0.1:3001", { token: async () => "t" });
const order: Order | undefined = client.watchOrder(17).current.order;
const status: string | undefined = order?.status;
// @ts-expect-error a version is a number
const version: string | undefined = order?.version;
// @ts-expect-error there is no such event
client.on("order:eaten", () => undefined);
// @ts-expect-error a token is wanted
connect("http://127.0.0.1:3001", {});
void client.call("GET", "stats", { query: undefined, body: undefined, idempotencyKey: undefined, signal: undefined });
export const useNothingYet = (chosen?: number) => useOrder(chosen).order;
export const useChange = () => useChangeStatus(undefined).changeStatus("accepted", { reason: undefined });
// @ts-expect-error an order's id is wanted
useOrder();
// @ts-expect-error an order's id is wanted
watchOrder();
const key: readonly unknown[] = orderQuery(client, 17).queryKey;
export { key, status, version, OrdercastProvider, ordercastSlice, Problem };
"""
OPTIONS = {"module": "nodenext", "lib": ["ES2023"], "types": ["node"], "strict": True, "noEmit": True}
# The strictest that an app may ask of our types; Redux Toolkit's own do not hold under it, so they are not looked at.
STRICTEST = {"exactOptionalPropertyTypes": True, "noUncheckedIndexedAccess": True, "skipLibCheck": True}


def run(*command: str, where: Path) -> str:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty Node.js project with the packed packages, and what they want beside them."""
    there = tmp_path_factory.mktemp("packed")
    where = [f"-w=packages/{name}" for name in ("client", "react", "redux")]
    run("npm", "pack", "--silent", f"--pack-destination={there}", *where, where=ROOT / "web")
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))["packages"]
    beside = [
        f"{name}@{locked[f'node_modules/{name}']['version']}"
        for name in ("@reduxjs/toolkit", "@tanstack/react-query", "@types/react", "react", "typescript")
    ]
    (there / "package.json").write_text('{"name": "shop", "private": true, "type": "module"}')
    packed = [str(path) for path in sorted(there.glob("*.tgz"))]
    assert len(packed) == 3
    quiet = ("--silent", "--no-audit", "--no-fund", "--prefer-offline")
    run("npm", "install", *quiet, "@types/node@20", *beside, *packed, where=there)
    return there


@pytest.mark.parametrize("more", [{}, STRICTEST], ids=["libraries_too", "strictest"])
def test_types_resolve(folder: Path, more: dict[str, bool]) -> None:
    (folder / "shop.ts").write_text(TYPED)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS | more, "files": ["shop.ts"]}))
    run("npx", "--no-install", "tsc", "-p", ".", where=folder)


def test_nothing_but_what_was_built_is_packed(folder: Path) -> None:
    for name in ("client", "react", "redux"):
        there = folder / "node_modules" / "@ordercast" / name
        files = {str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()}
        assert {"package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"} <= files
        others = {"package.json", "README.md", "LICENSE"} | ({"query/package.json"} if name == "react" else set())
        assert all(file.endswith((".js", ".d.ts")) for file in files - others)
        wanted = json.loads((there / "package.json").read_text("utf-8")).get("dependencies", {})
        assert wanted.keys() == ({"socket.io-client"} if name == "client" else set())


@pytest.mark.parametrize("entry", ["client", "react", "react/query", "redux"])
def test_who_reads_no_exports_finds_it(folder: Path, entry: str) -> None:
    """As TypeScript's ``node10``, Jest's older ones and React Native before 0.79 look."""
    there = folder / "node_modules" / "@ordercast" / entry
    package = json.loads((there / "package.json").read_text("utf-8"))
    assert (there / package["main"]).resolve().suffix == ".js"
    assert (there / package["main"]).is_file()
    assert (there / package["types"]).is_file()
    run("node", "-e", f"require.resolve('@ordercast/{entry.partition('/')[0]}/package.json')", where=folder)


def test_a_server_component_may_name_the_provider(folder: Path) -> None:
    """Next.js takes no ``createContext`` on a server but behind this line; a query's options are for both."""
    built = {
        name: (folder / "node_modules/@ordercast/react/dist" / f"{name}.js").read_text("utf-8")
        for name in ("index", "query")
    }
    client = re.compile(r'(/\*.*?\*/\s*)*"use client";', re.S)
    assert client.match(built["index"])
    assert not client.match(built["query"])


def test_what_an_app_pays() -> None:
    """As docs/howto/javascript.md says; 3 % for a patch of the Socket.IO client or the bundler."""
    said = (ROOT / "docs/howto/javascript.md").read_text("utf-8")
    figures = dict(re.findall(r"^\| `([@/.\w-]+)` +\| ([\d.]+) kB", said, re.M))
    for name, size in package_sizes().items():
        assert size / 1000 == pytest.approx(float(figures[name]), rel=0.03), name


def examples(package: str) -> list[str]:
    """The JavaScript of a package's README."""
    return re.findall(r"^```js\n(.*?)^```", (PACKAGES / package / "README.md").read_text("utf-8"), re.M | re.S)


@asynccontextmanager
async def node(folder: Path, program: str, **environment: str) -> AsyncIterator[asyncio.StreamReader]:
    """A program in this folder; what it prints, errors too."""
    (folder / "main.js").write_text(program)
    command = ["env", *(f"{name}={value}" for name, value in environment.items()), "node", "main.js"]
    output = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=output, stderr=asyncio.subprocess.STDOUT, stdin=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.wait()


async def says(output: asyncio.StreamReader, wanted: str) -> None:
    """Waits for a line."""
    heard: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while wanted not in heard:
            line = await output.readline()
            assert line, "".join(heard)
            heard.append(line.decode().rstrip())


async def test_the_example_for_node(folder: Path, fresh_server: ServerProcess) -> None:
    async with fresh_server.api() as api:
        await api.create(orderId=17)
        example = examples("client")[1].replace("http://127.0.0.1:3001", fresh_server.url)
        async with node(folder, example, SERVICE_TOKEN=token("ana", "operator")) as output:
            await says(output, "1 to do")
            async with asyncio.timeout(PATIENCE):
                while (await api.get("/api/orders/17"))["status"] != "accepted":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await api.create(orderId=18)
            await says(output, "2 to do")


async def test_the_example_for_a_redux_store(folder: Path, fresh_server: ServerProcess) -> None:
    """The README's store as it is written, with the shop's own slice beside it and a line that tells."""
    own = f"""
    import {{ createSlice }} from "@reduxjs/toolkit";
    const authSlice = createSlice({{ name: "auth", initialState: {{ token: "{token(42)}" }}, reducers: {{}} }});
    """
    tell = "store.subscribe(() => console.log(selectOrder(store.getState(), 17)?.status));"
    async with fresh_server.api() as api:
        await api.create(orderId=17)
        program = own + examples("redux")[0].replace("https://shop.example", fresh_server.url) + tell
        async with node(folder, program) as output:
            await says(output, "received")
            await api.patch(17, status="accepted")
            await says(output, "accepted")


async def test_without_a_dom(folder: Path, fresh_server: ServerProcess) -> None:
    """All packages with React Native's globals alone: a socket, REST where none gets through, and back when the network
    or the person is. What is left running at the end would keep the program from ending."""
    async with fresh_server.api() as api:
        await api.create(orderId=17)
    command = [
        "node",
        str(ROOT / "tests/clients/native.mjs"),
        str(folder),
        fresh_server.url,
        token(42),
        token("shop", "service"),
    ]
    said = await asyncio.to_thread(run, *command, where=folder)
    assert said.splitlines()[-1] == "live ready ready"
