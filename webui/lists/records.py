"""Lists of what the server itself keeps a record of: operations and changes."""

from mds.v1.history_pb2 import ChangeSet, ListChangeSetsRequest
from mds.v1.operation_pb2 import ORDER_VERB_EDIT, ListOperationsRequest, Operation

from control_units.client import Client
from webui.lists import cell
from webui.lists.cell import Cell
from webui.lists.kind import Action, Column, ListKind, Tallied
from webui.lists.reading import Call, Page, Query
from webui.operations.phases import phase_named, phase_of
from webui.operations.steering import STEERING
from webui.operations.verbs import order_words, verb_named
from webui.translation import _, gettext_noop
from webui.vocabulary import Mark


async def read_operations(client: Client, query: Query) -> Page[Operation]:
    """Raises: ClientError."""
    return await Call(client.operations.ListOperations, ListOperationsRequest, "operations").page(
        query
    )


async def read_changes(client: Client, query: Query) -> Page[ChangeSet]:
    """Raises: ClientError."""
    return await Call(client.history.ListChangeSets, ListChangeSetsRequest, "change_sets").page(
        query
    )


def counts_of(operation: Operation) -> Cell:
    """How many steps are done and how many failed, of how many."""
    counts = operation.counts
    told = [(field.name, value) for field, value in counts.ListFields() if isinstance(value, int)]
    return Cell(
        text=", ".join(f"{value} {name}" for name, value in told),
        notes=tuple(cell.Note(f"{value} {name.replace('_', ' ')}") for name, value in told),
    )


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
        Column(key="phase", title=gettext_noop("Status"), cell=lambda o: cell.mark(phase_of(o)), sort="phase"),
        Column(key="id", title=gettext_noop("Operation"), cell=lambda o: cell.name(o.name), style="id"),
        Column(key="verb", title=gettext_noop("Order"), cell=lambda o: cell.text(order_words(o.verb)), sort="verb"),
        Column(key="minor_state", title=gettext_noop("Minor status"), cell=lambda o: cell.text(o.minor_state), sort="minor_state"),
        Column(key="counts", title=gettext_noop("Steps"), cell=counts_of, sort="failed", falls=True, style="why"),
        Column(key="message", title=gettext_noop("Message"), cell=lambda o: cell.text(o.message), style="why"),
        Column(key="reason", title=gettext_noop("Reason"), cell=lambda o: cell.text(o.reason), style="why"),
        Column(key="author", title=gettext_noop("Owner"), cell=lambda o: cell.text(o.author), sort="author"),
        Column(key="created", title=gettext_noop("Ordered"), cell=lambda o: cell.time(o.create_time), sort="create_time", falls=True),
        Column(key="changed", title=gettext_noop("Last update"), cell=lambda o: cell.time(o.update_time), sort="update_time", falls=True),
        Column(key="alive", title=gettext_noop("Last sign of life"), cell=lambda o: cell.time(o.sign_of_life_time), sort="sign_of_life_time", falls=True),
        Column(key="started", title=gettext_noop("Began"), cell=lambda o: cell.time(o.start_time), sort="start_time", falls=True, is_usual=False),
        Column(key="ended", title=gettext_noop("Ended"), cell=lambda o: cell.time(o.end_time), sort="end_time", falls=True, is_usual=False),
    ),
    read=read_operations,
    name=lambda operation: operation.name,
    tone=lambda operation: phase_of(operation).tone,
    tallied=(
        Tallied("phase", gettext_noop("Status"), phase_named),
        Tallied("verb", gettext_noop("Order"), lambda verb: Mark(order_words(verb_named(verb) or ORDER_VERB_EDIT), "")),
        Tallied("author", gettext_noop("Owner"), lambda author: Mark(author, "")),
    ),
    has_past=False,
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
    has_past=False,
    usual_sort="-revision",
    example="author=anna time<2h",
    nothing=gettext_noop("Nothing has been changed yet."),
)  # fmt: skip
