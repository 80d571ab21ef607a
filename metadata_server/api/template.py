"""Versions of templates on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from mds.v1 import template_pb2

from metadata_server.api.calls import Context, caller_of, tell_position
from metadata_server.api.messages import to_message
from metadata_server.api.messages.asked_list import asked_list_of
from metadata_server.api.messages.position import position_message
from metadata_server.api.standard import hash_of
from metadata_server.domain.filter.vocabulary import TEMPLATE_VERSION
from metadata_server.domain.names import Kind
from metadata_server.services.intent.versioning import Versioning


class TemplateMethods:
    """Handlers for what templates have besides the standard methods."""

    def __init__(self, versioning: Versioning) -> None:
        self._versioning = versioning

    def handlers(self) -> dict[str, Callable[[Any, Context], Any]]:
        """Handlers by method name."""
        return {
            "ListTemplateVersions": self.list_versions,
            "PublishTemplateVersion": self.publish,
            "DeprecateTemplateVersion": self.deprecate,
            "DiscardTemplateDraft": self.discard,
        }

    async def list_versions(self, request: Any, context: Context) -> Message:
        answer = await self._versioning.list(
            Kind.TEMPLATE.id_of(request.name), asked_list_of(request, TEMPLATE_VERSION)
        )
        tell_position(context, answer.position)
        reply = template_pb2.ListTemplateVersionsResponse(
            unit_counts=[use.units for use in answer.value.uses],
            position=position_message(answer.position),
        )
        for use in answer.value.uses:
            message: Any = to_message(use.version)
            message.etag = answer.value.etag
            reply.versions.append(message)
        return reply

    async def publish(self, request: Any, context: Context) -> Message:
        answer = await self._versioning.publish(
            caller_of(context, "Templates.PublishTemplateVersion", request, hash_of(request)),
            Kind.TEMPLATE.id_of(request.name),
            etag=request.etag,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return to_message(answer.value)

    async def deprecate(self, request: Any, context: Context) -> Message:
        answer = await self._versioning.deprecate(
            caller_of(context, "Templates.DeprecateTemplateVersion", request, hash_of(request)),
            Kind.TEMPLATE.id_of(request.name),
            request.version,
            etag=request.etag,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return to_message(answer.value)

    async def discard(self, request: Any, context: Context) -> Message:
        answer = await self._versioning.discard(
            caller_of(context, "Templates.DiscardTemplateDraft", request, hash_of(request)),
            Kind.TEMPLATE.id_of(request.name),
            etag=request.etag,
            validate_only=request.validate_only,
        )
        tell_position(context, answer.position)
        return template_pb2.DiscardTemplateDraftResponse(position=position_message(answer.position))
