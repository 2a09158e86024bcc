"""The files of `deploy/`: that they fit each other, the settings and the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ordercast.config import Settings, load_settings
from ordercast.config_environment import unknown_settings
from tests.harness import ROOT

DEPLOY = ROOT / "deploy"
GIVEN = {"ORDERCAST_JWT_SECRET": "s" * 32, "POSTGRES_PASSWORD": "p4ss"}
"""What compose.yaml asks of whoever starts it."""

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """compose.yaml as Compose reads it, without the variables filled in."""
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def nodes(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its services that are nodes, by name."""
    return {name: service for name, service in compose["services"].items() if name.startswith("node")}


def filled(text: str, given: dict[str, str]) -> str:
    """With variables in the place of ``${NAME}``, as Compose does it. Raises KeyError for one that must be given."""

    def value(found: re.Match[str]) -> str:
        name, operator, default = found.groups()
        return given.get(name, default) if operator == "-" else given[name]

    return _VARIABLE.sub(value, text)


def settings(service: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a service of Ordercast makes of its environment."""
    for name, text in service["environment"].items():
        monkeypatch.setenv(name, filled(text, GIVEN))
    assert unknown_settings() == []
    return load_settings()


@pytest.mark.parametrize("name", ["migrate", "node1", "node2", "node3"])
def test_services_have_settings_that_serve_takes(
    compose: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = settings(compose["services"][name], monkeypatch)
    assert made.may_have_nodes
    assert made.redis_url == "redis://redis:6379/0"
    assert made.jwt_secret == ("s" * 32,)


@pytest.mark.parametrize("missing", sorted(GIVEN))
def test_no_secret_has_a_default(compose: dict[str, Any], missing: str) -> None:
    given = {name: value for name, value in GIVEN.items() if name != missing}
    with pytest.raises(KeyError, match=missing):
        [filled(text, given) for text in compose["x-settings"].values()]


def test_nodes_are_where_nginx_and_other_nodes_look_for_them(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = []
    for node in nodes(compose).values():
        made = settings(node, monkeypatch)
        address = node["networks"]["nodes"]["ipv4_address"]
        assert made.node_address == f"http://{address}:{made.port}"
        there.append(f"{address}:{made.port}")
    conf = (DEPLOY / "nginx" / "ordercast.conf").read_text()
    assert re.findall(r"^ +server ([\d.:]+)", conf, re.MULTILINE) == there


def test_nodes_believe_nginx_alone(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    nginx = compose["services"]["nginx"]["networks"]["nodes"]["ipv4_address"]
    for node in nodes(compose).values():
        assert settings(node, monkeypatch).trusted_proxies == (nginx,)


def test_nodes_have_names_of_their_own(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    names = [settings(node, monkeypatch).node_name for node in nodes(compose).values()]
    assert len(set(names)) == len(names) == 3


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    images = re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    images += [service["image"] for service in compose["services"].values() if "build" not in service]
    assert len(images) == 6
    for image in images:
        assert re.fullmatch(r"\w+:\d+\.\d+(\.\d+)?-[\w-]*bookworm(-slim)?", image), image


def test_mounted_files_are_there(compose: dict[str, Any]) -> None:
    mounts = [mount.split(":") for service in compose["services"].values() for mount in service.get("volumes", ())]
    files = [DEPLOY / source for source, *_ in mounts if source.startswith(".")]
    assert files
    assert all(file.is_file() for file in files)
    assert {source for source, *_ in mounts if not source.startswith(".")} == set(compose["volumes"])


def test_nothing_but_nginx_is_published(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["nginx"]


def test_a_node_has_time_to_leave(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for node in nodes(compose).values():
        assert float(node["stop_grace_period"].removesuffix("s")) >= settings(node, monkeypatch).drain_time + 10


def test_the_image_does_not_run_as_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM"))
    assert "USER ordercast" in lines[last:]


def test_what_the_image_copies_is_in_the_build() -> None:
    """`.dockerignore` leaves out all but what it names."""
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert "src" in copied
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == taken
    assert all(Path(ROOT, source).exists() for source in copied)
