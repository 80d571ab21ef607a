"""Whatever a file holds, the reader answers with items and findings, never with a traceback."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from control_units.importers.chaos import read_chaos
from control_units.importers.facility import read_facility, write_facility
from tests.importers.test_facility_format import NASTY

NAMES = (
    "us", "eu", "agents", "scripts", "variables", "snapshots", "cu_catalog", "us_desc",
    "cu_desc", "instance_description", "info", "ndk_uid", "cu_id", "name", "unit_server_alias",
    "ndk_parent", "ndk_type", "control_unit_implementation", "cu_type", "auto_load",
    "auto_start", "cudk_load_param", "cudk_thr_sch_delay", "attribute_value_descriptions",
    "AttrDesc", "cudk_ds_attr_name", "cudk_default_value", "cudk_ds_max_range",
    "cudk_ds_min_range", "cudk_ds_attr_dir", "cudk_ds_attr_type", "cudk_driver_description",
    "cudk_driver_description_name", "cudk_driver_prop", "andk_node_associated",
    "node_auto_start", "script_name", "eudk_script_content", "eudk_script_keepalive", "snap",
    "ts", "dataset", "dataset_list", "cudk_ds_name", "dataset_value", "input", "custom",
    "cudk_ds_init", "output", "$binary", "base64", "$numberLong", "drivers", "attrs", "impl",
    "desc", "value",
)  # fmt: skip
TEXTS = (*NASTY, "S", "A/B", "C", "x", "0", "1", "5", "NA", "aGk=", "/w==", "{}", "[1]")


# Drawn inside a function, so that failures do not print the whole of these lists.
@st.composite
def keys(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(NAMES))


@st.composite
def texts(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(TEXTS))


KEYS = keys()
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(KEYS, st.text(max_size=3)), inner, max_size=5),
    ),
    max_leaves=25,
)
ENTRIES = st.dictionaries(KEYS, VALUES, max_size=8)
CONTAINERS = st.one_of(
    st.lists(st.one_of(ENTRIES, VALUES), max_size=3),
    st.dictionaries(
        st.sampled_from(["S", "A/B", "bad id", ""]), st.one_of(ENTRIES, VALUES), max_size=3
    ),
)
UNITS = st.fixed_dictionaries(
    {"ndk_uid": st.sampled_from(["A", "B", "A/B"]), "cu_type": st.sampled_from(["C", "::C", "D"])},
    optional={
        "AttrDesc": st.one_of(
            CONTAINERS, st.lists(ENTRIES.map(lambda e: {**e, "cudk_ds_attr_name": "x"}))
        ),
        "DriverDescription": CONTAINERS,
        "instance_description": ENTRIES,
        "auto_load": SCALARS,
        "odd": VALUES,
    },
)
FILES = st.one_of(
    VALUES,
    st.dictionaries(KEYS, CONTAINERS, max_size=6),
    st.fixed_dictionaries(
        {
            "us": st.lists(
                st.fixed_dictionaries({"ndk_uid": st.just("S"), "cu_desc": st.lists(UNITS)})
            )
        },
        optional=dict.fromkeys(("eu", "agents", "scripts", "snapshots", "variables"), CONTAINERS),
    ),
)


@st.composite
def files(draw: st.DrawFn) -> object:
    return draw(FILES)


@settings(max_examples=40, deadline=None)
@given(files())
def test_any_file_of_a_site_is_read_or_named(document: object) -> None:
    reading = read_chaos(json.dumps(document).encode())
    for problem in reading.findings.problems:
        assert problem.source
        assert problem.expected
        assert problem.reason
    # What is taken can be written, too, and read back.
    text = write_facility(reading.items, "yaml")
    again = read_facility(text.encode())
    assert not again.findings.problems
    assert write_facility(again.items, "yaml") == text


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_any_file_in_our_own_format_is_read_or_named(document: object) -> None:
    reading = read_facility(json.dumps(document).encode())
    assert reading.findings.problems or all(item.source for item in reading.items)


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_read_or_named(data: bytes) -> None:
    read_chaos(data)
    read_facility(data)
