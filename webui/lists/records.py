"""Lists of what the server itself keeps a record of: operations and changes."""

from dataclasses import replace
from datetime import datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from mds.v1.history_pb2 import ChangeSet, ListChangeSetsRequest
from mds.v1.operation_pb2 import ORDER_VERB_EDIT, ListOperationsRequest, Operation

from control_units.client import Client
from webui.lists import cell
from webui.lists.cell import Cell
from webui.lists.kind import Action, Column, ListKind, Tallied
from webui.lists.reading import Call, Page, Query
from webui.operations.past_operation import as_it_was, standing_of
from webui.operations.phases import by_step_state, minor_words, phase_named
from webui.operations.steering import STEERING
from webui.operations.verbs import order_words, verb_named
from webui.past_time import time_of
from webui.translation import _, gettext_noop, grouped
from webui.vocabulary import Mark


async def read_operations(client: Client, query: Query) -> Page[Operation]:
    """Raises: ClientError."""
    listed = Call(client.operations.ListOperations, ListOperationsRequest, "operations")
    then = await time_of(client, query.as_of)
    if then is None:
        return await listed.page(query)
    page = await listed.page(query, until=_just_after(then))
    return replace(page, things=[as_it_was(each, then) for each in page.things])


async def read_changes(client: Client, query: Query) -> Page[ChangeSet]:
    """Raises: ClientError."""
    listed = Call(client.history.ListChangeSets, ListChangeSetsRequest, "change_sets")
    return await listed.page(query, until=query.as_of)


def _just_after(time: datetime) -> Timestamp:
    """The first moment that no longer belongs to it: the server leaves the bound itself out."""
    stamp = Timestamp()
    stamp.FromDatetime(time + timedelta(microseconds=1))
    return stamp


def counts_of(operation: Operation) -> Cell:
    """How many steps are done and how many failed, of how many; in files by the protocol's words."""
    counts = operation.counts
    told = [(field.name, value) for field, value in counts.ListFields() if isinstance(value, int)]
    notes = [
        f"{mark.word}: {grouped(count)}" for _state, mark, count in by_step_state(counts) if count
    ]
    if counts.steps:
        notes.insert(0, _("%(num)s in all") % {"num": grouped(counts.steps)})
    return Cell(
        text=", ".join(f"{value} {name}" for name, value in told),
        notes=tuple(map(cell.Note, notes)),
    )


def minor_state_of(operation: Operation) -> Cell:
    """In words; in files as filters name it."""
    minor = operation.minor_state
    return Cell(text=minor, notes=(cell.Note(minor_words(minor)),)) if minor else cell.EMPTY


def what_of(change: ChangeSet) -> Cell:
    """What one change did: how many of what, or the names where they are few."""
    told = (
        (gettext_noop("created"), change.created),
        (gettext_noop("changed"), change.updated),
        (gettext_noop("deleted"), change.deleted),
    )
    counts = [f"{count} {_(word)}" for word, count in told if count]
    names = [each.partition("/")[2] for each in change.first_names[:2]]
    rest = change.created + change.updated + change.deleted - len(names)
    more = f" +{rest}" if names and rest > 0 else ""
    return Cell(
        text=f"{', '.join(counts)}: {', '.join(names)}{more}" if names else ", ".join(counts)
    )


OPERATIONS: ListKind[Operation] = ListKind(
    path="operations",
    title=gettext_noop("Operations"),
    noun="operation",
    columns=(
        Column(key="phase", title=gettext_noop("Status"), cell=lambda o: cell.mark(standing_of(o)), sort="phase", is_past=False),
        Column(key="id", title=gettext_noop("Operation"), cell=lambda o: cell.name(o.name), style="id"),
        Column(key="verb", title=gettext_noop("Order"), cell=lambda o: cell.text(order_words(o.verb)), sort="verb"),
        Column(key="minor_state", title=gettext_noop("Minor status"), cell=minor_state_of, sort="minor_state", is_past=False),
        Column(key="counts", title=gettext_noop("Steps"), cell=counts_of, sort="failed", falls=True, is_past=False, style="why"),
        Column(key="message", title=gettext_noop("Message"), cell=lambda o: cell.text(o.message), style="why"),
        Column(key="reason", title=gettext_noop("Reason"), cell=lambda o: cell.text(o.reason), style="why"),
        Column(key="author", title=gettext_noop("Owner"), cell=lambda o: cell.text(o.author), sort="author"),
        Column(key="created", title=gettext_noop("Ordered"), cell=lambda o: cell.time(o.create_time), sort="create_time", falls=True),
        Column(key="changed", title=gettext_noop("Last update"), cell=lambda o: cell.time(o.update_time), sort="update_time", falls=True, is_past=False),
        Column(key="alive", title=gettext_noop("Last sign of life"), cell=lambda o: cell.time(o.sign_of_life_time), sort="sign_of_life_time", falls=True, is_past=False),
        Column(key="started", title=gettext_noop("Began"), cell=lambda o: cell.time(o.start_time), sort="start_time", falls=True, is_past=False, is_usual=False),
        Column(key="ended", title=gettext_noop("Ended"), cell=lambda o: cell.time(o.end_time), sort="end_time", falls=True, is_past=False, is_usual=False),
    ),
    read=read_operations,
    name=lambda operation: operation.name,
    tone=lambda operation: standing_of(operation).tone,
    tallied=(
        Tallied("phase", gettext_noop("Status"), phase_named),
        Tallied("verb", gettext_noop("Order"), lambda verb: Mark(order_words(verb_named(verb) or ORDER_VERB_EDIT), "")),
        Tallied("author", gettext_noop("Owner"), lambda author: Mark(author, "")),
    ),
    past_note=gettext_noop("How far operations had come then is not kept: those that have changed since, also those that were retried, are shown as under way. Filters by order, owner, reason and when it was ordered are as of then; others ask for what is so now."),
    usual_sort="-create_time",
    actions=tuple(
        Action(steering.word, "/operations/steer", ("how", how), steering.call)
        for how, steering in STEERING.items()
    ),
    example="phase=EXECUTING,HELD author=anna",
    nothing=gettext_noop("Nobody has given an order yet."),
)  # fmt: skip

CHANGES: ListKind[ChangeSet] = ListKind(
    path="changes",
    title=gettext_noop("Changes"),
    noun="change_set",
    columns=(
        Column(key="revision", title=gettext_noop("Revision"), cell=lambda c: cell.name(c.name), sort="revision", falls=True, style="number"),
        Column(key="time", title=gettext_noop("When"), cell=lambda c: cell.time(c.time), sort="time", falls=True),
        Column(key="author", title=gettext_noop("Who"), cell=lambda c: cell.text(c.author)),
        Column(key="reason", title=gettext_noop("Why"), cell=lambda c: cell.text(c.reason), style="why"),
        Column(key="what", title=gettext_noop("What"), cell=what_of, style="why"),
        Column(key="method", title=gettext_noop("How"), cell=lambda c: cell.text(c.method), is_usual=False),
        Column(key="client", title=gettext_noop("Program"), cell=lambda c: cell.text(c.client)),
        Column(key="request_id", title=gettext_noop("Request"), cell=lambda c: cell.text(c.request_id), is_usual=False, style="id"),
    ),
    read=read_changes,
    name=lambda change: change.name,
    identity="",
    key="revision",
    usual_sort="-revision",
    example="author=anna time<2h",
    nothing=gettext_noop("Nothing has been changed yet."),
)  # fmt: skip
