"""What filters say, and what is told of those that say nothing."""

import pytest

from metadata_server.domain.filter.expression import named_by
from metadata_server.domain.filter.matching import matches
from metadata_server.domain.filter.parser import parse_filter
from metadata_server.domain.filter.subject import UnitSubject
from metadata_server.domain.filter.vocabulary import VOCABULARIES
from metadata_server.domain.intent.attribute import AttributeOverride
from metadata_server.domain.intent.control_unit import ControlUnit, ControlUnitStatus
from metadata_server.domain.life.condition import CONFIG_DRIFT, Condition
from metadata_server.domain.life.state import Contact, State
from metadata_server.domain.refused import Refused
from metadata_server.domain.resource import Meta

HOUR_US = 3_600_000_000
NOW_US = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z
QUADRUPOLE = UnitSubject(
    declared=ControlUnit(
        id="DAFNE/PL/QSK/QSKPL106",
        template="PowerSupply.Skew",
        unit_server="BTF/CORRECTORS",
        desired_state=State.RUNNING,
        overrides=(AttributeOverride(attribute="current"), AttributeOverride(attribute="ramp")),
        labels={"section": "north", "spare part": "yes"},
        requires=("RING/MAG/",),
        level=-1,
        meta=Meta(update_time_us=NOW_US - 2 * HOUR_US),
    ),
    status=ControlUnitStatus(
        id="DAFNE/PL/QSK/QSKPL106",
        key=1,
        state=State.RECOVERABLE_ERROR,
        message='no answer from "10.0.0.7"',
        state_time_us=NOW_US - HOUR_US,
        conditions=(Condition(type=CONFIG_DRIFT, reason="x", message="", since_us=0),),
    ),
    contact=Contact.LOST,
)
ALONE = UnitSubject(declared=ControlUnit(id="pump"), status=ControlUnitStatus(id="pump", key=2))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "QSKPL106",
        "DAFNE/*106",
        "id=DAFNE/PL/QSK/QSKPL106",
        "template:PowerSupply*",
        "template:Supply zone=DAFNE/PL",
        "zone=DAFNE zone=DAFNE/PL/ zone:PL zone:*/QSK zone:DAF*",
        "state:*ERROR state!=RUNNING",
        "state=RUNNING,RECOVERABLE_ERROR",
        "overrides>1 overrides<=2 level<0 level=-1",
        "override:current override:r*",
        "label:section label.section=north label.section label.section:or",
        'label."spare part"=yes',
        'message:"from \\"10.0"',
        "requires:RING/MAG/ requires:RING*",
        "changed<3h changed>1h changed>=2026-12-01 changed<2027-01-15T08:00:00+01:00",
        "since<=60m condition:ConfigDrift contact=LOST -maintenance",
        "level=7 OR id:*106",
        "level=7 AND id=x OR pump OR zone=DAFNE",
        "-(pump OR level=7) -unfenced unfenced=false",
        "level=-1 (template=Motor OR -unit_server:SPARE)",
    ],
)  # fmt: skip
def test_a_unit_passes(text: str) -> None:
    assert matches(parse_filter(text, "control_unit"), QUADRUPOLE, NOW_US)


@pytest.mark.parametrize(
    "text",
    [
        "pump",
        "dafne/*",
        "DAFNE*105",
        "template=PowerSupply",
        "zone=DAF",
        "zone=PL",
        "label:sect",
        "label.section=nor",
        "label.north",
        "override:cur",
        "changed<2h",
        "state=RUNNING",
        "condition=OutOfDate",
        "level=7 OR id=x",
    ],
)  # fmt: skip
def test_a_unit_does_not_pass(text: str) -> None:
    assert not matches(parse_filter(text, "control_unit"), QUADRUPOLE, NOW_US)


@pytest.mark.parametrize("text", ["zone=pump", "zone:*", "label:*", "changed<2h", "created>1h"])
def test_what_is_not_there_equals_nothing(text: str) -> None:
    assert not matches(parse_filter(text, "control_unit"), ALONE, NOW_US)


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("level=1 staet=RUNNING", 9, 'there is no key "staet" for control units; did you mean "state"?'),
        ("state=RUNING", 7, '"RUNING" is nothing that state can be; did you mean "RUNNING"?'),
        ("state=running", 7, 'did you mean "RUNNING"?'),
        ("level>high", 7, "right would be a number."),
        ("state>3", 6, 'state cannot be compared with ">"; right would be one of =, !=, :.'),
        ("changed>tomorrow", 9, "right would be a time like 2026-11-01"),
        ("level=1 changed<99999999w", 17, '"99999999w" is nothing that changed can be; right would be a time like'),
        ("changed>=999999999d", 10, "d, w (100000w at most)."),
        ("level=1 (pump", 14, 'a ")" is missing'),
        ("pump)", 5, 'this ")" closes nothing'),
        ("pump OR", 8, "a term is missing"),
        ('message="a', 9, "the quotes that begin here do not end"),
        ("level=", 7, "something is missing"),
        ("level=1,,2", 9, 'there is ","'),
        ("changed>1h,2h", 12, "there are two times"),
        ("(" * 30 + "x" + ")" * 30, 22, "it is too deep"),
        (" ".join(["x"] * 201), 401, "there are too many terms"),
        ("x" * 5000, 4001, "it is too long"),
        ("level=1 = 2", 9, 'there is "="'),
    ],
)  # fmt: skip
def test_a_wrong_filter_says_where_and_what_would_be_right(
    text: str, column: int, told: str
) -> None:
    with pytest.raises(Refused) as caught:
        parse_filter(text, "control_unit")
    assert caught.value.reason == "INVALID_FILTER"
    assert caught.value.metadata["column"] == str(column)
    assert f"filter, column {column}: " in caught.value.message
    assert told in caught.value.message


@pytest.mark.parametrize("word", VOCABULARIES)
def test_the_examples_of_all_keys_are_filters(word: str) -> None:
    for key in VOCABULARIES[word].keys.values():
        parse_filter(key.example, word)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("id=A,B", {"A", "B"}),
        ("id=A,B state=RUNNING (id=B OR id=C)", {"B"}),
        ("id=A OR id=B", {"A", "B"}),
        ("state=RUNNING", None),
        ("id=A OR state=RUNNING", None),
        ("id:A*", None),
        ("id:A,B*", None),
        ("-id=A", None),
        ("", None),
    ],
)
def test_a_filter_says_which_ids_alone_can_pass(text: str, named: set[str] | None) -> None:
    assert named_by(parse_filter(text, "control_unit"), "id") == named
