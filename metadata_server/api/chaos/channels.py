"""Datasets of units as clients poll them: inputs, health, system, alarms.

Outputs are not here: they are the business of whoever archives them. A client that asks for all
channels gets the outputs without attributes; one that asks for them alone is told where to go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mds.v1 import condition_pb2, state_pb2

from metadata_server.api.chaos.call import Call
from metadata_server.api.chaos.command import Command, elsewhere
from metadata_server.api.chaos.descriptions import attributes_of, missing
from metadata_server.api.chaos.parm import wrong
from metadata_server.api.chaos.reading import (
    as_asked,
    configurations,
    declared,
    devices_of,
    live,
    names_of,
    present,
    reported,
)
from metadata_server.api.chaos.values import json_value
from metadata_server.api.chaos.words import (
    ALL,
    CHANNELS,
    FAILED,
    HEALTH,
    PARAMETERS,
    STATUS,
    STATUSES,
    SUMMARY,
    SUMMED_UP,
    UNKNOWN_STATUS,
)
from metadata_server.api.rest.encoding import Json
from metadata_server.domain.refused import Refused

LEVELS = {state_pb2.HEALTH_WARNING: 1, state_pb2.HEALTH_BAD: 2}
HAND_MADE = frozenset({"load_parameter"})
OUTPUTS = "the archiver of your facility: this server keeps what inputs are set to, not outputs"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one unit.

    Attributes:
        now_ms: of this answer, since 1970.
        status, live, used: None: not asked for, or there is none.
    """

    id: str
    now_ms: int
    status: Any = None
    live: Any = None
    used: Any = None

    @property
    def state(self) -> int:
        return self.status.state if self.status is not None else state_pb2.STATE_UNSPECIFIED

    def common(self, channel: str) -> dict[str, Json]:
        return {"ndk_uid": self.id, "dpck_ds_type": CHANNELS.index(channel)}


def output(facts: Facts) -> dict[str, Json]:
    return facts.common("output")


def input_(facts: Facts) -> dict[str, Json]:
    found = facts.common("input")
    values = facts.live.values if facts.live is not None else ()
    if values:
        found["dpck_ats"] = facts.now_ms - min(each.age.ToMilliseconds() for each in values)
    return found | {each.attribute: json_value(each.value, each.type) for each in values}


def custom(facts: Facts) -> dict[str, Json]:
    return facts.common("custom") | {
        "cudk_load_param": facts.used.parameters.get("load_parameter", ""),
        "cudk_ds_init": attributes_of(facts.used),
    }


def system(facts: Facts) -> dict[str, Json]:
    parameters = facts.used.parameters
    level = LEVELS.get(facts.status.health, 0) if facts.status is not None else 0
    return facts.common("system") | {
        "cudk_cu_class": facts.used.implementation,
        "cudk_calrm_lvl": level,
        **{
            name: json_value(parameters[own], 0)
            for own, name in PARAMETERS.items()
            if own in parameters and own not in HAND_MADE
        },
    }


def health(facts: Facts) -> dict[str, Json]:
    """A unit in touch has said so within its lease, so its heartbeat is as of now; of others
    the time stands still, which is how clients tell."""
    found = facts.common("health") | {"nh_status": HEALTH.get(facts.state, ""), "dpck_ats": 0}
    status = facts.status
    if status is None:
        return found
    is_alive = status.contact == state_pb2.CONTACT_ALIVE
    found["dpck_ats"] = facts.now_ms if is_alive else status.state_time.ToMilliseconds()
    if facts.state in FAILED:
        found |= {"nh_lem": status.message, "nh_led": facts.id}
    return found


def device_alarms(facts: Facts) -> dict[str, Json]:
    return facts.common("device_alarms")


def cu_alarms(facts: Facts) -> dict[str, Json]:
    conditions = facts.status.conditions if facts.status is not None else ()
    return facts.common("cu_alarms") | {
        each.type: 1 for each in conditions if each.status == condition_pb2.CONDITION_STATUS_TRUE
    }


MAKE: Mapping[str, Callable[[Facts], dict[str, Json]]] = {
    "output": output,
    "input": input_,
    "custom": custom,
    "system": system,
    "health": health,
    "device_alarms": device_alarms,
    "cu_alarms": cu_alarms,
}


def told_status(facts: Facts) -> dict[str, Json]:
    """The three texts that clients read of everything."""
    failed = facts.state in FAILED and facts.status is not None
    return {
        "dev_status": STATUSES.get(facts.state, UNKNOWN_STATUS),
        "log_status": "",
        "error_status": facts.status.message if failed else "",
    }


async def facts_of(call: Call, ids: list[str], channels: set[str]) -> dict[str, Facts]:
    """What the channels are made of, of units that are there."""
    statuses = await reported(call, ids) if channels - {"input", "custom", "output"} else {}
    values = await live(call, ids) if "input" in channels else {}
    used = await configurations(call, ids) if channels & {"custom", "system"} else {}
    now_ms = time.time_ns() // 1_000_000
    return {id: Facts(id, now_ms, statuses.get(id), values.get(id), used.get(id)) for id in ids}


async def answered(
    call: Call, ids: list[str], channels: set[str], make: Callable[[Facts], Json]
) -> list[Json]:
    """An answer for each unit, in order; of those that are not there, why."""
    found = await declared(call, ids)
    facts = await facts_of(call, present(found), channels)
    return [make(facts[id]) if id in facts else missing(id, unit) for id, unit in found.items()]


async def status(call: Call) -> Json:
    def make(facts: Facts) -> Json:
        return health(facts) | told_status(facts)

    return await answered(call, list(devices_of(call)), {"health"}, make)


async def channel(call: Call) -> Json:
    number = channel_of(call.form.parm)
    ids = list(devices_of(call))
    if number == STATUS:
        return await status(call)
    if number == ALL:
        return await answered(call, ids, set(CHANNELS), whole)
    if number == SUMMARY:
        return await answered(call, ids, set(SUMMED_UP), summed_up)
    name = CHANNELS[number]
    if name == "output":
        raise no_outputs()
    return await answered(call, ids, {name}, MAKE[name])


def channel_of(text: str) -> int:
    """
    Raises:
        Refused: INVALID_FIELD.
    """
    word = text.strip().strip('"')
    if word in CHANNELS:
        return CHANNELS.index(word)
    known = [ALL, *range(len(CHANNELS)), STATUS, SUMMARY]
    if word in map(str, known):
        return int(word)
    numbers = ", ".join(f"{number} {name}" for number, name in enumerate(CHANNELS))
    raise wrong("", text, f"a channel: {ALL} all, {numbers}, {STATUS} status, {SUMMARY} summary")


def no_outputs() -> Refused:
    return Refused.invalid("NO_COUNTERPART", f"Outputs are not here; use {OUTPUTS}.")


def whole(facts: Facts) -> Json:
    found: dict[str, Json] = {"name": facts.id, "timestamp": facts.now_ms}
    return found | {name: make(facts) for name, make in MAKE.items()} | told_status(facts)


def summed_up(facts: Facts) -> Json:
    return {name: MAKE[name](facts) for name in SUMMED_UP} | told_status(facts)


async def read_input(call: Call) -> Json:
    """One input of each unit."""
    attribute = call.form.parm.strip().strip('"')
    if not attribute:
        raise wrong("", "", "the name of an input")

    def make(facts: Facts) -> Json:
        dataset = input_(facts)
        seen = {"ts": dataset.get("dpck_ats", 0), "seq": 0}
        return seen | {"val": dataset.get(attribute, {})}

    return await answered(call, list(devices_of(call)), {"input"}, make)


async def node_channel(call: Call) -> Json:
    """One dataset of nodes by name, under its own name."""
    name = call.parm.needed("what")

    def make(facts: Facts) -> Json:
        return {name: MAKE[name](facts)}

    return as_asked(call, await answered(call, names_of(call), {name}, make))


AT = "GET /v1/control_units/{id}:liveValues"
STATUS_AT = "GET /v1/control_unit_statuses/{id}"
USED_AT = "GET /v1/control_units/{id}:configuration"
COMMANDS = (
    Command(
        cmd="status",
        of_units=True,
        here=STATUS_AT,
        note="`dpck_ats` goes on while the unit is in touch",
        run=status,
    ),
    Command(
        cmd="channel",
        of_units=True,
        here=f"{AT}, {STATUS_AT} and {USED_AT}",
        note="0 (output) alone is refused; -1 has it without attributes; conditions are alarms "
        "of the unit",
        run=channel,
    ),
    Command(cmd="readin", of_units=True, here=AT, run=read_input),
    *(
        Command(cmd="node", what=name, here=place, run=node_channel)
        for name, place in (
            ("input", AT),
            ("custom", USED_AT),
            ("system", USED_AT),
            ("health", STATUS_AT),
            ("cu_alarms", f"{STATUS_AT}: `conditions`"),
        )
    ),
    *elsewhere("readout", "", OUTPUTS, of_units=True),
    *elsewhere("queryhst", "", OUTPUTS, of_units=True),
    *elsewhere("queryhstnext", "", OUTPUTS, of_units=True),
    *elsewhere("queryinfo", "", OUTPUTS, of_units=True),
    *elsewhere("node", "output", OUTPUTS),
    *elsewhere("node", "device_alarms", "the unit's driver: only units report here"),
)
