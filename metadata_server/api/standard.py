"""The five standard methods, the same for every kind that people declare.

The services of the protocol name them by their resource (`GetAgent`, `ListAgents`, …); what
they do differs only in the kind, so they are written once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages import apply_mask, from_message, to_message
from metadata_server.api.messages.position import position_message
from metadata_server.api.pages import Page, Written
from metadata_server.api.prepared import Prepared
from metadata_server.domain.intent.template import Template
from metadata_server.domain.names import Kind
from metadata_server.domain.page import Selection
from metadata_server.domain.resource import Resource
from metadata_server.services.intent.resources import Resources
from metadata_server.services.watching.remembered import Origin, Remembered
from metadata_server.store.intent.shelf import Shelf

SELECTION_FIELDS = {
    "unit_server": Kind.UNIT_SERVER,
    "template": Kind.TEMPLATE,
    "agent": Kind.AGENT,
}


@dataclass(frozen=True, slots=True)
class StandardMethods:
    """The standard methods of one kind.

    Attributes:
        type: of its resources.
        protocol: the generated module that has its messages.
    """

    type: type[Resource]
    protocol: Any
    resources: Resources
    remembered: Remembered
    shelf: Shelf[Written]

    @property
    def kind(self) -> Kind:
        return self.type.kind

    @property
    def word(self) -> str:
        """The kind as the protocol writes it: `ControlUnit`."""
        return "".join(part.capitalize() for part in self.kind.value.split("_"))

    @property
    def words(self) -> str:
        """Many of them, as the protocol writes it: `ControlUnits`."""
        return "".join(part.capitalize() for part in self.kind.collection.split("_"))

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {
            f"Get{self.word}": self.get,
            f"List{self.words}": self.list,
            f"Create{self.word}": self.create,
            f"Update{self.word}": self.update,
            f"Delete{self.word}": self.delete,
        }

    async def get(self, request: Any, context: Context) -> Message | Prepared:
        id = self.kind.id_of(request.name)
        if self.type is Template:
            version = await self.resources.get_version(id, request.version, as_of=request.as_of)
            tell_position(context, version.position)
            return to_message(version.value)
        if request.as_of:
            answer = await self.resources.get(self.type, id, as_of=request.as_of)
            tell_position(context, answer.position)
            return to_message(answer.value)
        held, position = await self.remembered.get(
            (self.kind, id), lambda: self.resources.get(self.type, id), origins_of
        )
        tell_position(context, position)
        return Prepared(held, to_message)

    async def list(self, request: Any, context: Context) -> Page:
        selection = selection_of(self.kind, request)
        page = await self.resources.list(
            self.type, selection, self.shelf, size=request.page_size, token=request.page_token
        )
        tell_position(context, page.position)
        head = getattr(self.protocol, f"List{self.words}Response")(
            next_page_token=page.value.next_page_token,
            position=position_message(page.value.position),
        )
        return Page(head, page.value.items)

    async def create(self, request: Any, context: Context) -> Message:
        message = getattr(request, self.kind.value)
        caller = caller_of(context, self._method("Create"), request, hash_of(request))
        answer = await self.resources.create(
            caller, from_message(self.kind, message), validate_only=request.validate_only
        )
        tell_position(context, answer.position)
        return to_message(answer.value)

    async def update(self, request: Any, context: Context) -> Message:
        message = getattr(request, self.kind.value)
        id = self.kind.id_of(message.name, field=f"{self.kind.value}.name")
        paths = list(request.update_mask.paths)
        caller = caller_of(context, self._method("Update"), request, hash_of(request))
        answer = await self.resources.update(
            caller,
            self.type,
            id,
            etag=message.etag,
            change=lambda before: apply_mask(before, message, paths),
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return to_message(answer.value)

    async def delete(self, request: Any, context: Context) -> Message:
        id = self.kind.id_of(request.name)
        caller = caller_of(context, self._method("Delete"), request, hash_of(request))
        answer = await self.resources.delete(
            caller, self.type, id, etag=request.etag, validate_only=request.validate_only
        )
        tell_position(context, answer.position)
        reply: Message = getattr(self.protocol, f"Delete{self.word}Response")(
            position=position_message(answer.position)
        )
        return reply

    def _method(self, verb: str) -> str:
        return f"{self.words}.{verb}{self.word}"


def origins_of(resource: Resource) -> list[Origin]:
    return [(resource.kind, resource.meta.key)]


def selection_of(kind: Kind, request: Any) -> Selection:
    """What a List request selects; its filters are names of resources, or plain text."""
    filters: dict[str, Any] = {}
    for field in ("id_prefix", "zone", "mark", "as_of", "filter", "order_by", *SELECTION_FIELDS):
        value = getattr(request, field, "")
        if value and field in SELECTION_FIELDS:
            value = SELECTION_FIELDS[field].id_of(value, field=field)
        filters[field] = value
    return Selection(kind=kind, **filters)


def hash_of(request: Message) -> str:
    """Tells whether a request id comes again with the same payload."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
