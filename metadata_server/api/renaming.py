"""Renaming and copying of control units on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages import to_message
from metadata_server.api.standard import hash_of
from metadata_server.domain.names import Kind
from metadata_server.services.intent.renaming import Copying, Renaming


class RenamingMethods:
    """Handlers for what gives control units names, besides the standard methods."""

    def __init__(self, renaming: Renaming) -> None:
        self._renaming = renaming

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {"RenameControlUnit": self.rename, "CopyControlUnit": self.copy}

    async def rename(self, request: Any, context: Context) -> Message:
        answer = await self._renaming.rename(
            caller_of(context, "ControlUnits.RenameControlUnit", request, hash_of(request)),
            Kind.CONTROL_UNIT.id_of(request.name),
            Kind.CONTROL_UNIT.id_of(request.new_name, field="new_name"),
            etag=request.etag,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return to_message(answer.value)

    async def copy(self, request: Any, context: Context) -> Message:
        server = request.unit_server
        wanted = Copying(
            id=Kind.CONTROL_UNIT.id_of(request.name),
            new_id=Kind.CONTROL_UNIT.id_of(request.new_name, field="new_name"),
            unit_server=Kind.UNIT_SERVER.id_of(server, field="unit_server") if server else "",
            as_of=request.as_of,
        )
        answer = await self._renaming.copy(
            caller_of(context, "ControlUnits.CopyControlUnit", request, hash_of(request)),
            wanted,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return to_message(answer.value)
