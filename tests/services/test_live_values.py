"""What units report that their inputs are set to: kept, fenced, listed, taken and compared."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from metadata_server.domain.filter.asked_list import AskedList
from metadata_server.domain.filter.vocabulary import LIVE_VALUES
from metadata_server.domain.intent.attribute import ValueType
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.edit import UnitSelection
from metadata_server.domain.intent.facility import SavedUnit, SavedValue, Snapshot
from metadata_server.domain.life.state import Contact
from metadata_server.domain.refused import Refused
from metadata_server.domain.values.live_values import ReportedValue, UnitLiveValues, UnitValues
from metadata_server.domain.values.snapshot_comparison import Outcome
from metadata_server.domain.values.tolerance import Tolerance
from metadata_server.services.life.reports import steady_now_us
from metadata_server.services.values.live_values import LiveValues
from metadata_server.services.values.snapshots import Compared, Comparing, Side, Snapshots
from metadata_server.services.values.taking import SnapshotTaking, Taken, Taking
from metadata_server.store.store import Store
from metadata_server.store.values.live_value_table import live_value
from metadata_server.store.values.live_values import write_values
from tests.services.lively import CALLER, Facility, attached, facility
from tests.stages.waiting import until

ALL = UnitSelection()


def values(unit: str, sequence: int, current: str, *, age_s: float = 0) -> UnitValues:
    since_us = steady_now_us() - round(age_s * 1_000_000)
    return UnitValues(
        unit, sequence, (ReportedValue("current", ValueType.DOUBLE, current, since_us),)
    )


async def listed(store: Store, selection: UnitSelection = ALL) -> dict[str, UnitLiveValues]:
    found = await LiveValues(store).list(selection, AskedList(word=LIVE_VALUES))
    return {each.control_unit: each for each in found.value}


async def texts(store: Store) -> dict[str, Sequence[str] | None]:
    return {
        id: None if each.values is None else [value.value for value in each.values]
        for id, each in (await listed(store)).items()
    }


async def until_written(store: Store, **currents: str) -> None:
    """Waits until units have exactly these values; empty: they have said that they have none."""
    wanted = {id: [current] if current else [] for id, current in currents.items()}

    async def so() -> bool:
        found = await texts(store)
        return {id: each for id, each in found.items() if each is not None} == wanted

    await until(so, within=10, what=f"{wanted}")


async def take(found: Facility, id: str, *, even_so: bool = False, **how: object) -> Taken:
    taking = replace(Taking(id=id, selection=ALL, even_so=even_so), **how)  # type: ignore[arg-type]
    return (await SnapshotTaking(found.store).take(CALLER, taking, validate_only=False)).value


async def test_values_are_kept_with_their_age_and_claim_no_revision(store: Store) -> None:
    async with facility(store) as found:
        await found.declare("A", "B")
        registered = await found.register()
        async with attached(found, registered) as (attachment, ear):
            before = await found.position()
            await attachment.value([values("A", 1, "1.5", age_s=60), values("B", 2, "2")])
            await until_written(store, A="1.5", B="2")
            a = (await listed(store))["A"]
            assert (a.contact, a.is_in_touch) == (Contact.ALIVE, True)
            assert a.values is not None
            assert a.values[0].type is ValueType.DOUBLE
            assert 59 < (a.read_us - a.values[0].time_us) / 1_000_000 < 75
            assert await found.position() == before
            await attachment.value([values("A", 3, "1.75")])
            await until_written(store, A="1.75", B="2")
            assert ear.refused == {}
        assert (await LiveValues(store).get("B")).value.values is not None
        with pytest.raises(Refused, match="CONTROL_UNIT_NOT_FOUND"):
            await LiveValues(store).get("C")


async def test_an_older_report_and_a_zombie_change_nothing(store: Store) -> None:
    async with facility(store) as found:
        await found.declare("A")
        first = await found.register()
        async with attached(found, first) as (attachment, _):
            await attachment.value([values("A", 5, "5")])
            await until_written(store, A="5")
        key = (await found.statuses())["A"].key
        second = await found.register(incarnation="second", take_over=True)

        async def written(session: str, sequence: int, current: str) -> int:
            """What a replica writes that has not heard yet of what became of a session."""
            report = {key: (session, values("A", sequence, current))}
            answer = await store.transact(
                lambda unit: write_values(unit, report, steady_us=steady_now_us())
            )
            return answer.value

        assert await written(first.session.id, 6, "6") == 0
        assert await texts(store) == {"A": ["5"]}
        assert (await listed(store))["A"].contact is Contact.NONE
        assert await written(second.session.id, 2, "2") == 1
        assert await written(second.session.id, 1, "1") == 0
        assert await written(second.session.id, 2, "7") == 0
        assert await written(first.session.id, 9, "9") == 0
        assert await texts(store) == {"A": ["2"]}
        assert (await listed(store))["A"].contact is Contact.ALIVE


async def test_the_newest_of_what_waits_is_written_and_nothing_of_other_units(
    store: Store,
) -> None:
    async with facility(store) as found:
        await found.declare("A", "B")
        registered = await found.register()
        async with attached(found, registered) as (attachment, ear):
            wrong = UnitValues("B", 3, (ReportedValue("a b", ValueType.DOUBLE, "1", 0),))
            await attachment.value([values("A", 1, "1"), values("C", 2, "1"), wrong])
            await attachment.value([values("A", 4, "4")])
            await until_written(store, A="4")
            await until(lambda: ear.refused == {"B": "INVALID_FIELD"}, within=10)
            (refusal,) = [each for word in ear.words for each in word.not_taken]
            assert refusal.of_values


async def test_the_values_of_a_deleted_unit_are_forgotten(store: Store) -> None:
    async with facility(store) as found:
        await found.declare("A")
        async with attached(found, await found.register()) as (attachment, _):
            await attachment.value([values("A", 1, "1")])
            await until_written(store, A="1")
        await found.resources.delete(CALLER, ControlUnit, "A", etag="*", validate_only=False)
        rows = await store.read(lambda unit: unit.connection.execute(live_value.select()).all())
        assert rows.value == []


async def test_a_snapshot_is_taken_of_what_units_last_said(store: Store) -> None:
    async with facility(store) as found:
        await found.declare("A", "B")
        async with attached(found, await found.register()) as (attachment, _):
            await attachment.value([values("A", 1, "1.5"), UnitValues("B", 2, ())])
            await until_written(store, A="1.5", B="")
            taken = await take(found, "now", description="as it is", marks=("b", "a", "b"))
        assert (taken.without_values, taken.not_in_touch) == ((), ())
        saved = (await found.resources.get(Snapshot, "now")).value
        assert saved == taken.snapshot
        assert saved.units == (SavedUnit("A", (SavedValue("current", ValueType.DOUBLE, "1.5"),)),)
        assert (saved.marks, saved.description) == (("a", "b"), "as it is")
        assert saved.taken_time_us > 0
        with pytest.raises(Refused, match="ALREADY_EXISTS"):
            await take(found, "now")
        with pytest.raises(Refused, match="NOTHING_SELECTED"):
            await take(found, "none", selection=UnitSelection(id_prefix="X/"))
        with pytest.raises(Refused, match="CONTROL_UNIT_NOT_FOUND"):
            await take(found, "none", selection=UnitSelection(ids=("A", "X")))


async def test_units_without_values_or_contact_stand_against_a_snapshot(store: Store) -> None:
    async with facility(store) as found:
        await found.declare("A", "B")
        async with attached(found, await found.register()) as (attachment, _):
            await attachment.value([values("A", 1, "1")])
            await until_written(store, A="1")
            await attachment.say_goodbye()
        with pytest.raises(Refused, match="VALUES_MISSING") as refused:
            await take(found, "now")
        assert "B have reported no values. A are not in touch." in refused.value.message
        assert [each.value for each in refused.value.fields] == ["B", "A"]
        taken = await take(found, "now", even_so=True)
        assert (taken.without_values, taken.not_in_touch) == (("B",), ("A",))
        assert [each.control_unit for each in taken.snapshot.units] == ["A"]


async def test_a_repeated_request_takes_nothing_again(store: Store) -> None:
    async with facility(store) as found:
        await found.declare("A", "B")
        async with attached(found, await found.register()) as (attachment, _):
            await attachment.value([values("A", 1, "1")])
            await until_written(store, A="1")
            caller = replace(CALLER, request_id="r1", payload_hash="same")
            taking = Taking(id="now", selection=ALL, even_so=True)
            service = SnapshotTaking(store)
            tried = await service.take(caller, taking, validate_only=True)
            assert tried.value.without_values == ("B",)
            first = await service.take(caller, taking, validate_only=False)
            await attachment.value([values("A", 2, "2")])
            await until_written(store, A="2")
            again = await service.take(caller, taking, validate_only=False)
            assert again.value == first.value
            assert again.value.without_values == ("B",)


async def test_a_snapshot_is_compared_with_live_values(store: Store) -> None:
    async with facility(store) as found:
        await found.declare("A", "B")

        async def compare() -> Compared:
            how = Comparing(id="now", other=Side.LIVE, tolerance=Tolerance())
            return (await Snapshots(store).compare(how)).value

        async with attached(found, await found.register()) as (attachment, _):
            await attachment.value([values("A", 1, "1"), values("B", 2, "2")])
            await until_written(store, A="1", B="2")
            await take(found, "now")
            assert (await compare()).comparison.counts == {Outcome.EQUAL: 2}
            await attachment.value([values("A", 3, "1.5")])
            await until_written(store, A="1.5", B="2")
            (difference,) = (await compare()).comparison.differences
            assert (difference.control_unit, difference.other_value) == ("A", "1.5")
            assert (await compare()).not_in_touch == ()
            await attachment.say_goodbye()
        assert (await compare()).not_in_touch == ("A", "B")
