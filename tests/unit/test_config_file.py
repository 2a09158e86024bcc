"""The settings file: what it may say, what counts before it, and the words where something is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings, load, load_settings
from ordercast.config_catalogue import SETTINGS
from ordercast.config_changes import changes
from ordercast.errors import SettingsError

A, B, C = "a" * 40, "b" * 40, "c" * 40
HOOK = "whsec_" + "A" * 32


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without our variables, in the file's folder."""
    for name in os.environ:
        if name.upper().startswith("ORDERCAST_") or name.upper() == "JWT_SECRET":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write(text: str, mode: int = 0o600) -> Path:
    """The file."""
    path = Path("shop.toml")
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("port = 4000", "port", 4000),
        ("ping_interval = 0.5", "ping_interval", 0.5),
        ("allow_eio3 = false", "allow_eio3", False),
        ('shop_name = "Café Süß"', "shop_name", "Café Süß"),
        ('cors_origins = ["https://a", "https://b"]', "cors_origins", ("https://a", "https://b")),
        ('cors_origins = "https://a, https://b"', "cors_origins", ("https://a", "https://b")),
        (f'jwt_secret = "{A},{B}"', "jwt_secret", (A, B)),
        (f'jwt_secret = ["{A}", "{B}"]', "jwt_secret", (A, B)),
        ('[status_map]\nSHIPPED = "ready"', "status_map", {"SHIPPED": "ready"}),
        ('status_map = "SHIPPED=ready"', "status_map", {"SHIPPED": "ready"}),
        ('jwt_role_map = {boss = "admin"}', "jwt_role_map", {"boss": "admin"}),
        (f'[hooks]\npos = "{HOOK}"', "hooks", {"pos": (HOOK,)}),
        (f'hooks = \'{{"pos": "{HOOK}"}}\'', "hooks", {"pos": (HOOK,)}),
        (f'hooks = \'{{"pos": ["{HOOK}", "{HOOK}"]}}\'', "hooks", {"pos": (HOOK, HOOK)}),
        (f'[hooks]\npos = ["{HOOK}", "{HOOK}"]', "hooks", {"pos": (HOOK, HOOK)}),
        ("webhook_retries = [1, 2.5]", "webhook_retries", (1, 2.5)),
        ('database_url = "postgresql://h/d"', "database_url", "postgresql+asyncpg://h/d"),
        ('shop_name = ""', "shop_name", None),
        ("", "port", 3001),
        ('workflow = "flow.toml"', "workflow", Path("flow.toml")),
        ('workflow = "/etc/flow.toml"', "workflow", Path("/etc/flow.toml")),
    ],
)
def test_what_it_may_say(text: str, name: str, value: Any) -> None:
    assert getattr(load_settings(config=write(text)), name) == value


def test_paths_are_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write('workflow = "flow.toml"\njwt_public_key = "keys/one.pem"\njwt_issuer = "i"\njwt_audience = "a"')
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = load_settings(config=tmp_path / "shop.toml")
    assert found.workflow == tmp_path / "flow.toml"
    assert found.jwt_public_key == str(tmp_path / "keys" / "one.pem")
    pem = "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"
    (tmp_path / "shop.toml").write_text(f"jwt_public_key = '''{pem}'''\njwt_issuer = 'i'\njwt_audience = 'a'")
    assert load_settings(config=tmp_path / "shop.toml").jwt_public_key == pem


def test_options_count_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(f'port = 1\nmax_watches = 1\nmax_body = 1\njwt_secret = "{A}"\nstatus_map = {{A = "ready"}}')
    monkeypatch.setenv("ORDERCAST_CONFIG", str(path))
    monkeypatch.setenv("ORDERCAST_PORT", "2")
    monkeypatch.setenv("ORDERCAST_MAX_WATCHES", "2")
    monkeypatch.setenv("ORDERCAST_SHOP_NAME", "")
    monkeypatch.setenv("JWT_SECRET", B)
    loaded = load(port=3, status_map={"B": "ready"}, host=None)
    found = loaded.settings
    assert (found.port, found.max_watches, found.max_body) == (3, 2, 1)
    assert found.jwt_secret == (B,)
    assert found.status_map == {"B": "ready"}, "not put together"
    assert {(name, source) for name, _, source in loaded.described()} == {
        ("port", "--port"),
        ("max_watches", "ORDERCAST_MAX_WATCHES"),
        ("max_body", "shop.toml"),
        ("jwt_secret", "JWT_SECRET"),
        ("status_map", "--status-map"),
    }
    assert "max_body" in {name for name, value, _ in loaded.described() if value == "1"}
    assert not any(A in value or B in value for _, value, _ in loaded.described())
    assert loaded.notes() == [
        "jwt_secret in shop.toml counts for nothing: JWT_SECRET overrules it",
        "max_watches in shop.toml counts for nothing: ORDERCAST_MAX_WATCHES overrules it",
        "port in shop.toml counts for nothing: --port overrules it",
        "status_map in shop.toml counts for nothing: --status-map overrules it",
    ]


def test_an_option_names_another_file_and_settings_alone_read_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERCAST_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"^nowhere.toml cannot be read \(No such file"):
        Settings()
    path = write("port = 4000")
    assert load_settings(config=path).port == 4000
    monkeypatch.setenv("ORDERCAST_CONFIG", str(path))
    assert Settings().port == 4000
    assert Settings(port=1).port == 1
    assert load_settings({"port": 5}).port == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "'prot' is no setting; did you mean port?"),
        ("CORS-Origins = 1", "did you mean cors_origins?"),
        ("ORDERCAST_PORT = 1", "did you mean port?"),
        ("[ordercast]\nport = 1", "'ordercast' is no setting"),
        ("zzzzz = 1", "'zzzzz' is no setting; docs/reference/settings.md has them all"),
        ('config = "other.toml"', "a file cannot name another one"),
        ("port = 70000", "port: Input should be less than or equal to 65535"),
        ('port = "http"', "port: Input should be a valid integer"),
        ("port = true", "port: must not be true"),
        ("shop_name = 5", "shop_name: Input should be a valid string"),
        ('jwt_secret = "hunter2"', "jwt_secret: must be at least 32 bytes"),
        ('[hooks]\npos = "hunter2"', "hooks: the secret of pos is none"),
        (f'[hooks]\n"My Shop" = "{HOOK}"', "hooks: must be written as .*, names with up to 32 of a-z"),
        ("[hooks]\npos = []", "hooks: pos has no secret"),
        ('[status_map]\nSHIPPED = "ready"\nport = 3001', "status_map: Input should be a valid string"),
        ("port 1", " is not TOML: .*line 1"),
        ("port = 1\nport = 2", " is not TOML: "),
        (f"port = {'1' * 5_000}", " is not TOML: "),
        (f"port = {'[' * 3_000}", " is not TOML: "),
    ],
)
def test_what_is_wrong_is_said_with_file_and_key(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=rf"^shop\.toml(: )?{words}|^shop\.toml: .*{words}") as caught:
        load_settings(config=write(text))
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_may_begin_with_a_byte_order_mark() -> None:
    assert load_settings(config=write("\ufeffport = 4000")).port == 4000


def test_a_file_that_is_no_text_or_no_file(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name, words in (("binary.toml", "no UTF-8 text"), (".", "cannot be read"), ("none.toml", "cannot be read")):
        with pytest.raises(SettingsError, match=words):
            load_settings(config=name)


def test_every_wrong_thing_has_its_sentence_and_the_environment_keeps_its_own_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ORDERCAST_MAX_BODY", "x")
    with pytest.raises(SettingsError) as caught:
        load_settings(config=write('port = "x"\nshop_phone = "x"'))
    said = str(caught.value)
    assert "shop.toml: port: " in said
    assert "shop.toml: shop_phone: " in said
    assert "ORDERCAST_MAX_BODY: " in said
    with pytest.raises(SettingsError, match=r"'prot' .*; shop.toml: 'hots' "):
        load_settings(config=write("prot = 1\nhots = 1"))


@pytest.mark.parametrize(
    ("text", "mode", "held"),
    [
        (f'jwt_secret = "{A}"', 0o644, "jwt_secret"),
        (f'jwt_secret = "{A}"', 0o640, None),
        ("port = 1", 0o644, None),
        ('database_url = "postgresql://h/d"', 0o644, None),
        ('database_url = "postgresql://u:hunter2@h/d"', 0o644, "database_url"),
        ('database_url = "postgresql://h/d?password=hunter2"', 0o644, "database_url"),
        ('database_url = "postgresql://u:hun/ter2@h/d"', 0o644, "database_url"),
        ('database_url = "postgresql://u:hun#ter2@h/d"', 0o644, "database_url"),
        ('database_url = "postgresql://u@h/d"', 0o644, None),
        (f'secret_key = "{A}"\n[hooks]\na = "{HOOK}"', 0o604, "secret_key, hooks"),
    ],
)
def test_secrets_that_everyone_may_read_are_told(text: str, mode: int, held: str | None) -> None:
    notes = load(config=write(text, mode)).notes()
    assert bool(notes) is (held is not None)
    assert held is None or notes[0].startswith(f"shop.toml holds {held} and can be read by everyone")


@pytest.mark.parametrize("text", ["port = 1", f'jwt_secret = "{A}"'])
def test_a_file_that_everyone_may_change_is_told(text: str) -> None:
    (note,) = load(config=write(text, 0o646)).notes()
    assert note.startswith("shop.toml can be changed by everyone")


@pytest.mark.parametrize("form", ["./{}", "{}//{}"])
def test_however_the_file_is_written(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(f'jwt_secret = "{A}"', 0o644)
    monkeypatch.setenv("ORDERCAST_CONFIG", form.format(path) if form.count("{}") == 1 else f"{tmp_path}//{path}")
    loaded = load()
    assert ["holds jwt_secret and can be read" in note for note in loaded.notes()] == [True]


def test_a_password_and_a_key_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for password in ("hun/ter2", "hun#ter2", "hun?ter2"):
        loaded = load(config=write(f'database_url = "postgresql://u:{password}@h/d"'))
        assert [value for name, value, _ in loaded.described() if name == "database_url"] == ["not shown"]
    pem = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"
    monkeypatch.setenv("ORDERCAST_JWT_PUBLIC_KEY", pem)
    loaded = load(jwt_issuer="i", jwt_audience="a")
    assert ("jwt_public_key", "a key that is written out", "ORDERCAST_JWT_PUBLIC_KEY") in loaded.described()


# -- what changes ---------------------------------------------------------------------------------------------


def test_the_catalogue_has_every_setting() -> None:
    assert set(SETTINGS) == set(Settings.model_fields) - {"config"}, "name it in config_catalogue.py"


def test_changes_are_told_and_secrets_are_not() -> None:
    before = Settings(jwt_secret=A, monitor_interval=30, database_url="sqlite:///a.db", port=1)
    after = Settings(
        jwt_secret=f"{B},{A}", monitor_interval=10, database_url="postgresql://u:hunter2@h/d", port=2,
        cors_origins="https://a", hooks=f"a={HOOK}",
    )  # fmt: skip
    found = changes(before, after)
    assert found.taken == ("cors_origins", "jwt_secret", "hooks", "monitor_interval")
    assert found.waits == ("port", "database_url")
    assert found.words == (
        "cors_origins: none → https://a",
        "jwt_secret (not shown)",
        "hooks (not shown)",
        "monitor_interval: 30.0 → 10.0",
    )
    assert (found.settings.port, found.settings.database_url) == (1, before.database_url)
    assert found.settings.jwt_secret == (B, A)
    again = changes(found.settings, after)
    assert (again.taken, again.waits) == ((), ("port", "database_url")), "it still needs that restart"


def test_a_secret_that_goes_is_not_told_either() -> None:
    assert changes(Settings(jwt_secret=A), Settings()).words == ("jwt_secret (not shown)",)
