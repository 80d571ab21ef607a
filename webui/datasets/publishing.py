"""Versions of a template: one is begun as a draft, published or discarded, and retired one day."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from google.protobuf.field_mask_pb2 import FieldMask
from mds.v1.template_pb2 import (
    DeprecateTemplateVersionRequest,
    DiscardTemplateDraftRequest,
    GetTemplateRequest,
    PublishTemplateVersionRequest,
    Template,
    UpdateTemplateRequest,
    VersionState,
)

from control_units.client import ClientError, Refused
from webui.datasets.again import again
from webui.datasets.form import new_request_id
from webui.datasets.problem import field_of
from webui.names import page_of
from webui.refusals import told
from webui.site import READ_SECONDS, Site, can_be_mended
from webui.translation import _, gettext_noop

WORDS = {
    "draft": gettext_noop("Begin a draft"),
    "publish": gettext_noop("Publish the draft"),
    "deprecate": gettext_noop("Deprecate"),
    "discard": gettext_noop("Discard the draft"),
}
"""What may be done, as addresses and as buttons have it."""


def routes(site: Site) -> list[web.RouteDef]:
    pages = VersionPages(site)
    path = f"/templates/{{id:.+}}/{{what:{'|'.join(WORDS)}}}"
    return [web.get(path, pages.ask), web.post(path, pages.do)]


class VersionPages:
    """Handlers. Each holds nothing but what it draws."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._templates = site.client.templates

    async def ask(self, request: web.Request) -> web.Response:
        """`GET /templates/{id}/publish` and its like: a form that asks for the reason, too."""
        self._site.require("Templates.UpdateTemplate")
        return await self._form(request, request.query)

    async def do(self, request: web.Request) -> web.Response:
        """`POST /templates/{id}/publish` and its like: leads to what has become of it."""
        posted = await request.post()
        texts = {name: str(value) for name, value in posted.items()}
        name = f"templates/{request.match_info['id']}"
        try:
            async with asyncio.timeout(READ_SECONDS):
                leads_to = await self._done(request.match_info["what"], name, texts)
        except Refused as refused:
            if not can_be_mended(refused):
                return again(self._site, request.path, posted.items(), refused)
            return await self._form(request, texts, problem=told(refused), field=field_of(refused))
        except (ClientError, TimeoutError) as failure:
            return again(self._site, request.path, posted.items(), failure)
        raise web.HTTPSeeOther(leads_to)

    async def _done(self, what: str, name: str, texts: Mapping[str, str]) -> str:
        """Where one sees that it is done."""
        asked, templates = _Asked(name, texts), self._templates
        if what == "discard":
            gone = await templates.DiscardTemplateDraft(asked.to_discard())
            return f"/change_sets/{gone.position.revision}?saved=1"
        if what == "draft":
            changed = await templates.UpdateTemplate(asked.to_begin())
        elif what == "publish":
            changed = await templates.PublishTemplateVersion(asked.to_publish())
        else:
            changed = await templates.DeprecateTemplateVersion(asked.to_deprecate())
        return f"{page_of(changed.name)}?saved={changed.revision}"

    async def _form(
        self,
        request: web.Request,
        texts: Mapping[str, str],
        *,
        problem: str = "",
        field: str = "",
    ) -> web.Response:
        name, what = f"templates/{request.match_info['id']}", request.match_info["what"]
        try:
            async with asyncio.timeout(READ_SECONDS):
                newest = await self._templates.GetTemplate(GetTemplateRequest(name=name))
        except (ClientError, TimeoutError) as failure:
            return self._site.refused(failure, whole=True)
        context: dict[str, object] = {
            "id": request.match_info["id"],
            "page": page_of(name),
            "what": what,
            "word": _(WORDS[what]),
            "version": texts.get("version", ""),
            # What somebody else has made of it since nobody here has seen: that stays refused.
            "etag": texts.get("etag") or newest.etag,
            "reason": texts.get("reason", ""),
            "request_id": new_request_id(),
            "problem": problem,
            "field": field,
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return self._site.page("datasets/publishing.html", context, status=status)


class _Asked:
    """What a form says, as the server takes it."""

    def __init__(self, name: str, texts: Mapping[str, str]) -> None:
        self._name = name
        self._etag = texts.get("etag", "")
        self._reason = texts.get("reason", "")
        self._request_id = texts.get("request_id") or new_request_id()
        version = texts.get("version", "")
        self._version = int(version) if version.isdecimal() and len(version) < 9 else 0

    def to_begin(self) -> UpdateTemplateRequest:
        """The next version, as a copy of the newest."""
        return UpdateTemplateRequest(
            template=Template(
                name=self._name, etag=self._etag, version_state=VersionState.VERSION_STATE_DRAFT
            ),
            update_mask=FieldMask(paths=["version_state"]),
            request_id=self._request_id,
            reason=self._reason,
        )

    def to_publish(self) -> PublishTemplateVersionRequest:
        """The draft: free to use, and never changed again."""
        return PublishTemplateVersionRequest(
            name=self._name, etag=self._etag, request_id=self._request_id, reason=self._reason
        )

    def to_deprecate(self) -> DeprecateTemplateVersionRequest:
        """A version that no new unit may use."""
        return DeprecateTemplateVersionRequest(
            name=self._name,
            version=self._version,
            etag=self._etag,
            request_id=self._request_id,
            reason=self._reason,
        )

    def to_discard(self) -> DiscardTemplateDraftRequest:
        """The draft, thrown away."""
        return DiscardTemplateDraftRequest(
            name=self._name, etag=self._etag, request_id=self._request_id, reason=self._reason
        )
