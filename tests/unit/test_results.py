"""The recipe's results: people by a fake clock, figures from events, and the words of table, plots and page."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.loop import Failed
from bench.results import document, figures, memory, plots, report
from bench.results.__main__ import app
from bench.results.figures import Logged, Seen
from bench.results.imagined import imagine
from bench.results.model import NOTICE, Act, Pace, Person, Step, pace
from bench.results.plan import KITCHEN, Plan
from bench.results.report import LIVE, POLLING, Results, duration, times
from bench.results.run import LONGEST, Measured, measure
from bench.results.screens import Shown, read
from bench.shop import quantile

SEED = 7


def of(order: int, person: int = 3) -> Pace:
    return pace(SEED, person, order)


def person(*theirs: int) -> Person:
    return Person(3, frozenset(theirs), SEED)


# -- the person -------------------------------------------------------------------------------------------


def test_a_free_person_notices_claims_contacts_and_talks() -> None:
    one = person(1)
    one.sees([1], [], 100.0)
    assert one.due == 100.0 + of(1).notice
    claim = one.act(one.due)
    assert claim == Act(Step.CLAIM, 1)
    one.answered(claim, True, 200.0)
    assert one.due == 200.0 + of(1).reach
    contact = one.act(one.due)
    assert contact == Act(Step.CONTACT, 1)
    one.answered(contact, True, 300.0)
    assert one.due == 300.0 + of(1).talk
    assert one.act(one.due) is None
    assert one.due == float("inf")


def test_who_is_busy_notices_nothing_and_then_takes_the_oldest() -> None:
    one = person(1, 2, 3)
    one.sees([1], [], 0.0)
    one.answered(one.act(one.due) or pytest.fail("idle"), True, 10.0)
    due = one.due
    one.sees([3], [], 11.0)
    one.sees([2], [], 12.0)
    assert one.due == due
    one.answered(one.act(due) or pytest.fail("idle"), True, 20.0)
    free = one.due
    assert one.act(free) is None
    assert one.due == free + of(2).notice
    assert one.act(one.due) == Act(Step.CLAIM, 2)


def test_where_a_colleague_was_faster_the_next_one_is_looked_for() -> None:
    one = person(1, 2)
    one.sees([1, 2], [], 0.0)
    one.answered(one.act(one.due) or pytest.fail("idle"), False, 10.0)
    assert one.due == 10.0 + of(2).notice
    one.sees([1], [], 11.0)  # from a list that was under way
    assert [*one.shown] == [2]
    one.sees([], [2], 12.0)
    assert one.due == float("inf")


def test_the_orders_of_others_are_none_of_theirs() -> None:
    one = person(1)
    one.sees([2], [], 0.0)
    assert one.due == float("inf")


def test_a_person_is_as_fast_with_an_order_whatever_else_happens() -> None:
    assert of(1) == of(1)
    assert len({of(1), of(2), of(1, person=4), pace(SEED + 1, 3, 1)}) == 4
    noticed = [of(order).notice for order in range(2000)]
    assert quantile(noticed, 0.5) == pytest.approx(NOTICE.median, rel=0.1)


# -- the plan ---------------------------------------------------------------------------------------------


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    plan = Plan(600)
    assert plan.stream == Plan(600).stream != Plan(600, seed=1).stream
    assert plan.orders == pytest.approx(600, rel=0.15)
    assert [planned.at for planned in plan.stream] == sorted(planned.at for planned in plan.stream)
    of_first = [planned.status for planned in plan.stream if planned.order == 1]
    assert of_first == [None, *KITCHEN]
    assert Plan(0.01).orders >= 1


@pytest.mark.parametrize("team", [1, 5, 10])
def test_each_order_is_for_one_team(team: int) -> None:
    plan = Plan(60, operators=10, team=team)
    whose = [plan.orders_of(n) for n in range(10)]
    assert sorted(order for orders in whose for order in orders) == sorted([*range(1, plan.orders + 1)] * team)
    assert all(whose[n] == whose[n - n % team] for n in range(10))


def test_polling_screens_ask_at_different_moments() -> None:
    phases = [Plan(60).phase(n) for n in range(50)]
    assert len(set(phases)) == 50
    assert all(0 <= phase <= 30 for phase in phases)


def test_teams_that_do_not_come_out_even_are_refused_in_words() -> None:
    result = CliRunner().invoke(app, ["--operators", "50", "--team", "3"])
    assert result.exit_code == 2
    assert "50 operators cannot be in teams of 3" in " ".join(result.output.replace("│", " ").split())


def test_more_orders_than_a_screen_lists_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match=f"more than a screen lists \\({LONGEST}\\): choose less time"):
        measure(Plan(2 * LONGEST), live=True)


# -- hours in a moment ------------------------------------------------------------------------------------


def test_every_customer_is_contacted_with_either_screen_and_sooner_live() -> None:
    plan = Plan(300, operators=10, rate=10)
    polling, live = imagine(plan, live=False), imagine(plan, live=True)
    for run in (polling, live):
        assert len(run.contacts) == len(run.reactions) == plan.orders
    assert polling.conflicts == live.conflicts == 0  # nobody shares an order
    assert quantile(live.contacts, 0.5) < quantile(polling.contacts, 0.5)
    assert min(polling.reactions) > min(live.reactions) > 0


def test_people_who_share_orders_go_for_taken_ones_where_screens_are_old() -> None:
    plan = Plan(300, operators=10, team=10, rate=10)
    assert imagine(plan, live=False).conflicts > 0
    assert imagine(plan, live=True).conflicts == 0


# -- figures ----------------------------------------------------------------------------------------------

LOG = [
    Logged(1, 1, "created", "shop", 100.0),
    Logged(1, 2, "status_changed", "shop", 101.0),
    Logged(1, 3, "claimed", "op-0", 104.0),
    Logged(1, 4, "contacted", "op-0", 110.0),
]


def test_a_change_counts_as_seen_with_the_first_version_that_has_it() -> None:
    seen = [Seen(0, 1, 1, 100.5), Seen(0, 1, 3, 104.25), Seen(0, 1, 2, 105.0), Seen(0, 1, 4, 110.5)]
    assert figures.updates(LOG, seen, [0]) == [0.5, 3.25, 0.25, 0.5]


def test_a_screen_that_never_had_a_change_fails_the_run() -> None:
    seen = [Seen(0, 1, 4, 111.0), Seen(1, 1, 3, 111.0)]
    with pytest.raises(Failed, match="operator 1 never had version 4 of 1"):
        figures.updates(LOG, seen, [0, 1])


def test_reaction_and_contact_are_those_of_people_and_from_the_log() -> None:
    assert figures.reactions(LOG) == [4.0]
    assert figures.contacts(LOG) == [10.0]


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (LOG[:2], "nobody has acted on order 1"),
        (LOG[1:], "does not begin with its creation"),
        ([*LOG, replace(LOG[3], version=5)], "order 1 was contacted 2 times"),
    ],
)
def test_a_log_that_cannot_be_fails_the_run(log: list[Logged], words: str) -> None:
    with pytest.raises(Failed, match=words):
        figures.contacts(log)


def test_history_is_read_as_the_server_writes_it() -> None:
    event = {"orderId": 7, "version": 1, "kind": "created", "updatedBy": "shop", "at": "2026-01-01T00:00:00.250Z"}
    assert figures.logged({"events": [event]}) == [Logged(7, 1, "created", "shop", 1767225600.25)]


def test_requests_are_the_servers_own_count_without_the_question_for_it() -> None:
    before = figures.requests('# TYPE ordercast_requests counter\nordercast_requests_total{method="GET"} 10.0\n')
    after = {"GET": 61.0, "POST": 30.0, "PUT": 0.0}
    assert before == {"GET": 10.0}
    assert figures.per_minute(before, after, 30.0) == {"GET": 100.0, "POST": 60.0}
    assert figures.per_minute(before, {"GET": 11.0}, 30.0) == {}


def test_a_screen_learns_from_events_what_they_say() -> None:
    created = b'42["order:created",{"orderId":3,"version":1,"claimedBy":null,"status":"received"}]'
    assert read(created) == Shown(3, 1, False)
    assert read(b'42["order:changed",{"orderId":3,"changes":{"claimedBy":"op-1"},"version":2}]') == Shown(3, 2, True)
    assert read(b'42["order:changed",{"orderId":3,"changes":{"note":"x"},"version":3}]') == Shown(3, 3, None)
    assert read(b'42["order:status_changed",{"orderId":3,"status":"ready","version":4}]') == Shown(3, 4, None)
    assert read(b'42["position","log.4"]') is None
    assert read(b"40{}") is None


# -- words ------------------------------------------------------------------------------------------------


def results(**live: object) -> Results:
    polling = Measured([1.0, 15.0, 30.0], [20.0], [30.0, 31.0, 32.0], {"GET": 100.0, "POST": 60.0}, 0.04, 3, 0)
    fast = Measured([0.002, 0.003, 0.004], [5.0], [10.0, 12.0, 40.0], {"POST": 60.0}, 0.01, 3, 0)
    modes = {POLLING: polling, LIVE: replace(fast, **live)}  # type: ignore[arg-type]
    return Results(Plan(60), modes, {POLLING: 0.01, LIVE: 0.02})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0034, "3.4 ms"), (0.9, "900.0 ms"), (14.94, "14.9 s"), (119.0, "119.0 s"), (252.0, "4.2 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("ratio", "words"), [(2.44, "2.4 ×"), (14.6, "15 ×"), (5_120, "5,100 ×"), (0.96, "1.0 ×")])
def test_ratios_have_two_figures(ratio: float, words: str) -> None:
    assert times(ratio) == words


def test_the_table_has_both_screens_and_the_recipe_beside_them() -> None:
    rows = report.rows(results())
    assert rows[0] == ("a change reaches a screen", "polling", "15.0 s", "30.0 s", "30.0 s", "", "0–30 s")
    assert rows[1] == ("", "live", "3.0 ms", "4.0 ms", "4.0 ms", "5,000 ×", "under 200 ms")
    assert rows[5] == ("", "live", "12.0 s", "40.0 s", "40.0 s", "2.6 ×", "38 s")
    assert rows[6:10] == [
        ("requests a minute at the server", "polling", "160", "", "", "", "–"),
        ("", "live", "60", "", "", "2.7 ×", "–"),
        ("of these only to ask for news", "polling", "100", "", "", "", "–"),
        ("", "live", "0", "", "", "–", "none"),
    ]
    assert all(len(row) == len(report.HEADS) for row in rows)
    assert report.table(results()).row_count == len(rows)


def test_the_verdict_is_what_the_figures_say() -> None:
    assert "within 4.0 ms, which beats the recipe's 200 ms" in report.verdict(results())
    assert "within 12.0 s, 19.0 s sooner" in report.verdict(results())
    late = report.verdict(results(updates=[0.3], contacts=[50.0]))
    assert "which misses the recipe's 200 ms" in late
    assert "19.0 s later than by the same people" in late
    assert "misses the recipe's 38 s" in late


def test_the_page_has_the_table_the_model_and_plots_that_are_there(tmp_path: Path) -> None:
    page = document.write(results(), tmp_path).read_text()
    assert "| a change reaches a screen | polling | 15.0 s |" in page
    assert report.model(Plan(60)).split(".")[0] in " ".join(page.split())
    assert "1 % and 2 % of two cores in the two runs." in " ".join(page.split())
    assert "even with polling half of the customers are contacted within 31.0 s" in " ".join(page.split())
    assert "The recipe's two numbers are 6.6 × apart, ours 2.6 ×." in " ".join(page.split())
    assert page.count("images/results-") == 3
    for name in ("updates", "contacts", "requests"):
        assert f"(images/results-{name}.svg)" in page
        assert ElementTree.parse(tmp_path / "images" / f"results-{name}.svg").getroot().tag.endswith("svg")
    assert "| 50 | " in page
    disturbed = replace(results(), others={POLLING: 0.3, LIVE: 0.0})
    assert "alone the server would be faster" in document.write(disturbed, tmp_path).read_text()


def test_a_curve_rises_from_left_to_right() -> None:
    chart = ElementTree.fromstring(plots.curves("t", [("a", [0.002, 0.5, 9.0], True)], [("m", 1.0)], 0.001))
    line = chart.find("{http://www.w3.org/2000/svg}polyline")
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert points[0][0] < points[-1][0]


def test_what_is_kept_comes_back_whole(tmp_path: Path) -> None:
    memory.keep(results(), tmp_path / "results.json")
    assert memory.recall(tmp_path / "results.json") == results()
