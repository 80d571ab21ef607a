"""Who is in touch, who is lost, and when nobody can tell."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from metadata_server.api.lease_figures import add_lease_figures
from metadata_server.domain.life.session import EndReason
from metadata_server.domain.life.state import Contact
from metadata_server.domain.names import Kind
from metadata_server.domain.refused import Refused
from metadata_server.store import schema
from metadata_server.store.life.leases import renew
from metadata_server.store.store import Store
from tests.services.lively import TIMING, Facility, attached, facility
from tests.stages.waiting import until


@pytest.fixture
async def lab(store: Store) -> AsyncIterator[Facility]:
    async with facility(store) as found:
        await found.declare("A/PS1", "A/PS2")
        yield found


async def contact(lab: Facility) -> Contact:
    return (await lab.held())[0].contact


def figure(lab: Facility, name: str) -> float | None:
    add_lease_figures(registry := CollectorRegistry(), lab.liveness.sweeps)
    return registry.get_sample_value(name)


async def beat(lab: Facility, session: str) -> None:
    await lab.store.transact(lambda unit: renew(unit, [session], lease_us=TIMING.lease_us))


async def lives(lab: Facility) -> list[tuple[int | None, str | None]]:
    table = schema.instantiation
    query = select(table.c.end_time_us, table.c.end_reason).order_by(table.c.begin_time_us)
    rows = (await lab.store.read(lambda unit: unit.connection.execute(query).all())).value
    return [(row.end_time_us, row.end_reason) for row in rows]


async def test_one_that_beats_is_alive_and_sweeps_write_nothing_of_it(lab: Facility) -> None:
    await lab.register()
    before = await lab.position()
    await lab.pass_time(6)
    await lab.liveness.sweeps.sweep()
    assert await contact(lab) is Contact.ALIVE
    assert await lab.position() == before


async def test_two_missed_beats_make_it_suspect_and_a_beat_alive_again(lab: Facility) -> None:
    registered = await lab.register()
    await lab.pass_time(12)
    await lab.liveness.sweeps.sweep()
    assert await contact(lab) is Contact.SUSPECT
    await beat(lab, registered.session.id)
    await lab.pass_time(1)
    await lab.liveness.sweeps.sweep()
    assert await contact(lab) is Contact.ALIVE


async def test_one_silent_for_a_lease_is_lost_with_its_lives(lab: Facility) -> None:
    await lab.register()
    _, lease = await lab.held()
    await lab.pass_time(21)
    swept = await lab.liveness.sweeps.sweep()
    assert swept is not None
    assert swept.changed == {Contact.LOST: 1}
    assert figure(lab, "mds_leases_ended_total") == 1
    session, ended = await lab.held()
    assert (session.contact, session.end_reason) == (Contact.LOST, EndReason.LEASE_ENDED)
    assert session.end_time_us == lease.end_us - 21_000_000, "it ended when its lease ran out"
    assert ended.ended
    assert await lives(lab) == [(session.end_time_us, "LEASE_ENDED")] * 2


async def test_many_changes_of_contact_are_one_revision(lab: Facility) -> None:
    await lab.register()
    before = (await lab.position()).revision
    await lab.pass_time(21)
    await lab.liveness.sweeps.sweep()
    assert (await lab.position()).revision == before + 1


async def test_a_lost_session_is_not_revived_by_a_late_beat(lab: Facility) -> None:
    registered = await lab.register()
    await lab.pass_time(21)
    await lab.liveness.sweeps.sweep()
    await beat(lab, registered.session.id)
    session, lease = await lab.held()
    assert session.contact is Contact.LOST
    assert lease.ended


async def test_a_lost_unit_servers_stream_is_ended(lab: Facility) -> None:
    registered = await lab.register()
    async with attached(lab, registered) as (_, ear):
        await until(lambda: ear.words, what="the first word")
        await lab.pass_time(21)
        await lab.liveness.sweeps.sweep()
        await until(lambda: ear.is_over, what="the end of the stream")
    assert ear.ended is not None
    assert ear.ended.reason == "SESSION_ENDED"


async def test_a_blind_observer_ends_nobody_and_says_that_it_cannot_tell(lab: Facility) -> None:
    await lab.register()
    await lab.not_look(60)
    swept = await lab.liveness.sweeps.sweep()
    assert swept is not None
    assert swept.went_blind
    session, lease = await lab.held()
    assert session.contact is Contact.UNKNOWN
    assert not lease.ended


async def test_the_begin_and_the_end_of_a_blindness_are_told_also_of_who_was_just_heard(
    lab: Facility,
) -> None:
    """Nobody looked for longer than a heartbeat, but nobody was silent for two either."""
    registered = await lab.register()
    kinds = {Kind.UNIT_SERVER_STATUS}
    # After its coming, of which the tailer may not have heard yet.
    async with lab.tailer.subscribe(await lab.position(), kinds=kinds) as changes:
        await lab.not_look(7)
        await lab.liveness.sweeps.sweep()
        await beat(lab, registered.session.id)
        await let_sweep(lab)
        await lab.liveness.sweeps.sweep()
        contacts: list[Contact] = []
        while len(contacts) < 2:  # in one batch, or in two
            batch = await changes.next(10)
            assert batch is not None, contacts
            contacts += [each.contact for each in batch.changes]
    assert contacts == [Contact.UNKNOWN, Contact.ALIVE]


async def test_after_a_blindness_a_beat_is_enough_to_be_alive(lab: Facility) -> None:
    registered = await lab.register()
    await lab.not_look(60)
    await lab.liveness.sweeps.sweep()
    await beat(lab, registered.session.id)
    await let_sweep(lab)
    await lab.liveness.sweeps.sweep()
    assert await contact(lab) is Contact.ALIVE


async def test_one_that_stays_silent_after_a_blindness_is_lost_a_lease_later(
    lab: Facility,
) -> None:
    await lab.register()
    await lab.not_look(60)
    await lab.liveness.sweeps.sweep()
    await lab.pass_time(21)
    await end_grace(lab)
    await lab.liveness.sweeps.sweep()
    assert await contact(lab) is Contact.LOST


async def test_another_node_makes_it_blind(lab: Facility) -> None:
    await lab.register()
    await lab.pass_time(60)
    await lab.store.transact(
        lambda unit: unit.connection.execute(schema.observer.update().values(node="another"))
    )
    swept = await lab.liveness.sweeps.sweep()
    assert swept is not None
    assert swept.went_blind
    assert await contact(lab) is Contact.UNKNOWN


async def test_a_clock_gone_backward_makes_it_blind_for_a_lease_and_no_longer(
    lab: Facility,
) -> None:
    await lab.register()
    await lab.set_clock_back(3600)
    swept = await lab.liveness.sweeps.sweep()
    assert swept is not None
    assert swept.went_blind
    assert await contact(lab) is Contact.UNKNOWN
    await lab.pass_time(21)
    await end_grace(lab)
    await lab.liveness.sweeps.sweep()
    assert await contact(lab) is Contact.LOST
    await lab.register(incarnation="second")


async def test_a_session_that_begins_after_the_clock_went_backward_has_a_lease_like_others(
    lab: Facility,
) -> None:
    """Though the times of revisions go on growing."""
    await lab.set_clock_back(3600)
    await lab.liveness.sweeps.sweep()
    await lab.register()
    await lab.pass_time(21)
    await end_grace(lab)
    await lab.liveness.sweeps.sweep()
    assert await contact(lab) is Contact.LOST


async def test_a_rival_finds_the_holder_protected_while_the_observer_is_blind(
    lab: Facility,
) -> None:
    await lab.register()
    await lab.not_look(60)
    await lab.liveness.sweeps.sweep()
    with pytest.raises(Refused, match="ALREADY_RUNNING"):
        await lab.register(incarnation="second")


async def test_of_two_replicas_only_one_sweeps_at_a_time(lab: Facility) -> None:
    await let_sweep(lab)
    assert await lab.liveness.sweeps.sweep() is not None
    assert await lab.liveness.sweeps.sweep() is None


async def let_sweep(lab: Facility) -> None:
    """Lets the next sweep be due."""
    await lab.store.transact(
        lambda unit: unit.connection.execute(
            schema.observer.update().values(sweep_us=unit.now_us - TIMING.sweep_us)
        )
    )


async def end_grace(lab: Facility) -> None:
    await lab.store.transact(
        lambda unit: unit.connection.execute(
            schema.observer.update().values(blind_until_us=unit.now_us - 1)
        )
    )
