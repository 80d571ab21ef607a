"""Whatever a browser is answered leads on: from what a form sent, from the past, from nowhere."""

import re
from collections.abc import Awaitable, Callable
from io import BytesIO
from urllib.parse import urlencode

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode
from mds.v1 import operation_pb2
from structlog.testing import capture_logs

from control_units.client import Client
from control_units.client.errors import from_status
from tests.stages.replica import Replica
from tests.webui.conftest import OpenSite, Site
from tests.webui.forms import form_in, submit
from tests.webui.magnets import declare_magnets
from webui.rendering import environment
from webui.site import can_be_mended, may_be_done

IDS = ("RING/MAG/Q1", "RING/MAG/Q2")
LEADS_AWAY = "Without scripts another theme leads away from this page"
REFRESH = '<noscript><meta http-equiv="refresh"'


@pytest.fixture
async def ordered(
    start_replica: Callable[..., Awaitable[Replica]], sqlite_database: str, open_site: OpenSite
) -> tuple[Site, str]:
    """A page of units that nobody runs, and the path of an operation that waits for them."""
    replica = await start_replica(sqlite_database)
    async with Client(replica.address) as client:
        await declare_magnets(client, *IDS)
        running = await client.operations.order(operation_pb2.ORDER_VERB_START, IDS)
    return await open_site(replica.address), f"/{running.operation.name}"


async def test_a_plan_comes_back_with_its_units_and_entries_in_another_theme(
    ordered: tuple[Site, str],
) -> None:
    site, _ = ordered
    form = form_in(
        await site.text(f"/datasets/edit?{urlencode([('id', id) for id in IDS])}"), "/datasets/edit"
    )
    entries = {"do:level": "set", "to:level": "2", "reason": "colder"}
    plan = await submit(site, form, changed=entries)
    assert "2 control units would change" in plan
    assert LEADS_AWAY not in plan
    looked = await submit(site, form_in(plan, "/theme"), changed={"theme": "dark"})
    form = form_in(looked, "/datasets/edit")
    sent = [*form.fields.items(), *form.more]
    assert [value for name, value in sent if name == "id"] == list(IDS)
    assert {name: form.fields[name] for name in entries} == entries

    text = await site.text(f"/operations/new?verb=stop&id={IDS[0]}&id={IDS[1]}")
    form = form_in(text, "/operations/new")
    text = await submit(site, form, changed={"plan": "another one"}, status=422)
    text = await submit(site, form_in(text, "/theme"), changed={"theme": "dark"})
    assert "Nothing was ordered" not in text
    assert "2 control units" in text


async def test_an_operation_that_is_steered_is_not_loaded_again_by_itself(
    ordered: tuple[Site, str],
) -> None:
    site, path = ordered
    assert REFRESH not in await site.text(path), "a reason may be typed there"
    async with site.http.post(f"{path}/retry", data={"reason": "kept"}) as answer:
        assert answer.status == 422
        text = await answer.text()
    assert REFRESH not in text
    assert f'data-here="{path}"' in text, "what scripts lead back to"
    assert form_in(text, "/theme").fields["back"] == path
    assert form_in(text, "/as_of").fields["back"] == path
    async with site.http.post("/operations/none-of-them/abort") as answer:
        assert REFRESH not in await answer.text()


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("/operations/17/pause", "/operations/17"),
        ("/datasets/edit/apply", "/datasets/edit"),
        ("/import/apply", "/import"),
    ],
)
async def test_an_address_that_only_takes_forms_says_so_and_leads_on(
    open_site: OpenSite, path: str, about: str
) -> None:
    site = await open_site()
    async with site.http.get(path) as answer:
        assert (answer.status, answer.content_type) == (405, "text/html")
        assert answer.headers["Allow"] == "POST"
        text = await answer.text()
    assert f'<a href="{about}">' in text
    async with site.http.get(path, headers={"HX-Request": "true"}) as part:
        assert (part.status, part.content_type) == (405, "text/plain")


async def test_one_can_log_out_while_one_looks_at_the_past(open_site: OpenSite) -> None:
    site = await open_site()
    (action,) = re.findall(r'action="(/logout[^"]*)"', await site.text("/keys?as_of=120"))
    async with site.http.post(action, allow_redirects=False) as answer:
        assert (answer.status, answer.headers.get("Location")) == (303, "/login")


async def test_what_is_sent_to_the_past_is_refused_on_a_page(open_site: OpenSite) -> None:
    site = await open_site()
    async with site.http.post("/control_units/A/edit?as_of=120") as answer:
        assert (answer.status, answer.content_type) == (409, "text/html")
        assert 'data-now href="/control_units/A/edit"' in await answer.text()


async def test_what_a_form_sends_when_there_are_too_many_comes_back(open_site: OpenSite) -> None:
    site = await open_site(most_requests=0)
    sent = {"new_id": "B", "reason": "one\ntwo", "request_id": "17"}
    async with site.http.post("/control_units/A/rename", data=sent) as answer:
        assert answer.status == 503
        text = await answer.text()
    assert "MDS_WEB_REQUESTS" in text
    assert "Nothing was saved; try again" in text
    assert 'data-again="1"' in text, "scripts send it again"
    assert form_in(text, "/control_units/A/rename").fields == sent
    assert LEADS_AWAY in text, "a theme without scripts has nothing of it to come back with"
    async with site.http.post("/theme", data={"theme": "dark"}, allow_redirects=False) as answer:
        assert answer.status == 303, "what costs little is done"


async def test_what_a_form_sends_to_a_page_that_fails_comes_back(
    open_site: OpenSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("webui.datasets.renaming.new_request_id")
    monkeypatch.delattr("webui.frame.palette.here_of")
    site = await open_site()
    sent = {"new_id": "B", "reason": "colder"}
    with capture_logs() as logged:
        async with site.http.post("/control_units/A/rename", data=sent) as answer:
            assert answer.status == 500
            text = await answer.text()
        assert form_in(text, "/control_units/A/rename").fields == sent
        assert "It may have been saved; try again" in text
        assert "Nothing was saved" not in text
        assert "Something went wrong here" in await site.text("/palette", status=500)
    failed = [each["path"] for each in logged if each["event"] == "page_failed"]
    assert failed == ["/control_units/A/rename", "/palette"]


SILENT = [
    (
        "snapshots.taking.COMPARE_SECONDS",
        "/snapshots/new",
        {"all": "1", "name": "a"},
        {"look": "1"},
    ),
    (
        "datasets.rebase.PLAN_SECONDS",
        "/templates/T/rebase",
        {"unit": "A", "plan": "p"},
        {"plan": ""},
    ),
    (
        "datasets.bulk.WRITE_SECONDS",
        "/datasets/edit/apply",
        {"id": "A", "do:label": "set", "count": "1", "typed_count": "1"},
        {"typed_count": "2"},
    ),
]


@pytest.mark.parametrize(
    ("limit", "path", "sent", "only_looks"), SILENT, ids=["snapshot", "rebase", "many units"]
)
async def test_only_of_what_was_to_be_written_nobody_knows_whether_it_was(
    open_site: OpenSite,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    path: str,
    sent: dict[str, str],
    only_looks: dict[str, str],
) -> None:
    monkeypatch.setattr(f"webui.{limit}", 0.2)
    site = await open_site()
    for fields, told in ((sent, "It may have been"), (sent | only_looks, "Nothing was")):
        async with site.http.post(path, data=fields) as answer:
            assert f"<h1>{told} saved; try again</h1>" in await answer.text()


@pytest.mark.parametrize(
    ("reason", "code", "is_mended"),
    [
        ("INTERNAL_FAULT", StatusCode.INTERNAL, False),
        ("SCHEMA_UNKNOWN", StatusCode.UNAVAILABLE, True),
        ("UNIMPLEMENTED", StatusCode.UNIMPLEMENTED, True),
        ("UNIT_NOT_FOUND", StatusCode.NOT_FOUND, True),
    ],
)
def test_a_fault_behind_a_write_is_told_as_one_where_it_may_be_done(
    reason: str, code: StatusCode, *, is_mended: bool
) -> None:
    detail = Any()
    detail.Pack(ErrorInfo(reason=reason, domain="mds"))
    failure = from_status(Status(message="why", details=[detail]), code)
    assert can_be_mended(failure) == is_mended
    assert may_be_done(failure) != is_mended


async def test_a_form_that_sends_too_much_is_told_so_on_a_page(open_site: OpenSite) -> None:
    site = await open_site()
    sent = BytesIO(b"new_id=B&reason=" + b"x" * 1_200_000)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with site.http.post("/control_units/A/rename", data=sent, headers=kind) as answer:
        assert (answer.status, answer.content_type) == (413, "text/html")
        assert '<a href="/control_units/A/rename">' in await answer.text()


@pytest.mark.usefixtures("german")
def test_a_page_without_a_frame_says_its_language() -> None:
    templates = environment()
    templates.globals["asset"] = str
    text = templates.get_template("access/closed.html").render(title="Zu", message="Zu.")
    assert '<html lang="de"' in text
