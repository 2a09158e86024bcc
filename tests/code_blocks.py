"""Every block of code in the documentation, and which of them are run, by which test."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import Any

from typer.main import get_command

from ordercast.cli import app
from tests.harness import ROOT

# At the beginning of a line or after another command, up to what is not its own.
_COMMAND = re.compile(r"(?:^|&& |\| |; |\$\()(?:\S*/)?(ordercast|make)(?: -C \S+)? ([^\n|;&<>#)]*)", re.M)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)

RUN = {
    "README.md": ("tests/integration/test_readme.py", 3),
    "docs/tutorial/react.md": ("tests/browser/test_tutorial.py", 11),
    "docs/recipe.md": ("tests/integration/test_recipe_page.py", 22),
    "docs/howto/backup.md": ("tests/integration/test_restoring.py", 3),
    "docs/howto/from-nodejs.md": ("tests/integration/test_moving.py", 6),
    "docs/howto/from-python-socketio.md": ("tests/integration/test_moving.py", 3),
    "docs/howto/import.md": ("tests/integration/test_import_howto.py", 4),
    "docs/howto/other-processes.md": ("tests/integration/test_other_processes_howto.py", 4),
    "docs/howto/own-events.md": ("tests/integration/test_emit.py", 1),
    "docs/howto/own-tables.md": ("tests/integration/test_own_tables_howto.py", 7),
    "docs/howto/privacy.md": ("tests/integration/test_anonymising.py", 1),
    "docs/howto/python.md": ("tests/integration/test_python_howto.py", 5),
    "docs/howto/script-tag.md": ("tests/browser/test_script_tag.py", 4),
    "docs/howto/settings.md": ("tests/unit/test_reload.py", 2),
    "docs/howto/share.md": ("tests/integration/test_share_howto.py", 3),
    "docs/howto/webhooks.md": ("tests/integration/test_webhooks_howto.py", 6),
    "docs/reference/events.md": ("tests/unit/test_openapi.py", 20),
    "docs/reference/socketio.md": ("tests/unit/test_reference.py", 40),
    "web/packages/client/README.md": ("tests/integration/test_packed.py", 1),
    "web/packages/redux/README.md": ("tests/integration/test_packed.py", 3),
}
"""How many of a page's blocks are run, and by what: of the references, the whole programs, while lines are compiled and
their calls and values held to the code. The other blocks are in `READ`."""

READ = {
    # What it starts is the suite itself, or what others of its tests start.
    ("README.md", "make demo"): "sets the whole of it up; tests/browser/test_demo.py opens what it prints",
    ("docs/index.md", "make demo"): "the README's",
    ("CONTRIBUTING.md", "make test"): "would run itself",
    ("CONTRIBUTING.md", ".venv/bin/python -m tests.conformance"): "for suites that are fetched from elsewhere",
    ("README.md", "<script src="): "the beginning of docs/howto/script-tag.md, which is run",
    # Of a machine, or a release, that a test does not have.
    ("docs/howto/postgresql.md", "createdb"): "another machine's database; its commands are run on one of the tests'",
    (
        "docs/howto/scale.md",
        "export ORDERCAST_DATABASE_URL",
    ): "the same; tests/integration/test_workers.py runs several",
    (
        "docs/howto/settings.md",
        "ordercast --config",
    ): "on that machine's file; tests/integration/test_commands.py has others",
    ("docs/howto/settings.md", "systemctl reload"): "a service; tests/integration/test_reload.py sends the signal",
    ("docs/howto/upgrade.md", "ordercast backup"): "installs what is not out yet",
    ("docs/howto/upgrade.md", "ordercast restore"): "the end of the same",
    ("docs/howto/webhooks.md", "export ORDERCAST_HOOKS"): "a setting, which the tests give their server themselves",
    ("docs/howto/webhooks.md", "{"): "what a receiver gets; held by tests/unit/test_webhook_rules.py and its kin",
    (
        "examples/README.md",
        "token=$(ordercast token",
    ): "moves orders of the examples, which tests/browser/test_examples.py does",
    ("examples/recipe/README.md", "npm ci"): "as tests/browser/test_recipe_clients.py does",
    # Lines of an application: they name things of its own. Checked against the types of what they call.
    ("docs/howto/come-back.md", "let cursor;"): "types",
    ("docs/howto/come-back.md", 'socket.on("resync"'): "types",
    ("docs/howto/come-back.md", "const socket = io(url, { auth"): "types",
    ("docs/howto/come-back.md", "const socket = io(url, { query"): "types",
    ("docs/howto/javascript.md", "import { connect, Problem }"): "types",
    ("docs/howto/javascript.md", "async function getToken"): "types",
    ("docs/howto/javascript.md", "const client = connect"): "types",
    ("docs/howto/javascript.md", "const service = connect"): "types",
    ("docs/howto/javascript.md", "try {"): "types",
    ("docs/howto/javascript.md", "const { targets, me }"): "types",
    ("docs/howto/own-events.md", 'socket.on("courier:near"'): "types",
    (
        "web/packages/client/README.md",
        'import { connect } from "@ordercast/client";\n\nconst client = connect("https',
    ): "types",
    ("web/packages/react/README.md", "import { OrdercastProvider"): "types",
    ("web/packages/react/README.md", "import { keepQueriesLive"): "types",
}
"""Blocks that no test runs, by their beginnings, and why; each is read by its own language's reader all the same."""


@dataclass(frozen=True)
class Found:
    """A block of a page."""

    page: str
    language: str
    text: str

    @property
    def read(self) -> list[tuple[str, str]]:
        """Its entries in `READ`."""
        return [key for key in READ if key[0] == self.page and self.text.startswith(key[1])]


def pages() -> list[str]:
    """Every page that git keeps."""
    said = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return said.split()


def found() -> list[Found]:
    """Every block of every page; one without a language, or of `text`, is a drawing or what a program said."""
    return [
        Found(page, language, text)
        for page in pages()
        for language, text in _FENCE.findall((ROOT / page).read_text("utf-8"))
        if language != "text"
    ]


def unknown_to_the_shell(script: str) -> list[str]:
    """What a script asks of our commands and of `make` that they do not have."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    wrong: list[str] = []
    for program, arguments in _COMMAND.findall(script.replace("\\\n", " ")):
        words = arguments.split()
        wrong += _unknown(words) if program == "ordercast" else [word for word in words if word not in targets]
    return wrong


def _unknown(words: list[str]) -> list[str]:
    command: Any = get_command(app)
    while words[:1] in (["--config"], ["-c"]):  # of all commands, before theirs
        words = words[2:]
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    if hasattr(command, "commands"):
        return words[:1] or ["no command"]
    options = {name for one in command.params for name in one.opts}
    return [word for word in words if word.startswith("--") and word.partition("=")[0] not in options]
