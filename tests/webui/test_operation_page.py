"""An operation's page: how far it is, what its steps wait for, and steering it."""

import re
from collections.abc import Awaitable, Callable

import pytest
from mds.v1 import operation_pb2, operation_step_pb2
from mds.v1.access_pb2 import Role

from control_units.client import Client
from metadata_server.domain.orchestration.operation import Minor
from metadata_server.domain.orchestration.operation_step import StepMinor
from tests.stages.replica import Replica
from tests.stages.waiting import until
from tests.webui.conftest import OpenSite, Site
from tests.webui.magnets import declare_magnets
from tests.webui.messages import NOW, stamp
from webui.access.person import Person
from webui.lists.records import counts_of, minor_state_of
from webui.lists.statistics import narrowed_by
from webui.operations.operation import operation_page, step_rows
from webui.operations.phases import MINOR_STATES, minor_words
from webui.operations.steering import steers

StartReplica = Callable[..., Awaitable[Replica]]
IDS = [f"RING/MAG/Q{number:02}" for number in range(4)]


@pytest.fixture
async def ordered(
    start_replica: StartReplica, sqlite_database: str, open_site: OpenSite
) -> tuple[Site, str]:
    """A page of units that nobody runs, and the path of an operation that waits for them."""
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        running = await client.operations.order(
            operation_pb2.ORDER_VERB_START, IDS, reason="<b>after</b> the shutdown"
        )
    return await open_site(replica.address), f"/{running.operation.name}"


async def post(site: Site, path: str, **fields: str) -> tuple[int, str]:
    async with site.http.post(path, data=fields) as answer:
        return answer.status, await answer.text()


def offered(page: str) -> list[str]:
    buttons = re.findall(r'<button id="steer-(\w+)" formaction="[^"]+/\1"( disabled)?>', page)
    return [how for how, disabled in buttons if not disabled]


async def test_it_is_steered_as_its_phase_allows(ordered: tuple[Site, str]) -> None:
    site, path = ordered
    page = await site.text(path)
    assert "&lt;b&gt;after&lt;/b&gt; the shutdown" in page
    assert all(f'href="/control_units/{id}"' in page for id in IDS)
    assert offered(page) == ["pause", "abort"]

    _, page = await post(site, f"{path}/pause", reason="a look first")
    assert "Suspended" in page
    assert offered(page) == ["resume", "abort"]
    status, page = await post(site, f"{path}/retry", reason="kept")
    assert status == 422
    assert 'role="alert"' in page
    assert 'value="kept"' in page
    assert offered(page) == ["resume", "abort"]

    await post(site, f"{path}/resume")

    async def is_going() -> bool:
        return offered(await site.text(path)) == ["pause", "abort"]

    await until(is_going)
    _, page = await post(site, f"{path}/abort", reason="enough")
    assert "aborting" in page  # what is under way goes on to its end
    assert "no unit server hosts it" in page


@pytest.mark.usefixtures("german")
async def test_why_it_cannot_be_steered_is_said_in_the_language_of_the_pages(
    ordered: tuple[Site, str],
) -> None:
    site, path = ordered
    await post(site, f"{path}/pause")
    _status, page = await post(site, f"{path}/retry")
    assert "Kein Schritt" in re.findall(r'role="alert"><strong>([^<]+)', page)[0]


async def test_the_same_button_pressed_twice_counts_once(ordered: tuple[Site, str]) -> None:
    site, path = ordered
    request = re.search(r'name="request_id" value="([^"]+)"', await site.text(path))
    assert request
    for _ in range(2):
        status, page = await post(site, f"{path}/pause", request_id=request[1], reason="once")
        assert status == 200
        assert "Suspended" in page


async def test_steps_in_one_state_are_shown_alone(ordered: tuple[Site, str]) -> None:
    site, path = ordered
    page = await site.text(f"{path}?state=ERROR")
    assert "No steps in this state." in page
    assert "All steps" in page
    part = await site.text(f"{path}?fragment=main")
    assert "<html" not in part
    assert f'data-shows="{path[1:]}"' in part


async def test_operations_are_counted_by_what_they_have_and_a_click_narrows(
    ordered: tuple[Site, str],
) -> None:
    site, _ = ordered
    page = await site.text("/operations")
    assert re.search(
        r'href="/operations\?q=verb%3DSTART"[^>]*>Start</a></th><td class="number">1<', page
    )
    part = await site.text("/operations?fragment=statistics&q=verb%3DSTOP")
    assert "<html" not in part
    assert '<th scope="col" class="number">These</th>' in part
    assert re.search(r'Start</a></th><td class="number">0</td><td class="number">1<', part)


@pytest.mark.parametrize(
    ("q", "value", "narrowed"),
    [
        ("", "ERROR", "phase=ERROR"),
        ("author=anna", "ERROR", "author=anna phase=ERROR"),
        ("phase=HELD,ERROR author=anna", "ERROR", "author=anna phase=ERROR"),
        ("verb=START OR verb=STOP", "ERROR", "(verb=START OR verb=STOP) phase=ERROR"),
        ("", 'the "night" shift', r'phase="the \"night\" shift"'),
        ('phase="a b" x', "ERROR", "x phase=ERROR"),
    ],
)
def test_a_value_is_added_to_a_filter_once(q: str, value: str, narrowed: str) -> None:
    assert narrowed_by(q, "phase", value) == (narrowed, False)


def test_a_value_that_a_filter_asks_for_already_is_taken_back() -> None:
    assert narrowed_by("author=anna phase=ERROR", "phase", "ERROR") == ("author=anna", True)


async def test_what_is_not_there_is_said_so(ordered: tuple[Site, str]) -> None:
    site, _ = ordered
    await site.text("/operations/none-of-them", status=404)
    status, _ = await post(site, "/operations/none-of-them/abort")
    assert status == 404


def test_a_step_tells_what_it_waits_for_and_how_often_it_was_tried() -> None:
    waiting = operation_step_pb2.OperationStep(
        control_unit="control_units/A/B",
        state=operation_step_pb2.STEP_STATE_PENDING,
        minor_state="WaitingForLevel",
        message="waits for level 2",
        attempts=1,
    )
    back = operation_step_pb2.OperationStep(
        control_unit="control_units/C",
        state=operation_step_pb2.STEP_STATE_ERROR,
        attempts=3,
        wave=1,
        is_way_back=True,
        start_time=stamp(NOW),
    )
    left_out = operation_step_pb2.OperationStep(control_unit="control_units/D", wave=-1)
    first, second, third = step_rows([waiting, back, left_out], NOW)
    assert (first.minor, first.message, first.tries, first.wave) == (
        "waiting for level", "waits for level 2", "", "1",
    )  # fmt: skip
    assert (second.tries, second.wave, second.mark.tone) == ("3", "back 2", "bad")
    assert second.start is not None
    assert second.end is None
    assert (third.wave, third.mark.word) == ("", "Unknown")


@pytest.mark.parametrize(
    ("phase", "steering"),
    [
        ("PENDING", ["resume", "abort"]),
        ("EXECUTING", ["pause", "abort"]),
        ("HELD", ["pause", "abort"]),
        ("ERROR", ["retry"]),
        ("COMPLETED", []),
        ("ARCHIVED", []),
    ],
)
def test_only_what_its_phase_allows_is_offered(phase: str, steering: list[str]) -> None:
    operation = operation_pb2.Operation(
        name="operations/1",
        phase=operation_pb2.OperationPhase.Value(f"OPERATION_PHASE_{phase}"),
        create_time=stamp(NOW),
    )
    drawn = operation_page(operation, NOW).steering
    assert [each.name for each in drawn if each.is_allowed] == steering
    places = ["pause", "resume", "abort", "retry"] if steering else []
    assert [each.name for each in drawn] == places


def test_what_goes_on_with_an_edit_is_offered_to_those_who_may_give_it() -> None:
    operator, expert = Person(role=Role.ROLE_OPERATOR), Person(role=Role.ROLE_EXPERT)
    edit = operation_pb2.Operation(
        name="operations/1",
        phase=operation_pb2.OPERATION_PHASE_SUSPENDED,
        role=Role.ROLE_EXPERT,
    )
    assert [each.name for each in steers(edit, expert) if each.is_allowed] == ["resume", "abort"]
    drawn = {each.name: each for each in steers(edit, operator)}
    assert [name for name, each in drawn.items() if each.is_allowed] == ["abort"]
    assert drawn["resume"].role_needed == "This takes the role expert; yours is operator."
    assert drawn["retry"].role_needed == "", "its phase is why"
    edit.role = Role.ROLE_OPERATOR
    assert [each.name for each in steers(edit, operator) if each.is_allowed] == ["resume", "abort"]


def test_minor_states_are_words() -> None:
    assert minor_words("WaitingForLevel") == "waiting for level"
    assert minor_words("") == ""
    assert {minor_words(each) for each in (*Minor, *StepMinor)} == set(MINOR_STATES)


@pytest.mark.usefixtures("german")
def test_a_list_tells_how_far_an_operation_is_and_a_file_in_words_of_filters() -> None:
    counts = operation_step_pb2.StepCounts(steps=12_000, completed=11_999, failed=1)
    operation = operation_pb2.Operation(minor_state="WaitingForReplica", counts=counts)
    steps, minor = counts_of(operation), minor_state_of(operation)
    assert [each.text for each in steps.notes] == [
        "12\N{NARROW NO-BREAK SPACE}000 insgesamt",
        "Fertig: 11\N{NARROW NO-BREAK SPACE}999",
        "Fehlgeschlagen: 1",
    ]
    assert [each.text for each in minor.notes] == [minor_words("WaitingForReplica")]
    assert (steps.in_file, minor.in_file) == (
        "12000 steps, 11999 completed, 1 failed",
        "WaitingForReplica",
    )
