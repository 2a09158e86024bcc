"""The settings file: TOML, with the environment's names in lower case and without their prefix.

Lists and tables may be written as such, or as the text that the environment has. Paths are relative to the file's
folder, as its author sees them; a database's URL is what it is in the environment.
"""

from __future__ import annotations

import difflib
import stat
import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic_settings import BaseSettings, InitSettingsSource

from ordercast.errors import SettingsError

chosen: Final[ContextVar[Path | None]] = ContextVar("ordercast_config", default=None)
"""The file that the command line names, for all that it runs."""


@dataclass(slots=True)
class Record:
    """Where settings come from, by their names: ``option``, ``environment``, or the file's path; and which of the
    file's are ``overruled``."""

    given: dict[str, str] = field(default_factory=dict)
    overruled: list[str] = field(default_factory=list)


record: Final[ContextVar[Record | None]] = ContextVar("ordercast_record", default=None)
"""Takes it down while settings are read, where there is somebody who asks."""

_PATHS = ("workflow", "jwt_public_key")


class FileSource(InitSettingsSource):
    """What the file says of settings that neither options nor environment have said anything about. Raises
    `SettingsError`."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls, init_kwargs={})

    def __call__(self) -> dict[str, Any]:
        named = self.current_state.get("config")
        path = Path(named) if named else None
        values = read_file(path, self.settings_cls) if path else {}
        # Under the names by which pydantic has them: some have an alias.
        found = InitSettingsSource(self.settings_cls, init_kwargs=values)()
        if (asked := record.get()) is not None:
            asked.overruled += sorted(_field(name) for name in found if name in self.current_state)
            asked.given |= dict.fromkeys(map(_field, found), str(path))
            asked.given |= {_field(name): "environment" for name in self.settings_sources_data["EnvSettingsSource"]}
            asked.given |= {_field(name): "option" for name in self.settings_sources_data["InitSettingsSource"]}
        # Left out rather than overruled, since pydantic would put two tables of one name together.
        return {name: value for name, value in found.items() if name not in self.current_state}


def _field(name: str) -> str:
    return name.lower().removeprefix("ordercast_")


def read_file(path: Path, settings: type[BaseSettings]) -> dict[str, Any]:
    """What a file says, by the fields' names, not validated yet. An empty text counts as not there, as in the
    environment. Raises `SettingsError`, which names file and key."""
    try:
        values = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}): correct --config or ORDERCAST_CONFIG, or the file's owner and "
            "mode"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is no UTF-8 text; write the settings file as TOML") from None
    except (ValueError, RecursionError) as error:  # also a number of 5,000 digits, and 1,000 brackets
        raise SettingsError(f"{path} is not TOML: {error}") from None
    names = [name for name in settings.model_fields if name != "config"]
    if unknown := [_unknown(key, names) for key in values if key not in names]:
        raise SettingsError("; ".join(f"{path}: {sentence}" for sentence in unknown))
    for name, value in values.items():
        if isinstance(value, bool) and settings.model_fields[name].annotation is not bool:
            raise SettingsError(f"{path}: {name}: must not be {str(value).lower()}, which only a switch can be")
    found = {name: value for name, value in values.items() if value != ""}
    return found | {name: _beside(path, found[name]) for name in _PATHS if name in found}


def _unknown(key: str, names: Collection[str]) -> str:
    if key == "config":
        return "config: a file cannot name another one; leave it out"
    close = difflib.get_close_matches(_field(key.replace("-", "_")), names, n=1)
    hint = f"; did you mean {close[0]}?" if close else "; docs/reference/settings.md has them all"
    return f"{key!r} is no setting{hint}"


def _beside(path: Path, value: Any) -> Any:
    """A path that is relative to the file's folder; a key that is written out stays as it is."""
    if not isinstance(value, str) or "-----BEGIN" in value:
        return value
    return str(path.parent / Path(value).expanduser())


def exposed(path: Path, settings: BaseSettings, given: Mapping[str, str]) -> str | None:
    """A sentence where everyone on this machine can change the file, or read one with secrets. ``given`` as `Record`
    has it."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    mend = "chmod 640, with the server's group as its group"
    if mode & stat.S_IWOTH:
        return f"{path} can be changed by everyone on this machine: {mend}"
    held = [name for name in secrets_of(settings) if given.get(name) == str(path)]
    if not mode & stat.S_IROTH or not held:
        return None
    return f"{path} holds {', '.join(held)} and can be read by everyone on this machine: {mend}"


def secrets_of(settings: BaseSettings) -> Iterator[str]:
    """The settings that hold a secret now."""
    for name, info in type(settings).model_fields.items():
        value = getattr(settings, name)
        if not info.repr and value and (not isinstance(value, str) or _has_secret(name, value)):
            yield name


def _has_secret(name: str, value: str) -> bool:
    """Whether there is one in a text: an address has none where it has no password, in its query neither."""
    if not name.endswith("_url"):
        return True
    # Not by taking the address apart, which ends at a / or # that the password has unescaped.
    user, at, _ = value.partition("://")[2].rpartition("@")
    return bool(at and ":" in user) or "?" in value
