"""Nobody goes on after a restore as if nothing had happened since the backup."""

from collections.abc import AsyncIterator
from contextlib import closing

import pytest
from sqlalchemy import select

from metadata_server.domain.deliveries.webhook import Webhook
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.orchestration.operation import Operation, Order, Phase
from metadata_server.domain.orchestration.order_plan import Verb
from metadata_server.domain.refused import Refused
from metadata_server.services.intent.resources import Resources
from metadata_server.services.life.liveness import Liveness
from metadata_server.services.orchestration.operations import Giving, Operations
from metadata_server.services.orchestration.steering import Steering
from metadata_server.services.past.undo import Undo
from metadata_server.services.watching.reaching import Reaching
from metadata_server.services.watching.tailer import Tailer
from metadata_server.store.deliveries.webhook_tables import webhook_course
from metadata_server.store.deliveries.webhooks import claim_webhook, write_course
from metadata_server.store.orchestration.operation_tables import operation as operations
from metadata_server.store.orchestration.operations import Fenced, claim_operation, keep_operation
from metadata_server.store.past.changes import ALL_KINDS
from metadata_server.store.store import Store
from metadata_server.store.unit_of_work import UnitOfWork
from tests.backups.conftest import Open, backed_up, restored
from tests.services.lively import (
    CALLER,
    COMING,
    TIMING,
    Facility,
    attached,
    facility,
    report,
)
from tests.stages.opened_store import opened_store
from tests.stages.waiting import until

LEASE_US = 4_000_000


@pytest.fixture
async def before(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Facility]:
    """The facility that is backed up, and goes on."""
    url = f"sqlite:///{tmp_path_factory.mktemp('before') / 'mds.sqlite'}"
    with opened_store(url) as store:
        async with facility(store) as found:
            await found.declare("A", "B")
            yield found


async def start(facility: Facility) -> Operation:
    order = Order(verb=Verb.STOP, selection=UnitSelection(ids=("A",)))
    created = await Operations(facility.store, on_due=lambda: None).create(CALLER, order, Giving())
    return created.value


async def test_no_session_is_alive_and_its_process_may_register_again(
    before: Facility, database: str, opens: Open
) -> None:
    told = await before.register()
    async with attached(before, told) as (attachment, _):
        await attachment.report([report("A", 1, State.RUNNING)])
        await until(lambda: is_running(before), what="A to run")
    backup = backed_up(before.store.database)
    target = opens(database)
    done = restored(target, backup)
    assert done.settled.sessions == 1
    store = Store(target)
    after = Facility(store, Resources(store), before.liveness, before.tailer)
    session, lease = await after.held()
    assert (session.id, session.end_reason) == (told.session.id, EndReason.LEASE_ENDED)
    assert (session.contact, lease.ended) == (Contact.LOST, True)
    assert (await after.statuses())["A"].state is State.RUNNING  # the last that it said
    liveness = Liveness(store, Tailer(store), TIMING, stream_age_s=600, adopt=False)
    again = (await liveness.registration.register(COMING, CALLER)).value
    assert again.session.id != told.session.id
    assert {each.unit.id for each in again.assignments} == {"A", "B"}


async def is_running(found: Facility) -> bool:
    return (await found.statuses())["A"].state is State.RUNNING


async def test_positions_of_before_are_refused_and_numbers_go_beyond(
    before: Facility, database: str, opens: Open
) -> None:
    backup = backed_up(before.store.database)
    for current in range(5):
        await before.change("A", description=f"lost {current}")
    lost = await before.position()
    stale = (await before.resources.get(ControlUnit, "A")).value.etag
    target = opens(database)
    done = restored(target, backup)
    store = Store(target)
    now = (await store.read(lambda unit: unit.position)).value
    assert now == done.settled.position
    assert now.store_id == lost.store_id
    assert (now.epoch > lost.epoch + 1_000, now.revision > lost.revision) == (True, True)
    with pytest.raises(Refused) as reset:
        await Reaching(store).reach(f"{lost.store_id}/{lost.epoch}/{lost.revision}")
    assert reset.value.reason == "HISTORY_RESET"
    resources = Resources(store)
    unit = (await resources.get(ControlUnit, "A")).value
    assert unit.description == ""
    assert unit.etag != stale
    with pytest.raises(Refused) as other:
        await resources.delete(CALLER, ControlUnit, "A", etag=stale, validate_only=False)
    assert other.value.reason == "ETAG_MISMATCH"


async def test_a_second_restore_of_the_same_backup_is_another_epoch(
    before: Facility, database: str, sqlite_database: str, opens: Open
) -> None:
    backup = backed_up(before.store.database)
    first = restored(opens(database), backup).settled.position
    again = restored(opens(sqlite_database + "-again"), backup).settled.position
    assert first.epoch != again.epoch


async def test_who_follows_a_store_is_told_that_it_is_another(
    before: Facility, mariadb_database: str, opens: Open
) -> None:
    """A replica that runs on while the database below it is restored."""
    backup = backed_up(before.store.database)
    target = opens(mariadb_database)
    ended: list[Refused] = []
    with closing(Store(target)) as store:
        tailer = Tailer(store)
        await tailer.follow(Follower(ended))
        restored(target, backup)
        await tailer._look()
    assert [each.reason for each in ended] == ["HISTORY_RESET"]


class Follower:
    """Takes down how it is ended."""

    def __init__(self, ended: list[Refused]) -> None:
        self._ended = ended
        self.kinds = ALL_KINDS

    def offer(self, *_: object) -> None:
        """Nothing happens here but that it ends."""

    def end(self, refused: Refused) -> None:
        self._ended.append(refused)


async def test_operations_under_way_are_paused_and_say_why(
    before: Facility, database: str, opens: Open
) -> None:
    operation = await start(before)
    backup = backed_up(before.store.database)
    target = opens(database)
    done = restored(target, backup)
    assert done.settled.operations == (operation.name,)
    store = Store(target)
    reads = Operations(store, on_due=lambda: None)
    found = (await reads.get(operation.id)).value
    assert (found.phase, found.minor_state) == (Phase.SUSPENDED, "Paused")
    assert "restored from a backup" in found.message
    resumed = await Steering(store, on_due=lambda: None).resume(
        CALLER, operation.id, validate_only=False
    )
    assert resumed.value.phase is Phase.QUEUED


async def test_units_stay_as_they_are_until_that_is_undone(
    before: Facility, sqlite_database: str, opens: Open
) -> None:
    target = opens(sqlite_database)
    settled = restored(target, backed_up(before.store.database), keep_still=True).settled
    assert settled.stilled == 2
    store = Store(target)
    resources = Resources(store)
    assert (await resources.get(ControlUnit, "A")).value.desired_state is State.UNSPECIFIED
    await Undo(store).undo(
        CALLER, settled.position.revision, validate_only=False, skip_invalid=False
    )
    assert (await resources.get(ControlUnit, "A")).value.desired_state is State.RUNNING


async def test_fences_of_before_hold_nothing_ever_again(
    before: Facility, database: str, opens: Open
) -> None:
    await start(before)
    hook = Webhook(id="hook", url="http://127.0.0.1:9/")
    await before.resources.create(CALLER, hook, validate_only=False)
    operation_key, hook_key = await keys(before.store)
    await claim_all(before.store, operation_key, hook_key)
    backup = backed_up(before.store.database)
    fences = [await claim_all(before.store, operation_key, hook_key) for _ in range(3)][-1]
    target = opens(database)
    restored(target, backup)
    store = Store(target)

    def hold_on(unit: UnitOfWork) -> None:
        keep_operation(unit, operation_key, fences[0], lease_us=LEASE_US)

    def write_on(unit: UnitOfWork) -> None:
        write_course(unit, hook_key, fences[1], attempts=1)

    for work in (hold_on, write_on):
        for _ in range(4):  # also when others have claimed as often as before
            with pytest.raises(Fenced):
                await store.transact(work)
            await claim_all(store, operation_key, hook_key)


async def keys(store: Store) -> tuple[int, int]:
    def work(unit: UnitOfWork) -> tuple[int, int]:
        key = unit.connection.execute(select(operations.c.key)).scalar_one()
        return key, unit.resources.get(Webhook, "hook").meta.key

    return (await store.read(work)).value


async def claim_all(store: Store, operation_key: int, hook_key: int) -> tuple[int, int]:
    """Fences of whoever takes an operation and a webhook now, their leases having run out."""

    def work(unit: UnitOfWork) -> tuple[int, int]:
        for table in (operations, webhook_course):
            unit.connection.execute(table.update().values(due_us=0))
        first = claim_operation(unit, operation_key, replica="r", lease_us=LEASE_US)
        second = claim_webhook(unit, hook_key, replica="r", lease_us=LEASE_US)
        assert first is not None
        assert second is not None
        return first, second

    return (await store.transact(work)).value
