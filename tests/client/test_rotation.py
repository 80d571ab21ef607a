"""Which of several servers is asked."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from control_units.client.rotation import LONGEST_PENALTY_S, PENALTY_S, Rotation, Server


@dataclass
class World:
    """What a rotation sees: a time, and which servers can be connected to."""

    now: float = 1000.0
    well: set[str] = field(default_factory=lambda: {"a", "b", "c"})

    def rotation(self, *servers: Server) -> Rotation:
        made = Rotation(self.well.__contains__, lambda: self.now)
        made.replace(servers or servers_of("abc"))
        return made


def servers_of(names: str) -> list[Server]:
    return [Server(address=name) for name in names]


def firsts(*servers: Server) -> Counter[str]:
    """What a thousand clients ask first."""
    return Counter(World().rotation(*servers).address for _ in range(1000))


def test_clients_spread_over_servers() -> None:
    assert min(firsts().values()) > 250


def test_clients_spread_by_weight() -> None:
    drawn = firsts(Server(address="a", weight=1), Server(address="b", weight=9))
    assert 50 < drawn["a"] < 160


def test_a_server_without_weight_is_asked_when_the_others_are_gone() -> None:
    rotation = World().rotation(Server(address="a", weight=0), Server(address="b", weight=5000))
    rotation.leave("b")
    assert rotation.address == "a"


def test_servers_of_a_later_priority_are_asked_only_while_the_others_are_gone() -> None:
    world = World()
    assert set(firsts(*servers_of("ab"), Server(address="c", priority=1))) == {"a", "b"}
    rotation = world.rotation(*servers_of("ab"), Server(address="c", priority=1))
    rotation.leave(rotation.address)
    assert rotation.address in "ab"
    rotation.leave(rotation.address)
    assert rotation.address == "c"
    world.now += PENALTY_S
    assert rotation.address in "ab"


def test_a_dead_server_leaves_the_rotation_and_comes_back_when_it_can_be_connected_to() -> None:
    world = World()
    rotation = world.rotation()
    first = rotation.address
    world.well.discard(first)
    rotation.leave(first)
    second = rotation.address
    assert second != first
    world.now += 10 * LONGEST_PENALTY_S
    assert rotation.address == second, "it is dead"
    world.well.add(first)
    assert rotation.address == first, "each client comes back to its own"


def test_one_that_refuses_though_it_is_connected_is_asked_less_and_less() -> None:
    world = World()
    rotation = world.rotation(*servers_of("ab"))
    first, begin = rotation.address, world.now
    asked = 0
    while world.now < begin + 180:
        if rotation.address == first:
            asked += 1
            rotation.leave(first)
        world.now += 1
    assert 4 <= asked <= 7


def test_a_server_that_another_call_has_left_already_is_not_left_again() -> None:
    world = World()
    rotation = world.rotation()
    first = rotation.address
    rotation.leave(first)
    second = rotation.address
    rotation.leave(first)
    assert rotation.address == second


def test_when_all_were_left_they_are_asked_in_turn() -> None:
    world = World(well=set())
    rotation = world.rotation()
    asked = []
    for _ in range(6):
        asked.append(rotation.address)
        rotation.leave(rotation.address)
        world.now += 0.1
    assert sorted(asked[:3]) == ["a", "b", "c"]
    assert asked[3:] == asked[:3]


def test_clients_of_a_dead_server_spread_over_all_others() -> None:
    taken: Counter[str] = Counter()
    for _ in range(1000):
        rotation = World().rotation()
        if rotation.address == "a":
            rotation.leave("a")
            taken[rotation.address] += 1
    assert min(taken["b"], taken["c"]) > 100


def test_who_comes_gets_its_share_and_the_others_keep_theirs() -> None:
    moved: Counter[str] = Counter()
    for _ in range(1000):
        rotation = World().rotation()
        before = rotation.address
        rotation.replace(servers_of("dabc"))
        if rotation.address != before:
            moved[rotation.address] += 1
    assert set(moved) == {"d"}
    assert 180 < moved["d"] < 320


def test_who_is_no_longer_there_is_not_asked() -> None:
    rotation = World().rotation()
    rotation.replace(servers_of("b"))
    assert rotation.address == "b"
    rotation.replace([])
    assert rotation.address == ""


@pytest.mark.parametrize("unknown", ["", "x"])
def test_leaving_one_that_is_unknown_changes_nothing(unknown: str) -> None:
    rotation = World().rotation()
    before = rotation.address
    rotation.leave(unknown)
    assert rotation.address == before
