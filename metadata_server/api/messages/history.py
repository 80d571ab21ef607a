"""What people changed, as messages."""

from __future__ import annotations

from mds.v1 import history_pb2

from metadata_server.api.messages.control_unit import name_or_nothing
from metadata_server.api.messages.difference import difference_messages
from metadata_server.api.messages.enums import CHANGE_ACTIONS, KINDS
from metadata_server.api.messages.position import position_message, time_message
from metadata_server.domain.change_set import ChangeSet, ToldChange
from metadata_server.domain.intent.comparison import Compared, Difference


def change_set_message(change_set: ChangeSet) -> history_pb2.ChangeSet:
    return history_pb2.ChangeSet(
        name=change_set.name,
        revision=change_set.revision,
        time=time_message(change_set.time_us),
        author=change_set.author,
        authenticated=change_set.authenticated,
        reason=change_set.reason,
        request_id=change_set.request_id,
        client=change_set.client,
        method=change_set.method,
        created=change_set.created,
        updated=change_set.updated,
        deleted=change_set.deleted,
        first_names=change_set.first_names,
    )


def change_message(change: ToldChange) -> history_pb2.Change:
    return history_pb2.Change(
        change_set=change_set_message(change.change_set),
        kind=KINDS.number[change.kind],
        name=change.kind.name_of(change.id),
        former_name=name_or_nothing(change.kind, change.former_id),
        action=CHANGE_ACTIONS.number[change.action],
        differences=difference_messages(change.differences),
    )


def compared_message(part: Compared) -> history_pb2.CompareResponse:
    message = history_pb2.CompareResponse(
        to=position_message(part.later),
        differences=map(difference_message, part.differences),
        compared=part.compared,
    )
    getattr(message, "from").CopyFrom(position_message(part.earlier))
    return message


def difference_message(difference: Difference) -> history_pb2.Difference:
    return history_pb2.Difference(
        kind=KINDS.number[difference.kind],
        name=difference.kind.name_of(difference.id),
        former_name=name_or_nothing(difference.kind, difference.former_id),
        action=CHANGE_ACTIONS.number[difference.action],
        differences=difference_messages(difference.differences),
        from_etag=difference.from_etag,
        to_etag=difference.to_etag,
    )
