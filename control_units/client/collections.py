"""Resources by their noun: read, list, create, change, delete, mirror.

The calls, their messages and the names of their fields are found in the descriptors of the
contract: the standard methods of each noun are alike.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from mds.v1.kind_pb2 import Kind

from control_units.client.backoff import Backoff
from control_units.client.calls import Caller
from control_units.client.errors import Stale

if TYPE_CHECKING:
    from control_units.client.mirror import Mirror

R = TypeVar("R", bound=Message)
PAGE = 500


class Reading(Generic[R]):
    """Resources that can be read.

    Wherever an id is asked for, a whole name (`control_units/DAFNE/PL/QSK`) is one, too. `timeout`
    is what a call may take in all, in s; of a list, each page of it.

    Attributes:
        collection: what their names begin with: `control_units`.
        service: of the contract, that reads them: `ControlUnits`.
    """

    collection: str
    service: str

    def __init__(self, channel: grpc.aio.Channel, caller: Caller, resource: str, many: str) -> None:
        super().__init__(channel)  # type: ignore[call-arg]  # the stub that it stands before
        self._caller = caller
        self._resource = resource
        self._many = many
        self.collection = snake_case(many)

    def name(self, id: str) -> str:
        """The name of the one with this id."""
        return id if id.startswith(f"{self.collection}/") else f"{self.collection}/{id}"

    def id(self, resource: R) -> str:
        """The id of a resource: its name without the collection."""
        name: str = cast(Any, resource).name
        return name.removeprefix(f"{self.collection}/")

    async def get(self, id: str, *, as_of: str = "", timeout: float | None = None) -> R:
        """One resource.

        Args:
            as_of: a revision (`120`) or a time (RFC 3339); empty: now.

        Raises:
            NotFound: there is none of this id.
        """
        fields = {"name": self.name(id), **_given({"as_of": as_of})}
        return cast(R, await self._call(f"Get{self._resource}", fields, timeout))

    async def list(
        self,
        request: Message | None = None,
        *,
        id_prefix: str = "",
        filter: str = "",
        order_by: str = "",
        as_of: str = "",
        timeout: float | None = None,
    ) -> AsyncIterator[R]:
        """All resources that pass, page after page, all as of the first page's position.

        Args:
            request: the contract's request (`ListControlUnitsRequest(zone="DAFNE")`), for what
                has no word here.
            filter: in the language of filters: `zone=DAFNE level>2`.
            order_by: a key, with ` desc` for the opposite order; empty: by id.
        """
        given = {"id_prefix": id_prefix, "filter": filter, "order_by": order_by, "as_of": as_of}
        async for page in self.pages(given, request, timeout=timeout):
            for resource in getattr(page, self.collection):
                yield resource

    async def pages(
        self,
        words: Mapping[str, str],
        request: Message | None = None,
        *,
        timeout: float | None = None,
    ) -> AsyncIterator[Any]:
        """The same, page by page, each the contract's reply (`ListControlUnitsResponse`)."""
        method = f"List{self._many}"
        asked: Any = self._request(method)(**_given(words))
        if request is not None:
            asked.MergeFrom(request)
        async for page in pages_of(getattr(self, method), asked, timeout):
            yield page

    async def _call(self, method: str, fields: dict[str, Any], timeout: float | None) -> Any:
        return await getattr(self, method)(self._request(method)(**fields), timeout=timeout)

    def _request(self, method: str) -> type[Message]:
        """The class of a method's request."""
        pool = descriptor_pool.Default()
        found = pool.FindMethodByName(f"mds.v1.{self.service}.{method}")
        return message_factory.GetMessageClass(found.input_type)


class Watched(Reading[R]):
    """Resources whose changes are told."""

    def mirror(
        self,
        *,
        id_prefix: str = "",
        filter: str = "",
    ) -> "Mirror[R]":
        """All resources that pass, kept current: `async with client.variables.mirror() as mirror`."""
        from control_units.client.mirror import Mirror

        return Mirror(self, self._caller, id_prefix=id_prefix, filter=filter)

    @property
    def kind(self) -> Kind.ValueType:
        """What the contract calls them: KIND_CONTROL_UNIT."""
        return Kind.Value(f"KIND_{snake_case(self._resource).upper()}")


class Collection(Watched[R]):
    """Resources that people declare.

    Every change says `reason`, for the history; with `validate_only` it is checked as a whole and
    nothing is written.
    """

    async def create(
        self,
        resource: R,
        *,
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> R:
        """Creates a resource; its name stands in it.

        Raises:
            AlreadyExists: there is one of this name.
            Invalid: it breaks a rule.
        """
        fields = {
            snake_case(self._resource): resource,
            "reason": reason,
            "validate_only": validate_only,
        }
        return cast(R, await self._call(f"Create{self._resource}", fields, timeout))

    async def update(
        self,
        resource: R,
        *fields: str,
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> R:
        """Writes fields of a resource as it stands here, provided that nobody has changed them
        since it was read.

        Args:
            resource: with the etag that was read; `*` in its place: whatever is there now.
            fields: which; none: all.

        Raises:
            Stale: somebody has; `conflicts` says what. See `change`.
        """
        mask = FieldMask(paths=fields or ("*",))
        given = {
            snake_case(self._resource): resource,
            "update_mask": mask,
            "reason": reason,
            "validate_only": validate_only,
        }
        return cast(R, await self._call(f"Update{self._resource}", given, timeout))

    async def change(
        self,
        id: str,
        edit: Callable[[R], object],
        *,
        reason: str = "",
        timeout: float | None = None,
    ) -> R:
        """Reads a resource, has a function change it, and writes what differs; when somebody else
        was faster, all again with what is there then.

        Args:
            edit: changes the resource in place; may be called several times. What it raises ends
                the call. When it changes nothing, nothing is written.
            timeout: for all tries together.

        Raises:
            Stale: somebody else was faster each time, until the time was over.
        """
        end = time.monotonic() + (self._caller.timeout if timeout is None else timeout)
        backoff = Backoff(first=0.05, longest=1.0)
        while True:
            begun = time.monotonic()
            before = await self.get(id, timeout=_left(end))
            after = type(before).FromString(before.SerializeToString())
            edit(after)
            fields = differing_fields(before, after)
            if not fields:
                return before
            try:
                return await self.update(after, *fields, reason=reason, timeout=_left(end))
            except Stale:
                pause, now = backoff.next(), time.monotonic()
                # One more that was cut short would leave open whether it had written.
                if now + pause + (now - begun) >= end:
                    raise
            await asyncio.sleep(pause)

    async def delete(
        self,
        resource: R | str,
        *,
        etag: str = "",
        reason: str = "",
        validate_only: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Deletes a resource; its history stays.

        Args:
            resource: as it was read, or an id.
            etag: with an id, the one that was read; `*`: whatever is there now.

        Raises:
            Stale: somebody has changed it since.
            Precondition: others depend on it (STILL_IN_USE), or an id came without an etag.
        """
        if isinstance(resource, str):
            name = self.name(resource)
        else:
            known = cast(Any, resource)
            name, etag = known.name, etag or known.etag
        fields = {
            "name": name,
            "etag": etag,
            "reason": reason,
            "validate_only": validate_only,
        }
        await self._call(f"Delete{self._resource}", fields, timeout)


async def pages_of(call: Any, request: Any, timeout: float | None) -> AsyncIterator[Any]:
    """The replies of a call that lists page by page, as long as there are more."""
    request.page_size = request.page_size or PAGE
    while True:
        page = await call(request, timeout=timeout)
        yield page
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


def snake_case(words: str) -> str:
    """`ControlUnit`: `control_unit`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).lower()


def differing_fields(before: Message, after: Message) -> list[str]:
    """Names of the fields, at the top, that differ."""

    def content(message: Message, field: Any) -> Any:
        is_single = field.message_type is not None and not field.is_repeated
        if is_single and not message.HasField(field.name):
            return None
        return getattr(message, field.name)

    fields = before.DESCRIPTOR.fields
    return [each.name for each in fields if content(before, each) != content(after, each)]


def _given(fields: Mapping[str, str]) -> dict[str, str]:
    """Those that say something: not every request has a place for each."""
    return {name: value for name, value in fields.items() if value}


def _left(end: float) -> float:
    return max(end - time.monotonic(), 0.001)
