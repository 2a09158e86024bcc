"""No block of code in the documentation is run by nothing, unless there is a reason; those are read, by language."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.code_blocks import READ, RUN, Found, found, unknown_to_the_shell
from tests.harness import ROOT

FOUND = found()
REST = [block for block in FOUND if block.read]
"""Those that are only read."""
TYPED = ("js", "jsx", "ts", "tsx")

# What an application has of its own, in the blocks that are lines of one.
GLOBALS = """
declare const url: string, token: string, orderId: number;
declare const socket: any;
declare const io: typeof import("socket.io-client").io;
declare const client: import("@ordercast/client").OrdercastClient;
declare const watched: { readonly current: { order: import("@ordercast/client").Order } };
declare const Problem: typeof import("@ordercast/client").Problem;
declare const queryClient: import("@tanstack/react-query").QueryClient;
declare const connect: typeof import("@ordercast/client").connect;
declare function getToken(): Promise<string>;
declare const useEffect: typeof import("react").useEffect;
declare const useQuery: typeof import("@tanstack/react-query").useQuery;
declare function draw(order: import("@ordercast/client").Order | null): void;
declare function banner(status: string): void;
declare function show(...what: unknown[]): void;
declare function showConflict(...what: unknown[]): void;
declare function age(...what: unknown[]): void;
declare function loadOrders(): void;
"""
OPTIONS = {
    "allowJs": True,
    "checkJs": True,
    "noEmit": True,
    "skipLibCheck": True,
    "strict": False,
    "jsx": "react-jsx",
    "module": "esnext",
    "moduleResolution": "bundler",
    "target": "esnext",
    "lib": ["esnext", "dom", "dom.iterable"],
    "types": [],
}


def test_every_block_is_run_or_there_is_a_reason() -> None:
    run = Counter(block.page for block in FOUND if not block.read)
    expected = {page: count for page, (_, count) in RUN.items()}
    assert dict(run) == expected, "run it in a test and count it in tests/code_blocks.py, or say why not in READ there"


def test_every_reason_is_of_one_block() -> None:
    assert [block.text[:60] for block in REST if len(block.read) > 1] == []
    assert {key for block in REST for key in block.read} == set(READ)


@pytest.mark.parametrize("page", RUN)
def test_the_test_that_runs_them_reads_the_page(page: str) -> None:
    text = (ROOT / RUN[page][0]).read_text("utf-8")
    package = page.startswith("web/packages/")
    assert (page.split("/")[2] if package else page.removeprefix("docs/")).rpartition("/")[2] in text


@pytest.mark.parametrize("block", [block for block in FOUND if block.language == "sh"], ids=lambda block: block.page)
def test_what_is_typed_into_a_shell(block: Found) -> None:
    """Also where it is run: our commands change, and a shell goes on after what it does not know."""
    subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
    assert unknown_to_the_shell(block.text) == []


def test_what_the_shell_would_not_know_is_found() -> None:
    said = unknown_to_the_shell(
        "ordercast serve --prot 1 && ordercast stop\nordercast webhook add x --evnt y\nmake dmeo"
    )
    assert said == ["--prot", "stop", "--evnt", "dmeo"]


def test_what_is_json() -> None:
    blocks = [block for block in FOUND if block.language == "json" and block.text.startswith("{\n")]
    assert len(blocks) > 2
    for block in blocks:
        json.loads(block.text)


def test_what_calls_our_packages_has_their_types(tmp_path: Path) -> None:
    blocks = [block for block in REST if block.language in TYPED]
    assert len(blocks) > 10
    assert wrong(tmp_path, blocks) == ""


def test_what_our_packages_do_not_have_is_found(tmp_path: Path) -> None:
    said = wrong(tmp_path, [Found("page.md", "js", "await client.changeState(17);\n")])
    assert "Property 'changeState' does not exist" in said


def wrong(folder: Path, blocks: list[Found]) -> str:
    """What TypeScript has against them."""
    (folder / "node_modules").symlink_to(ROOT / "web" / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "globals.d.ts").write_text(GLOBALS)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "include": ["*"]}))
    for number, block in enumerate(blocks):
        name = f"{Path(block.page).parent.name}-{Path(block.page).stem}-{number}.{block.language}"
        (folder / name).write_text(f"{block.text}\nexport {{}};\n")
    tsc = ROOT / "web" / "node_modules" / ".bin" / "tsc"
    done = subprocess.run([tsc, "-p", "."], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr
