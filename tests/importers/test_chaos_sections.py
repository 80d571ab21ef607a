"""Agents, execution units, scripts, variables and snapshots."""

import base64

import pytest
from mds.v1.dataset_pb2 import ValueType
from mds.v1.snapshot_pb2 import SavedUnit
from mds.v1.state_pb2 import State

from tests.importers.files import (
    attribute,
    facility,
    problems,
    read,
    read_soundly,
    resources,
    unit,
)


def agent(*nodes: dict[str, object], **info: object) -> dict[str, object]:
    return {
        "name": "a",
        "info": {"ndk_host_name": "host", "andk_node_associated": list(nodes), **info},
    }


def node(uid: str, **fields: object) -> dict[str, object]:
    return {"ndk_uid": uid, "node_launch_cmd_line": "UnitServer", **fields}


def script(content: str, **fields: object) -> dict[str, object]:
    return {"script_name": "f.C", "eudk_script_content": content, **fields}


def test_an_association_is_the_launch_of_its_unit_server() -> None:
    association = node(
        "S",
        node_init_cfg="log=1\n",
        node_workdir="/w",
        node_auto_start=True,
        node_keep_alive=False,
        node_log_on_console=True,
        association_uid="1057f24f",
        node_script_id="",
    )
    document = facility(agents={"a": agent(association, andk_working_directory="/agent")})
    document["us"]["S"]["ndk_parent"] = "a"  # type: ignore[index]
    reading = read_soundly(document)
    launch = resources(reading, "unit_server")["S"].launch
    assert launch.agent == "agents/a"
    assert launch.command == "UnitServer --conf-file {configuration_file}"
    assert (launch.configuration, launch.working_directory) == ("log=1\n", "/w")
    assert (launch.auto_start, launch.keep_alive, launch.log_on_console) == (True, False, True)
    server = resources(reading, "unit_server")["S"]
    assert dict(server.properties) == {"association_uid": '"1057f24f"'}
    found = resources(reading, "agent")["a"]
    assert (found.host, found.working_directory) == ("host", "/agent")
    assert not found.properties


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({}, "UnitServer"),
        ({"node_init_cfg": ""}, "UnitServer"),
        (
            {"node_init_cfg": "a=1", "node_launch_cmd_line": "UnitServer --conf-file /etc/us"},
            "UnitServer --conf-file /etc/us",
        ),
    ],
)
def test_a_command_is_completed_only_where_there_is_a_configuration_that_it_does_not_name(
    fields: dict[str, str], command: str
) -> None:
    document = facility(agents={"a": agent(node("S", **fields))})
    assert resources(read_soundly(document), "unit_server")["S"].launch.command == command


def test_a_unit_server_without_an_agent_is_launched_by_hand_and_keeps_its_parents_name() -> None:
    document = facility()
    document["us"]["S"]["ndk_parent"] = "gone"  # type: ignore[index]
    server = resources(read_soundly(document), "unit_server")["S"]
    assert not server.HasField("launch")
    assert dict(server.properties) == {"ndk_parent": '"gone"'}


def test_a_second_agent_for_one_unit_server_is_a_problem() -> None:
    agents = {"a": agent(node("S")), "b": {**agent(node("S")), "name": "b"}}
    reading = read(facility(agents=agents))
    (problem,) = reading.findings.problems
    assert problem.source == "agents.b.info.andk_node_associated[0]"
    assert "agents.a.info.andk_node_associated[0]" in problem.expected


def test_an_association_of_something_that_is_not_in_the_file_stays_with_its_agent() -> None:
    reading = read_soundly(facility(agents={"a": agent(node("gone", x=1))}))
    found = resources(reading, "agent")["a"]
    assert dict(found.properties) == {
        "andk_node_associated.gone": '{"ndk_uid": "gone", "node_launch_cmd_line": "UnitServer", '
        '"x": 1}'
    }
    assert reading.findings.notes[0].place == "agents.a.info.andk_node_associated[0]"


def test_execution_units_say_all_of_their_configuration_and_know_their_host() -> None:
    program = unit(
        "E",
        attribute("x", default="1", unit="NA"),
        control_unit_implementation="f.C",
        cudk_load_param='"arg"',
        ndk_type="nt_root",
        auto_load=True,
        auto_init=True,
        auto_start=True,
    )
    eu = {
        "E": {**program, "ndk_parent": "old"},
        "F": {"ndk_uid": "F", "ndk_parent": "S"},
        "G": {"ndk_uid": "G", "ndk_parent": "unknown"},
    }
    agents = {"a": agent(node("E", node_script_id="f.C"))}
    found = resources(read_soundly(facility(eu=eu, agents=agents)), "execution_unit")
    assert (found["E"].host, found["E"].implementation) == ("agents/a", "f.C")
    assert found["E"].desired_state == State.STATE_RUNNING
    assert [(o.attribute, o.default_value) for o in found["E"].overrides] == [("x", "1")]
    assert dict(found["E"].parameters) == {"load_parameter": '"arg"'}
    assert dict(found["E"].properties) == {
        "ndk_parent": '"old"',
        "ndk_type": '"nt_root"',
        "node_launch_cmd_line": '"UnitServer"',
        "node_script_id": '"f.C"',
    }
    assert (found["F"].host, found["G"].host) == ("unit_servers/S", "")
    assert found["G"].properties["ndk_parent"] == '"unknown"'


def test_a_script_is_the_text_that_was_encoded() -> None:
    text = "int è;\r\n\ttab \n"
    encoded = base64.b64encode(text.encode()).decode()
    stated = script(
        encoded,
        eudk_script_language="CPP",
        eudk_script_keepalive=True,
        default_argument="(1)",
        script_group="ALL",
        script_target="local",
        script_description="d",
        seq=5,
        _id={"$oid": "61"},
    )
    found = resources(read_soundly({"scripts": {"f.C": stated}}), "script")["f.C"]
    assert found.content == text
    assert (found.language, found.default_argument, found.keep_alive) == ("CPP", "(1)", True)
    assert (found.group, found.target, found.description) == ("ALL", "local", "d")
    assert dict(found.properties) == {"seq": "5", "_id": '{"$oid": "61"}'}


def test_a_script_that_is_no_text_is_a_problem() -> None:
    wrong = [script("!"), {**script(base64.b64encode(b"ab\xff").decode()), "script_name": "g.C"}]
    reading = read({"scripts": [*wrong, {**script("è"), "script_name": "h.C"}]})
    assert problems(reading) == [
        (f"scripts[{index}].eudk_script_content", "INVALID_VALUE") for index in range(3)
    ]
    assert "byte 2 is 0xff" in reading.findings.problems[1].expected


def test_variables_are_documents_with_their_numbers_as_they_were() -> None:
    from control_units.importers.chaos import read_chaos

    reading = read_chaos(
        b'{"variables": {"v": {"b": 1.50, "a": [null, true, "\xc3\xa8"]}, "n": 5}}'
    )
    found = resources(reading, "variable")
    assert found["v"].value == '{"b": 1.50, "a": [null, true, "è"]}'
    assert found["n"].value == "5"


def test_a_section_that_is_not_known_is_kept_as_a_variable() -> None:
    reading = read_soundly(facility(data_servers=[1]))
    assert resources(reading, "variable")["data_servers"].value == "[1]"
    assert [note.place for note in reading.findings.notes] == ["data_servers"]


def test_a_section_named_as_a_variable_is_its_second() -> None:
    reading = read(facility(variables={"extra": 1}, extra=2))
    assert problems(reading) == [("extra", "ALREADY_EXISTS")]
    assert resources(reading, "variable")["extra"].value == "1"


def saved(**parts: object) -> SavedUnit:
    document = {
        "s": {
            "snap": {"name": "s", "ts": 1604913572017},
            "dataset": [{"name": "A/B", "timestamp": 0, **parts}],
        }
    }
    found = resources(read_soundly({"snapshots": document}), "snapshot")["s"]
    assert found.taken_time.ToJsonString() == "2020-11-09T09:19:32.017Z"
    (one,) = found.units
    assert isinstance(one, SavedUnit)
    assert one.control_unit == "A/B"
    return one


def test_a_snapshot_has_the_values_of_inputs_with_their_types() -> None:
    one = saved(
        input={
            "ndk_uid": "A/B",
            "dpck_seq_id": 5,
            "whole": 30,
            "declared": 45,
            "real": 30.20,
            "text": "t",
            "flag": False,
            "long": {"$numberLong": "5"},
            "nan": {"$numberDouble": "NaN"},
            "old": {"$binary": "AAE=", "$type": "00"},
            "bytes": {"$binary": {"base64": "AAE=", "subType": "84"}},
            "list": [1, {"$numberLong": "2"}],
        },
        custom={"cudk_ds_init": {"declared": {"cudk_ds_attr_type": 3}}},
    )
    told = {
        v.attribute: (ValueType.Name(v.type).removeprefix("VALUE_TYPE_"), v.value)
        for v in one.values
    }
    assert told == {
        "whole": ("UNSPECIFIED", "30"),
        "declared": ("DOUBLE", "45"),
        "real": ("DOUBLE", "30.2"),
        "text": ("STRING", "t"),
        "flag": ("BOOL", "false"),
        "long": ("INT64", "5"),
        "nan": ("JSON", '{"$numberDouble": "NaN"}'),
        "old": ("JSON", '{"$binary": "AAE=", "$type": "00"}'),
        "bytes": ("BYTES", "AAE="),
        "list": ("JSON", '[1, {"$numberLong": "2"}]'),
    }
    assert [value.attribute for value in one.values] == sorted(told)
    assert one.properties["input"] == (
        '{"ndk_uid": "A/B", "dpck_seq_id": 5, "bytes.$binary": {"subType": "84"}}'
    )


def test_a_snapshot_keeps_its_other_parts_once() -> None:
    output = {"x": 1.50}
    listed = [
        {"cudk_ds_name": "A/B_o", "dataset_value": output},
        {"cudk_ds_name": "A/B_i", "dataset_value": {"y": 1}},
    ]
    one = saved(output=output, input={"y": 2}, dataset_list=listed)
    assert dict(one.properties) == {
        "timestamp": "0",
        "output": '{"x": 1.5}',
        "dataset_list": '[{"cudk_ds_name": "A/B_i", "dataset_value": {"y": 1}}]',
    }
