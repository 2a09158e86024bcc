"""scripts/audit.py: what it makes of the auditors' answers, and that it claims nothing where there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from scripts import audit
from scripts.audit import Report, ask, read_npm_audit, read_pip_audit, summary

PIP = {
    "dependencies": [
        {"name": "good", "version": "1.0", "vulns": []},
        {
            "name": "bad",
            "version": "2.0",
            "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}, {"id": "GHSA-2", "fix_versions": []}],
        },
        {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited"},
    ],
    "fixes": [],
}
NPM = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "bad": {"severity": "high", "via": [{"title": "Opens doors"}], "range": "<2"},
        "worse": {"severity": "high", "via": ["bad"], "range": "*"},
    },
    "metadata": {"dependencies": {"prod": 40}},
}
NO_ANSWER = {"message": "405 Method Not Allowed", "statusCode": 405, "error": {"summary": ""}}


def says(text: str, errors: str = "", status: int = 0) -> tuple[str, ...]:
    """A command that says this."""
    code = f"import sys; sys.stdout.write({text!r}); sys.stderr.write({errors!r}); sys.exit({status})"
    return (sys.executable, "-c", code)


def test_holes_and_what_was_not_looked_at() -> None:
    report = read_pip_audit(PIP)
    assert report == Report(
        ["bad 2.0: PYSEC-1, mended in 2.1", "bad 2.0: GHSA-2, mended in no version yet"], ["unknown"], 2
    )
    assert summary("Python", report) == [
        "HOLE         bad 2.0: PYSEC-1, mended in 2.1",
        "HOLE         bad 2.0: GHSA-2, mended in no version yet",
        "NOT CHECKED  Python: the service could not tell of 1 packages (unknown)",
        "checked      Python: 2 packages, 2 known holes",
    ]
    assert read_npm_audit(NPM) == Report(["bad <2: Opens doors (high)", "worse *: bad (high)"], [], 40)


def test_where_nothing_could_be_asked_nothing_is_claimed() -> None:
    nothing = read_pip_audit({"dependencies": [{"name": n, "skip_reason": "not found"} for n in "abcd"]})
    (line,) = summary("Python", nothing)
    assert line == "NOT CHECKED  Python: the service could not tell of 4 packages (a, b, c …)"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (says(""), "it ended with 0"),
        (says("", "\nnpm warn audit 405 Method Not Allowed\nmore\n", 1), "405 Method Not Allowed"),
        (says(str(NO_ANSWER).replace("'", '"'), "", 1), "it ended with 1"),
        (says("[]"), "it ended with 0"),
        (says("null"), "it ended with 0"),
        (("/no/such/program",), "No such file"),
        ((sys.executable, "-c", "import time; time.sleep(600)"), "no answer within"),
    ],
)
def test_why_it_could_not_be_asked(
    command: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "TIMEOUT", 1.0 if "sleep" in command[-1] else 60.0)
    said = ask(command, tmp_path, read_npm_audit)
    assert isinstance(said, str)
    assert why in said
    (line,) = summary("JavaScript", said)
    assert line.startswith("NOT CHECKED  JavaScript")


@pytest.mark.parametrize(("python", "status"), [(Report(["bad"], [], 1), 1), (Report([], [], 1), 0), ("no network", 0)])
def test_only_a_hole_fails_the_check(python: Any, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ask", lambda command, folder, read: python if read is read_pip_audit else "no network")
    assert audit.main() == status
