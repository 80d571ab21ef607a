"""Unit servers, as a form edits them."""

from collections.abc import Mapping, Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.unit_server_pb2 import CreateUnitServerRequest, UnitServer, UpdateUnitServerRequest

from control_units.client import Client
from webui.datasets import server_declaration as declaration
from webui.datasets.form import Form
from webui.datasets.problem import Problem
from webui.datasets.texts import without
from webui.translation import _

_OF_ITS_OWN = ("etag", "create_time", "update_time")


class EditedServers:
    """See `Edited`."""

    collection = "unit_servers"
    template = "datasets/edit_server.html"
    update = "UnitServers.UpdateUnitServer"

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def title(self) -> str:
        return _("Edit unit server")

    @property
    def new_title(self) -> str:
        return _("New unit server")

    def is_field(self, path: str) -> bool:
        return declaration.is_field(path)

    def words_of(self, path: str) -> str:
        return declaration.words_of(path)

    def fields_of(self, server: UnitServer) -> dict[str, str]:
        return declaration.fields_of(server)

    def changed(
        self, base: UnitServer, form: Form, changed: Mapping[str, str]
    ) -> tuple[UnitServer, Sequence[str]]:
        server = UnitServer()
        server.CopyFrom(base)
        server.etag = form.etag
        return server, declaration.declare(server, changed)

    def problem_of(self, field: str, description: str, _sent: UnitServer, /) -> Problem:
        return declaration.problem_of(field, description)

    def fresh(self, like: UnitServer | None) -> UnitServer:
        if like is None:
            return UnitServer()
        server = without(like, _OF_ITS_OWN)
        if like.HasField("launch"):
            server.launch.CopyFrom(without(like.launch, ("order", "restart_count")))
        return server

    async def read(self, id: str, as_of: str = "") -> UnitServer:
        return await self._client.unit_servers.get(id, as_of=as_of)

    async def write(self, server: UnitServer, mask: Sequence[str], form: Form) -> UnitServer:
        return await self._client.unit_servers.UpdateUnitServer(
            UpdateUnitServerRequest(
                unit_server=server,
                update_mask=FieldMask(paths=mask),
                request_id=form.request_id,
                reason=form.reason,
            )
        )

    async def create(self, server: UnitServer, form: Form) -> UnitServer:
        return await self._client.unit_servers.CreateUnitServer(
            CreateUnitServerRequest(
                unit_server=server, request_id=form.request_id, reason=form.reason
            )
        )

    async def surroundings(self, _server: UnitServer, form: Form, /) -> dict[str, object]:
        return {"is_launched": any(path.startswith("launch.") for path in form.fields)}
