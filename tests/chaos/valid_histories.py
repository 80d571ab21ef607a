"""Histories that are right, made from a model of a store whose clients work at the same time."""

import json
import random
from dataclasses import dataclass, field

from msgspec.structs import replace

from tests.chaos.final_state import ChangeSet, Current, FinalState, Operation, Step, Version
from tests.chaos.history import (
    AnyRecord,
    Beat,
    Bundle,
    Closed,
    Done,
    Granted,
    History,
    Lost,
    Opened,
    Ordered,
    Outcome,
    Read,
    Reported,
    Word,
    Write,
)
from tests.watch.records import Told

RESOURCES = ("variables/A/1", "variables/A/2")
UNITS = ("control_units/LAB/1", "control_units/LAB/2", "control_units/LAB/3")
LEVELS = {UNITS[0]: 0, UNITS[1]: 0, UNITS[2]: 1}
STEP_ENDS = {"Reached": "COMPLETED", "TimedOut": "ERROR", "Superseded": "ABORTED"}
SERVER = "unit_servers/LAB"
LEASE_S = 5.0


@dataclass
class Story:
    """A history that grows, with what is true.

    Attributes:
        now: each thing that happens is a little later.
    """

    rng: random.Random
    now: float = 100.0
    revision: int = 0
    records: list[AnyRecord] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    change_sets: list[ChangeSet] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    current: dict[str, Current] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    calls: int = 0
    sequence: int = 0
    holder: Granted | None = None

    def later(self, longest_s: float = 0.3) -> float:
        self.now += self.rng.uniform(0.001, longest_s)
        return self.now

    def request_id(self) -> str:
        self.calls += 1
        return f"request-{self.calls}"

    def change(
        self, kind: str, names: dict[str, str], request_id: str = "", *, action: str = ""
    ) -> int:
        """One revision: contents of resources by name; of declared ones a change set, too."""
        self.revision += 1
        time = f"2026-11-22T00:{self.revision // 60:02}:{self.revision % 60:02}Z"
        for name, content in sorted(names.items()):
            is_known = any(each.name == name for each in self.told)
            done = action or ("UPDATED" if is_known else "CREATED")
            self.told.append(Told(self.revision, time, kind, name, done, content=content))
        if request_id:
            self.change_sets.append(ChangeSet(self.revision, request_id, "Method", len(names)))
        return self.revision

    def wrote(self, resource: str, value: str, request_id: str) -> int:
        """What a write that is done leaves."""
        etag = f"etag-{self.revision + 1}"
        is_new = resource not in self.current
        content = json.dumps({"etag": etag, "value": value})
        action = "CREATED" if is_new else "UPDATED"
        revision = self.change("KIND_VARIABLE", {resource: content}, request_id, action=action)
        told_value = None if is_new else value
        self.versions.append(Version(revision, resource, action, request_id, told_value))
        self.current[resource] = Current(revision, etag, value)
        return revision

    def deleted(self, resource: str, request_id: str) -> None:
        """What a deletion that is done leaves."""
        kind, action = "KIND_VARIABLE", "DELETED"
        revision = self.change(kind, {resource: ""}, request_id, action=action)
        self.versions.append(Version(revision, resource, action, request_id, None))
        del self.current[resource]

    def final(self) -> FinalState:
        return FinalState(
            0, self.revision, 1, tuple(self.told), tuple(self.change_sets), tuple(self.versions),
            dict(self.current), dict(self.operations),
        )  # fmt: skip

    def history(self) -> History:
        return History(self.records)


def make_story(seed: int, length: int = 60) -> Story:
    """Something of everything, in an order that the seed decides."""
    story = Story(random.Random(seed))
    for resource in RESOURCES:
        contested_creation(story, resource)
    scenes = {
        contested_writes: 6, late_write: 1, gone_and_back: 0.5, overlapping_reads: 6, bundle: 1,
        hold_on: 3, next_holder: 1, operate: 0.3,
    }  # fmt: skip
    for scene in scenes:
        scene(story)
    for scene in story.rng.choices(list(scenes), weights=list(scenes.values()), k=length):
        scene(story)
    for name in ("watcher-all", "watcher-some"):
        watch(story, name)
    return story


def write(story: Story, resource: str, *, etag: str, fate: str) -> Write:
    """`fate`: kept, refused, unanswered and kept, unanswered and lost."""
    request_id, began = story.request_id(), story.later()
    value = f"value-{story.calls}"
    story.later()
    revision = story.wrote(resource, value, request_id) if fate.endswith("kept") else 0
    is_ok = fate == "kept"
    record = Write(
        client="writer", resource=resource, request_id=request_id, value=value, etag_asked=etag,
        began=began, ended=story.later(),
        outcome=Outcome.OK if is_ok else Outcome.REFUSED if fate == "refused" else Outcome.UNKNOWN,
        etag=story.current[resource].etag if is_ok else "",
        revision=revision if is_ok else 0,
        reason="ETAG_MISMATCH" if fate == "refused" else "",
    )  # fmt: skip
    story.records.append(record)
    return record


def contested_writes(story: Story) -> None:
    """Two with the same etag at the same time: one is done, perhaps without an answer, or with one
    that comes after the other's refusal."""
    resource = story.rng.choice(RESOURCES)
    etag = story.current[resource].etag
    first = story.rng.choices(
        ["kept", "unanswered and kept", "unanswered and lost"], weights=[6, 2, 1]
    )[0]
    began = story.later()
    done = write(story, resource, etag=etag, fate=first)
    if first != "unanswered and lost":
        refuse(story, resource, "ETAG_MISMATCH", etag=etag, began=began)
    if story.rng.random() < 0.5:
        story.records[story.records.index(done)] = replace(done, ended=story.later())


def contested_creation(story: Story, resource: str) -> None:
    """Two at the same time, while somebody reads: each may come before the other, and the reader
    before both."""
    began = story.later()
    write(story, resource, etag="*", fate="kept")
    refuse(story, resource, "ALREADY_EXISTS", began=began)
    refuse_read(story, resource, began=began)


def gone_and_back(story: Story) -> None:
    """A resource is deleted, while others want to read and write it, and created again."""
    resource = story.rng.choice(RESOURCES)
    etag, began = story.current[resource].etag, story.later()
    request_id = story.request_id()
    story.deleted(resource, request_id)
    story.records.append(
        Write(
            client="writer", resource=resource, request_id=request_id,
            value=f"value-{story.calls}", etag_asked=etag, began=began, ended=story.later(),
            outcome=Outcome.UNKNOWN,
        )
    )  # fmt: skip
    refuse(story, resource, "VARIABLE_NOT_FOUND", etag=etag, began=story.later())
    contested_creation(story, resource)


def late_write(story: Story) -> None:
    """A write is done only after its caller has given up; who meets it is refused."""
    resource = story.rng.choice(RESOURCES)
    etag = story.current[resource].etag
    unanswered = write(story, resource, etag=etag, fate="unanswered and lost")
    began = story.later()
    story.wrote(resource, unanswered.value, unanswered.request_id)
    refuse(story, resource, "ETAG_MISMATCH", etag=etag, began=began)


def refuse(story: Story, resource: str, reason: str, *, began: float, etag: str = "*") -> None:
    story.records.append(
        Write(
            client="rival", resource=resource, request_id=story.request_id(),
            value=f"value-{story.calls}", etag_asked=etag, began=began, ended=story.later(),
            outcome=Outcome.REFUSED, reason=reason,
        )
    )  # fmt: skip


def refuse_read(story: Story, resource: str, *, began: float) -> None:
    story.records.append(
        Read(
            client="reader", resource=resource, began=began, ended=story.later(),
            outcome=Outcome.REFUSED, reason="VARIABLE_NOT_FOUND",
        )
    )  # fmt: skip


def overlapping_reads(story: Story) -> None:
    """One that begins before a write and ends after it may see either; a later one sees it."""
    resource = story.rng.choice(RESOURCES)
    before, began = story.current[resource], story.later()
    write(story, resource, etag=before.etag, fate="kept")
    after = story.current[resource]
    for seen, start in ((story.rng.choice([before, after]), began), (after, story.later())):
        story.records.append(
            Read(
                client="reader", resource=resource, began=start, ended=story.later(),
                outcome=Outcome.OK, value=seen.value, etag=seen.etag, revision=seen.revision,
            )
        )  # fmt: skip


def bundle(story: Story) -> None:
    request_id, began = story.request_id(), story.later()
    fate = story.rng.choice(["kept", "unanswered and kept", "unanswered and lost"])
    revision = 0
    if fate.endswith("kept"):
        revision = story.change("KIND_CONTROL_UNIT", dict.fromkeys(UNITS, ""), request_id)
    outcome = Outcome.OK if fate == "kept" else Outcome.UNKNOWN
    story.records.append(
        Bundle(
            client="bulk", request_id=request_id, values=dict.fromkeys(UNITS, request_id),
            began=began, ended=story.later(), outcome=outcome,
            revision=revision if outcome is Outcome.OK else 0,
        )
    )  # fmt: skip


def next_holder(story: Story) -> None:
    """The one before says good-bye, is taken over, or lets its lease run out."""
    before, how = story.holder, story.rng.choice(["good-bye", "taken over", "runs out"])
    if before is not None:
        if how == "runs out":
            last = max(each.at for each in story.records if isinstance(each, Beat))
            story.now = max(story.now, last + LEASE_S + 0.1)
        elif how == "good-bye":
            story.records.append(
                Lost(
                    client=before.client, unit_server=SERVER, session=before.session,
                    at=story.later(), reason=how,
                )
            )  # fmt: skip
    began = story.later()
    number = story.calls = story.calls + 1
    fence = story.change("KIND_UNIT_SERVER_STATUS", {"unit_server_statuses/LAB": ""})
    story.holder = Granted(
        client=f"contender-{number % 2}", unit_server=SERVER, session=f"session-{number}",
        fence=fence, began=began, ended=story.later(), lease_s=LEASE_S,
        took_over=before is not None and how == "taken over",
    )  # fmt: skip
    story.records.append(story.holder)
    hold_on(story)


def hold_on(story: Story) -> None:
    """A beat and a report of the holder."""
    if story.holder is None:
        return
    holder = story.holder
    last = max((each.at for each in story.records if isinstance(each, Beat)), default=holder.ended)
    if story.now > max(last, holder.ended) + LEASE_S - 1.0:
        return  # it has run out meanwhile
    began = story.later()
    story.sequence += 1
    content = json.dumps({"session": holder.session})
    story.change("KIND_CONTROL_UNIT_STATUS", {"control_unit_statuses/LAB/1": content})
    story.records += [
        Reported(
            client=holder.client, unit_server=SERVER, session=holder.session,
            sequence=story.sequence, began=began, ended=story.later(),
        ),
        Beat(
            client=holder.client, unit_server=SERVER, session=holder.session, at=story.later(),
            lease_s=LEASE_S,
        ),
    ]  # fmt: skip


def operate(story: Story) -> None:
    """An order, level by level; perhaps one unit does not come there in time, and those above it do
    not begin; or another order takes it over, whose giver got no answer."""
    verb = story.rng.choice(["START", "STOP"])
    request_id, began = story.request_id(), story.later()
    name = f"operations/{story.calls}"
    end = story.rng.choice(["Reached", "Reached", "TimedOut", "Superseded"])
    if end == "Superseded":
        story.records.append(
            Ordered(
                client="orders", operation="", request_id=f"{request_id}-unanswered", verb=verb,
                plan=dict(LEVELS), began=began, ended=story.later(), outcome=Outcome.UNKNOWN,
            )
        )  # fmt: skip
        began = story.later()
    story.records.append(
        Ordered(
            client="orders", operation=name, request_id=request_id, verb=verb, plan=dict(LEVELS),
            began=began, ended=story.later(), outcome=Outcome.OK,
        )
    )  # fmt: skip
    story.change("KIND_OPERATION", {name: ""}, request_id)
    steps, is_stopped = [], False
    for level in sorted(set(LEVELS.values()), reverse=verb == "STOP"):
        began_us = round(story.later() * 1e6)
        units = [each for each in UNITS if LEVELS[each] == level]
        for unit in units:
            if is_stopped:
                why = "a step before it failed"
                steps.append(Step(unit, level, "ABORTED", 0, why, 0, 0, "AfterFailure"))
                continue
            what = "starts" if verb == "START" else "stops"
            story.records.append(
                Done(client="process", unit=unit, what=what, process=1, at=story.later())
            )
            minor = end if unit == UNITS[0] else "Reached"
            state, ended_us = STEP_ENDS[minor], round(story.later() * 1e6)
            message = "" if state == "COMPLETED" else "it has not come there"
            deadline_us = ended_us if minor == "TimedOut" else ended_us + 10**7
            steps.append(
                Step(unit, level, state, 1, message, began_us, ended_us, minor, deadline_us)
            )
        is_stopped = is_stopped or (end == "TimedOut" and UNITS[0] in units)
    story.operations[name] = Operation(STEP_ENDS[end], "", tuple(steps))
    story.change("KIND_OPERATION", {name: ""})


def watch(story: Story, name: str) -> None:
    """Everything, in words of some revisions each, on streams that break now and then."""
    is_all = name == "watcher-all"
    kinds, prefix = ((), "") if is_all else (("KIND_VARIABLE",), "A/")
    reached, is_open = 0, False
    while reached < story.revision:
        if not is_open:
            at = story.later()
            story.records.append(
                Opened(client=name, at=at, kinds=kinds, prefix=prefix, after=reached)
            )
            is_open = True
        until = min(story.revision, reached + story.rng.randint(1, 4))
        events = tuple(
            each
            for each in story.told
            if reached < each.revision <= until and (is_all or each.kind in kinds)
        )
        story.records.append(
            Word(client=name, at=story.later(), revision=until, epoch=1, events=events)
        )
        reached = until
        if story.rng.random() < 0.2:
            story.records.append(Closed(client=name, at=story.later(), reason="DRAINING"))
            is_open = False
