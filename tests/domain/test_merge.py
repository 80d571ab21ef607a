"""Taking a change back: what it set goes back, what others set stays, the same field is contested."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from metadata_server.domain.intent.attribute import AttributeOverride, Driver
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.merge import Contested, merge
from metadata_server.domain.resource import Meta, Resource
from metadata_server.domain.tree import Tree, resource_of, tree_of
from tests.api.resources import BY_KIND
from tests.domain.test_tree import has_unique_names

TRIPLES = st.sampled_from(sorted(BY_KIND)).flatmap(
    lambda kind: st.tuples(*[BY_KIND[kind].filter(has_unique_names)] * 3)
)
Triple = tuple[Resource, Resource, Resource]
TEXTS = st.dictionaries(st.sampled_from("abcdef"), st.text(max_size=2), max_size=4)


def exact(tree: Tree) -> str:
    """With its order."""
    return json.dumps(tree)


@given(TRIPLES)
def test_a_change_that_nobody_has_touched_goes_back_as_a_whole(triple: Triple) -> None:
    before, after, _ = (tree_of(each) for each in triple)
    merged = merge(after, before, after)
    assert merged.contested == ()
    assert exact(merged.tree) == exact(before)


@given(TRIPLES)
def test_a_change_that_is_taken_back_already_stays_so(triple: Triple) -> None:
    before, after, _ = (tree_of(each) for each in triple)
    merged = merge(after, before, before)
    assert merged.contested == ()
    assert exact(merged.tree) == exact(before)


@given(TRIPLES)
def test_what_the_change_did_not_touch_stays_as_others_have_set_it(
    triple: Triple,
) -> None:
    target, base, now = (tree_of(each) for each in triple)
    merged = merge(base, target, now)
    for name in now:
        if base.get(name) == target.get(name) and exact({"": base.get(name, "")}) == exact(
            {"": target.get(name, "")}
        ):
            assert merged.tree[name] == now[name]


@given(TRIPLES)
def test_what_is_merged_is_a_resource_again(triple: Triple) -> None:
    target, base, now = triple
    merged = merge(tree_of(base), tree_of(target), tree_of(now))
    found = resource_of(type(now), merged.tree, id=now.id, meta=now.meta)
    assert tree_of(found) == merged.tree


@given(TEXTS, TEXTS, TEXTS)
def test_names_that_different_people_have_changed_do_not_meet(
    target: dict[str, str], base: dict[str, str], others: dict[str, str]
) -> None:
    """Labels: each name is a field of its own."""
    now = {name: value for name, value in base.items() if name not in others or name > "c"}
    now |= {name: value for name, value in others.items() if name > "c"}
    merged = merge({"labels": {**base}}, {"labels": {**target}}, {"labels": {**now}})
    contested = {each.path for each in merged.contested}
    labels = merged.tree.get("labels", {})
    assert isinstance(labels, dict)
    for name in set(target) | set(base) | set(now):
        change, since = base.get(name) != target.get(name), now.get(name) != base.get(name)
        if change and since and now.get(name) != target.get(name):
            assert f"labels[{name}]" in contested
        elif change:
            assert labels.get(name) == target.get(name)
        else:
            assert labels.get(name) == now.get(name)


def unit(**content: object) -> Tree:
    return tree_of(ControlUnit(id="A/1", **content))  # type: ignore[arg-type]


def override(**facets: str) -> AttributeOverride:
    return AttributeOverride("current", facets)


def test_the_maximum_goes_back_and_the_minimum_of_somebody_else_stays() -> None:
    merged = merge(
        base=unit(overrides=(override(maximum="60"),)),
        target=unit(overrides=(override(maximum="50"),)),
        now=unit(overrides=(override(maximum="60", minimum="0"),), description="new"),
    )
    assert merged.contested == ()
    assert merged.tree == unit(overrides=(override(maximum="50", minimum="0"),), description="new")


def test_a_field_that_was_set_again_is_contested_and_stays() -> None:
    now = unit(overrides=(override(maximum="70"),))
    merged = merge(
        base=unit(overrides=(override(maximum="60"),)),
        target=unit(overrides=(override(maximum="50"),)),
        now=now,
    )
    assert merged.contested == (Contested("overrides[current].maximum", "60", "50", "70"),)
    assert merged.tree == now


def test_of_an_override_that_came_only_its_own_part_goes() -> None:
    merged = merge(
        base=unit(overrides=(override(maximum="60"),)),
        target=unit(),
        now=unit(overrides=(override(maximum="60", minimum="0"),)),
    )
    assert merged.tree == unit(overrides=(override(minimum="0"),))


def test_half_a_driver_is_none_so_it_is_contested() -> None:
    driver = Driver("LIN", "1", "{}")
    changed = replace(driver, properties={"parity": "none"})
    merged = merge(base=unit(drivers=(driver,)), target=unit(), now=unit(drivers=(changed,)))
    (contested,) = merged.contested
    assert contested.path == "drivers[LIN]"
    assert contested.target is None
    assert contested.now == "version=1; init_parameter={}; properties[parity]=none"


def test_an_order_of_drivers_goes_back_unless_it_was_changed_again() -> None:
    one, two, three = (Driver(name, "1") for name in "abc")
    merged = merge(
        base=unit(drivers=(two, one, three)),
        target=unit(drivers=(one, two, three)),
        now=unit(drivers=(replace(two, version="2"), one, three)),
    )
    assert merged.contested == ()
    assert exact(merged.tree) == exact(unit(drivers=(one, replace(two, version="2"), three)))
    again = merge(
        base=unit(drivers=(two, one, three)),
        target=unit(drivers=(one, two, three)),
        now=unit(drivers=(three, two, one)),
    )
    assert [each.path for each in again.contested] == ["drivers"]


def test_a_contested_name_that_is_gone_leaves_no_empty_map() -> None:
    unit = ControlUnit(id="U")
    trees = [tree_of(replace(unit, labels=labels)) for labels in ({"a": "2"}, {"a": "1"}, {})]
    merged = merge(*trees)
    assert merged.tree == {}
    assert [each.path for each in merged.contested] == ["labels[a]"]


def test_drivers_of_one_name_stay_whatever_else_goes_back() -> None:
    twins = (Driver("Serial", init_parameter="COM1"), Driver("Serial", init_parameter="COM2"))
    merged = merge(
        base=unit(drivers=twins, description="changed"),
        target=unit(drivers=twins),
        now=unit(drivers=twins, description="changed", labels={"group": "q"}),
    )
    assert merged.contested == ()
    assert merged.tree == unit(drivers=twins, labels={"group": "q"})
    back = resource_of(ControlUnit, merged.tree, id="A/1", meta=Meta())
    assert back.drivers == twins


def test_drivers_of_one_name_that_were_changed_again_are_contested() -> None:
    """By its number the second that came may be the first that is left."""
    one, two = (Driver("Serial", init_parameter=name) for name in ("COM1", "COM2"))
    merged = merge(
        base=unit(drivers=(one, two)), target=unit(drivers=(one,)), now=unit(drivers=(two,))
    )
    assert [each.path for each in merged.contested] == ["drivers"]
    assert merged.tree == unit(drivers=(two,))
