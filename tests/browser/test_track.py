"""The customer's page, as its reader sees it: through an order's life, and through all that a network does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from ordercast.auth.shares import ShareTokens
from scripts.sizes import sizes
from tests.browser.pages import PATIENCE
from tests.harness import CLIENTS, Api, Json, ServerProcess
from tests.proxy import Proxy, without_socket_io, without_websocket

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

KEY = "a secret key of the tests that is long enough"
PHONE = "+44 20 7946 0958"
WAY = ("accepted", "preparing", "ready", "out_for_delivery", "delivered")
LABELS = ("Accepted", "Preparing", "Ready", "Out for delivery", "Delivered")
PERSONAL = ("Noor Private", "+49 170 99", "second bell", "424242", "kitchen-7")
AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A shop that says who it is."""
    folder = tmp_path_factory.mktemp("shop")
    with ServerProcess(folder, secret_key=KEY, shop_name="Trattoria Marea", shop_phone=PHONE) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def api(shop: ServerProcess) -> AsyncIterator[Api]:
    """The shop's backend."""
    async with shop.api() as api:
        yield api


async def new_order(api: Api, **more: Any) -> Json:
    """An order with all that is personal in it."""
    return await api.create(
        customerId=424242,
        reference="T-100",
        items=[{"name": "<b>Pizza</b>", "quantity": 2}, {"name": "Limonata"}],
        total=21.5,
        currency="EUR",
        note="second bell",
        contact={"name": "Noor Private", "phone": "+49 170 99"},
        **more,
    )


async def put(api: Api, id: object, order: Json) -> None:
    """Replaces an order."""
    answer = await api.send("PUT", f"/api/orders/{id}", json=order)
    assert answer.status_code == 200, answer.text


class Track:
    """A page on an order. Marks itself, so that a reload would show, and collects what goes wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.frames: list[str | bytes] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if "Content Security" in said.text else None)
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: self.frames.append(frame)))
        self.body = page.locator("body")

    async def open(self, url: str, connection: str = "live") -> Track:
        await self.page.goto(url)
        await self.is_now(connection)
        await self.page.evaluate("window.neverReloaded = true")
        return self

    def at(self, id: str) -> Locator:
        return self.page.locator(f"#{id}")

    async def is_now(self, connection: str) -> None:
        """How live it is."""
        await expect(self.body).to_have_attribute("data-connection", connection)

    async def shows(self, label: str, told: int) -> None:
        """The status, and how many changes have been announced."""
        await expect(self.at("now")).to_have_text(label)
        await expect(self.at("toast")).to_have_attribute("data-told", str(told))
        await expect(self.at("toast")).to_contain_text(label)

    async def steps(self) -> list[tuple[str, str, str | None]]:
        """Kind, name and time of each step."""
        return [
            (kind, name, at)
            for kind, name, at in await self.page.evaluate(
                "[...document.querySelectorAll('#steps > li')].map((li) => [li.className, "
                "li.querySelector('.name').textContent, li.querySelector('time')?.dateTime ?? null])"
            )
        ]

    async def done(self) -> None:
        assert await self.page.evaluate("window.neverReloaded")
        assert self.faults == []


@asynccontextmanager
async def tracking(browser: Browser, url: str, connection: str = "live", **options: Any) -> AsyncIterator[Track]:
    """A page of its own, in a browser that stands in London unless it is said otherwise."""
    context = await browser.new_context(**{"locale": "en-GB", "timezone_id": "Europe/London", **options})
    try:
        track = await Track(await context.new_page()).open(url, connection)
        yield track
        await track.done()
    finally:
        await context.close()


async def test_an_orders_whole_life(shop: ServerProcess, api: Api, browser: Browser) -> None:
    id = (await new_order(api))["orderId"]
    async with tracking(browser, await api.share(id)) as track:
        await expect(track.at("now")).to_have_text("Received")
        await expect(track.at("number")).to_have_text("Order T-100")
        await expect(track.at("items")).to_have_text("2 × <b>Pizza</b>Limonata")
        await expect(track.at("total")).to_have_text("€21.50")
        await expect(track.page.get_by_role("link", name="Call Trattoria Marea")).to_have_attribute(
            "href", "tel:+442079460958"
        )
        await api.patch(id, expectedAt="2099-01-02T18:45:00Z", note="second bell, please")
        await expect(track.at("expected")).to_have_text(re.compile("Expected around .*2 Jan.* 18:45"))
        for told, (status, label) in enumerate(zip(WAY, LABELS, strict=True), start=2):
            await api.patch(id, status=status, updatedBy="kitchen-7")
            await track.shows(label, told)
            assert label in await track.page.title()
        await expect(track.at("expected")).to_have_text("")
        await expect(track.at("more")).to_contain_text("thank you")
        events = (await api.get(f"/api/orders/{id}/events"))["events"]
        first = {event["status"]: event["at"] for event in reversed(events)}
        assert await track.steps() == [
            ("past", "Received", first["received"]),
            ("past", "Preparing", first["preparing"]),
            ("past", "On its way", first["out_for_delivery"]),
            ("past", "Delivered", first["delivered"]),
        ]
        content = await track.page.content()
        assert [word for word in PERSONAL if word in content] == []
        heard = "".join(map(str, track.frames))
        assert "out_for_delivery" in heard
        assert [word for word in PERSONAL if word in heard] == []


async def test_a_cancelled_order_says_where_it_stopped(api: Api, browser: Browser) -> None:
    id = (await new_order(api, fulfilment="pickup"))["orderId"]
    async with tracking(browser, await api.share(id)) as track:
        await api.patch(id, status="accepted")
        await api.patch(id, status="cancelled")
        await track.shows("Cancelled", 2)
        assert [kind for kind, _, _ in await track.steps()] == ["past", "stopped", "", ""]
        assert [name for _, name, _ in await track.steps()][2:] == ["Ready", "Collected"]
        await expect(track.page.locator("#steps .stopped .stopped")).to_have_text("Stopped here")


async def test_the_server_is_killed_and_comes_back(shop: ServerProcess, browser: Browser) -> None:
    async with shop.api() as api:
        id = (await new_order(api))["orderId"]
        url = await api.share(id)
    async with tracking(browser, url) as track:
        async with shop.api() as api:
            await api.patch(id, status="accepted")
        await track.shows("Accepted", 1)
        shop.kill()
        await expect(track.body).not_to_have_attribute("data-connection", "live")
        shop.start()
        async with shop.api() as api:
            for status in ("preparing", "ready"):
                await api.patch(id, status=status)
            events = (await api.get(f"/api/orders/{id}/events"))["events"]
            await track.is_now("live")
            await expect(track.at("now")).to_have_text("Ready")
            await expect(track.at("order")).to_have_attribute("data-version", "4")
            told = int(await track.at("toast").get_attribute("data-told") or 0)
            assert told in (2, 3), "each change once at most"
            at = {event["status"]: event["at"] for event in events}
            assert [time for _, _, time in await track.steps()] == [at["received"], at["preparing"], at["ready"], None]
            await api.patch(id, status="out_for_delivery")
        await track.shows("Out for delivery", told + 1)


async def test_a_restored_database_counts_anew(browser: Browser, tmp_path: Path) -> None:
    """One with another log, and lower versions."""
    folders = {tmp_path / "restored": WAY[:1], tmp_path / "before": WAY[:3]}
    for folder, way in folders.items():
        folder.mkdir()
        with ServerProcess(folder, secret_key=KEY) as shop:
            async with shop.api() as api:
                await new_order(api, orderId="restored")
                for status in way:
                    await api.patch("restored", status=status)
    restored, before = [ServerProcess(folder, secret_key=KEY) for folder in folders]
    with before:
        async with before.api() as api:
            url = await api.share("restored")
        track = await Track(await browser.new_page()).open(url)
        await expect(track.at("now")).to_have_text("Ready")
    restored.port = before.port
    with restored:
        await track.shows("Accepted", 1)
        assert [kind for kind, _, _ in await track.steps()] == ["past", "current", "", ""]
        async with restored.api() as api:
            await api.patch("restored", status="preparing")
        await track.shows("Preparing", 2)
    await track.done()
    await track.page.close()


async def test_a_link_whose_order_becomes_anothers_says_so(api: Api, browser: Browser) -> None:
    id = (await new_order(api))["orderId"]
    async with tracking(browser, await api.share(id)) as track:
        await put(api, id, {"customerId": 43})
        await track.is_now("ended")
        await expect(track.at("problem")).to_contain_text("This link has expired")


async def test_what_is_ordered_may_change_while_one_looks(api: Api, browser: Browser) -> None:
    id = (await api.create(customerId=424242))["orderId"]
    async with tracking(browser, await api.share(id)) as track:
        await expect(track.at("basket")).to_be_hidden()
        more = {"customerId": 424242, "items": [{"name": "Pizza"}], "total": 30, "currency": "EUR", "reference": "R2"}
        await put(api, id, more)
        await expect(track.at("items")).to_have_text("Pizza")
        await expect(track.at("total")).to_have_text("€30.00")
        await expect(track.at("number")).to_have_text("Order R2")
        await put(api, id, {"customerId": 424242, "reference": "R2"})
        await expect(track.at("basket")).to_be_hidden()
        await put(api, id, {"customerId": 424242, "fulfilment": "pickup"})
        await expect(track.page.locator("#steps > li .name").last).to_have_text("Collected")
        await track.page.evaluate("window.neverReloaded = true")


async def test_offline_and_back(shop: ServerProcess, api: Api, browser: Browser) -> None:
    id = (await new_order(api))["orderId"]
    async with Proxy(shop.port) as proxy:
        url = (await api.share(id)).replace(shop.url, proxy.url)
        async with tracking(browser, url) as track:
            await expect(track.at("age")).to_have_text("up to date")
            await track.page.context.set_offline(True)
            proxy.cut_all()
            await track.is_now("offline")
            await expect(track.at("live-words")).to_have_text("You are offline")
            await expect(track.at("age")).to_have_text(re.compile("^as of [0-9]{2}:[0-9]{2}$"))
            await expect(track.at("now")).to_have_text("Received")
            for status in ("accepted", "preparing"):
                await api.patch(id, status=status)
            await track.page.context.set_offline(False)
            await track.is_now("live")
            await expect(track.at("now")).to_have_text("Preparing")
            assert int(await track.at("toast").get_attribute("data-told") or 0) in (1, 2)
            await expect(track.at("age")).to_have_text("up to date")


async def test_a_link_that_ends_while_it_is_open_says_so(shop: ServerProcess, api: Api, browser: Browser) -> None:
    id = (await new_order(api))["orderId"]
    for lifetime in (4, 12, 36):  # s; a busy machine may need longer to open it
        url = f"{shop.url}/track/{ShareTokens(KEY, lifetime).issue(str(id), '424242').token}"
        page = await browser.new_page()
        answer = await page.goto(url)
        assert answer is not None
        if answer.status == 200:
            break
    await expect(page.locator("body")).to_have_attribute("data-connection", "ended")
    await expect(page.locator("#problem")).to_contain_text("This link has expired For your privacy")
    await expect(page.locator("#live-words")).to_have_text("No longer updated")
    await expect(page.locator("#now")).to_have_text("Received")
    await expect(page.locator(".call")).to_be_visible()


async def test_where_websockets_are_blocked_long_polling_takes_over(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    id = (await new_order(api))["orderId"]
    async with (
        without_websocket(shop.port) as url,
        tracking(browser, (await api.share(id)).replace(shop.url, url)) as track,
    ):
        async with track.page.expect_request(lambda request: "transport=polling" in request.url):
            await api.patch(id, status="accepted")
        await track.shows("Accepted", 1)


async def test_where_socket_io_is_blocked_rest_takes_over_and_gives_way_again(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    id = (await new_order(api))["orderId"]
    async with without_socket_io(shop.port) as gate:
        gate.shut()
        url = (await api.share(id)).replace(shop.url, gate.url)
        async with tracking(browser, url, "polling") as track:
            await expect(track.at("live-words")).to_contain_text("slow connection")
            await api.patch(id, status="accepted")
            await track.shows("Accepted", 1)
            gate.open()
            await track.page.evaluate("dispatchEvent(new Event('online'))")
            await track.is_now("live")
            await api.patch(id, status="preparing")
            await track.shows("Preparing", 2)


async def test_without_javascript_the_server_draws_the_same_and_renews_it(api: Api, browser: Browser) -> None:
    id = (await new_order(api))["orderId"]
    await api.patch(id, status="accepted")
    url = await api.share(id)
    parts = ["now", "more", "number", "notify", "left", "progress", "items", "steps"]
    context = await browser.new_context(java_script_enabled=False, locale="en-GB")
    plain = await context.new_page()
    await plain.goto(url)
    async with tracking(browser, url) as track:
        for part in parts:
            here, there = [
                re.sub(r"\d\d:\d\d( UTC)?|\s+", "", await page.locator(f"#{part}").text_content() or "")
                for page in (plain, track.page)
            ]
            assert here == there, part
        icons = [await page.locator("link[rel=icon]").get_attribute("href") for page in (plain, track.page)]
        assert icons[0] == icons[1] != "data:,"
        kinds = "#steps > li.past, #steps > li.current[aria-current=step]"
        assert await plain.locator(kinds).all_text_contents() != []
        assert await plain.locator(kinds).count() == await track.page.locator(kinds).count() == 2
        await expect(plain.locator("#steps time").first).to_have_text(re.compile(r"^\d\d:\d\d UTC$"))
        await expect(plain.locator("#notify")).to_be_hidden()
        await expect(plain.locator("#live")).to_be_hidden()
        await api.patch(id, status="preparing")
        await track.shows("Preparing", 1)
        await expect(plain.locator("#now")).to_have_text("Preparing")  # by itself, after 20 s
    await context.close()


async def test_in_the_readers_language_and_time_zone(api: Api, browser: Browser) -> None:
    id = (await new_order(api, expectedAt="2099-01-02T18:45:00Z"))["orderId"]
    url = await api.share(id)
    async with tracking(browser, url, locale="de-AT", timezone_id="Europe/Vienna") as track:
        await expect(track.page.locator("html")).to_have_attribute("lang", "de")
        await expect(track.at("now")).to_have_text("Eingegangen")
        await expect(track.at("expected")).to_have_text(re.compile("Voraussichtlich gegen .*19:45"))
        await expect(track.at("total")).to_have_text(re.compile(r"21,50"))
        await api.patch(id, status="accepted")
        await track.shows("Angenommen", 1)
    for locale, label in (("fr-CA", "Acceptée"), ("es-MX", "Aceptado"), ("it", "Accettato"), ("nl-BE", "Geaccepteerd")):
        async with tracking(browser, url, locale=locale) as track:
            await expect(track.page.locator("html")).to_have_attribute("lang", locale[:2])
            await expect(track.at("now")).to_have_text(label)
    async with tracking(browser, url, locale="ja-JP") as track:  # for which there are no words
        await expect(track.page.locator("html")).to_have_attribute("lang", "en")
        await expect(track.at("now")).to_have_text("Accepted")


async def test_a_notification_for_who_asked_and_looks_elsewhere(api: Api, browser: Browser) -> None:
    id = (await new_order(api))["orderId"]
    context = await browser.new_context(locale="en-GB", permissions=["notifications"])
    await context.add_init_script(
        "window.notified = []; const Real = Notification;"
        "window.Notification = class extends Real { constructor(title, options) {"
        " super(title, options); notified.push([title, options.body]); } }"
    )
    track = await Track(await context.new_page()).open(await api.share(id))
    await api.patch(id, status="accepted")
    await track.shows("Accepted", 1)
    await track.at("notify").click()
    await expect(track.at("notified")).to_have_text("You will be notified while this page is open.")
    await api.patch(id, status="preparing")
    await track.shows("Preparing", 2)
    assert await track.page.evaluate("notified") == [], "not asked for, and then looked at"
    await track.page.evaluate("document.hasFocus = () => false")
    await api.patch(id, status="ready")
    await track.shows("Ready", 3)
    assert await track.page.evaluate("notified") == [["Ready · Order T-100", "Packed, and about to set off."]]
    await track.done()
    await context.close()


async def test_a_notification_where_service_workers_alone_may_show_them(api: Api, browser: Browser) -> None:
    """As in Chrome on Android."""
    id = (await new_order(api))["orderId"]
    context = await browser.new_context(locale="en-GB", permissions=["notifications"])
    await context.add_init_script(
        "Notification = class { static permission = 'granted'; static requestPermission = async () => 'granted';"
        " constructor() { throw new TypeError('Illegal constructor'); } }"
    )
    track = await Track(await context.new_page()).open(await api.share(id))
    await track.at("notify").click()
    await expect(track.at("notified")).to_have_text("You will be notified while this page is open.")
    scope = await track.page.evaluate("navigator.serviceWorker.ready.then(({ scope }) => new URL(scope).pathname)")
    assert scope == "/track/"
    await track.page.evaluate("document.hasFocus = () => false")
    for told, (status, label) in enumerate(zip(WAY[:2], LABELS, strict=False), start=1):
        await api.patch(id, status=status)
        await track.shows(label, told)
        shown = await track.page.wait_for_function(
            "(label) => navigator.serviceWorker.ready.then((worker) => worker.getNotifications()).then((all) =>"
            " all.some(({ title }) => title.startsWith(label)) && all.map(({ title, data }) => [title, data.page]))",
            arg=label,
            timeout=PATIENCE,
        )
        assert await shown.json_value() == [[f"{label} · Order T-100", track.page.url]], "the last one alone"
    await track.done()
    await context.close()


@pytest.mark.parametrize(("language", "words"), [("de-DE,de;q=0.9,en;q=0.8", "Link"), ("ja", "link")])
async def test_a_link_that_shows_nothing_is_a_page_in_words(
    shop: ServerProcess, api: Api, language: str, words: str
) -> None:
    id = (await new_order(api))["orderId"]
    good = ShareTokens(KEY, 60).issue(str(id), "424242").token
    links = {
        ShareTokens(KEY, 60, clock=lambda: 1_000.0).issue(str(id), "424242").token: 410,
        good[:-1] + ("A" if good[-1] != "A" else "B"): 404,
        ShareTokens(KEY, 60).issue("no-such-order", "42").token: 404,
        "x": 404,
    }
    revoked = ShareTokens(KEY, 61).issue(str(id), "424242").token
    await api.send("POST", "/api/tokens/revoke", json={"tokenId": revoked})
    links[revoked] = 410
    async with httpx2.AsyncClient(base_url=shop.url, headers={"Accept-Language": language}) as client:
        answers = {link: await client.get(f"/track/{link}") for link in links}
        assert {link: answer.status_code for link, answer in answers.items()} == links
        for answer in [*answers.values(), await client.get(f"/track/{good}")]:
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["content-security-policy"].startswith("default-src 'self'")
            assert "<!--" not in answer.text, "every place of the template is filled in"
            assert PHONE in answer.text
        for answer in answers.values():
            assert words in answer.text
            assert "T-100" not in answer.text
    assert all(link not in shop.log for link in [good, *links] if link != "x"), "no link is in the log"


@pytest.mark.parametrize("colours", ["light", "dark"])
async def test_axe_finds_nothing(shop: ServerProcess, api: Api, browser: Browser, colours: Any) -> None:
    links = [f"{shop.url}/track/nothing"]
    for status in (None, "cancelled"):
        id = (await new_order(api, expectedAt="2099-01-02T18:45:00Z"))["orderId"]
        if status is not None:
            await api.patch(id, status=status)
        links.append(await api.share(id))
    axe = AXE.read_text("utf-8")
    for width in (320, 1100):
        context = await browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=colours, reduced_motion="reduce"
        )
        page = await context.new_page()
        for link in links:
            await page.goto(link)
            if link != links[0]:
                await expect(page.locator("body")).to_have_attribute("data-connection", "live")
            await page.evaluate(axe)
            tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
            found = await page.evaluate("(tags) => axe.run(document, { runOnly: tags })", tags)
            assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == [], (link, width)
            assert len(found["passes"]) > 10
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling"
        await context.close()


@pytest.mark.parametrize("language", ["de-DE", "it-IT"])  # whose words are long
async def test_nothing_moves_when_the_script_has_run(api: Api, browser: Browser, language: str) -> None:
    url = await api.share((await new_order(api))["orderId"])
    look: Json = {"viewport": {"width": 320, "height": 800}, "locale": language}
    tops = """() => ["header", "main", "#now", "#steps", ".asked", "aside", ".contact", "footer"]
        .map((part) => document.querySelector(part).getBoundingClientRect().top)"""
    context = await browser.new_context(**look)
    drawn = await context.new_page()
    await drawn.route("**/*.js", lambda route: route.abort())
    await drawn.goto(url)
    before = await drawn.evaluate(tops)
    await expect(drawn.locator("#live-words")).to_be_visible()
    async with tracking(browser, url, **look) as track:
        await expect(track.at("notify")).to_be_visible()
        assert await track.page.evaluate(tops) == before


async def test_long_words_and_large_letters_fit_on_a_phone(api: Api, browser: Browser) -> None:
    order = {"reference": "R" * 64, "items": [{"name": "x" * 200, "quantity": 2}], "expectedAt": "2020-01-01T00:00:00Z"}
    id = (await api.create(**order))["orderId"]
    own = """[...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
        .find((rule) => rule.style?.fontSize).style.fontSize"""
    sideways = "document.documentElement.scrollWidth - innerWidth"
    for locale in ("de-DE", "it-IT"):
        async with tracking(
            browser, await api.share(id), locale=locale, viewport={"width": 320, "height": 800}
        ) as track:
            assert await track.page.evaluate(sideways) <= 0
            assert await track.page.evaluate(own) == "100%", "of what the reader's browser has"
            before = await track.at("more").evaluate("(more) => more.getBoundingClientRect().height")
            await track.page.evaluate("document.documentElement.style.fontSize = '200%'")  # as a reader may have it
            assert await track.at("more").evaluate("(more) => more.getBoundingClientRect().height") >= 2 * before
            assert await track.page.evaluate(sideways) <= 0


async def test_it_is_light_enough_for_a_slow_phone() -> None:
    found = sizes("track")
    assert 10_000 < found["js"] <= 40_000, found
    assert 500 < found["css"] <= 5_000, found
