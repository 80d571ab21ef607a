"""Routes, read off the descriptors of the protocol's services (`google.api.http`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import (
    Descriptor,
    FieldDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)

from metadata_server.api.rest.templates import Path, Template

if TYPE_CHECKING:
    HttpRule = Any
else:
    HttpRule = http_pb2.HttpRule

VERBS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to call a method by HTTP.

    Attributes:
        verb: `GET`, `POST`, …
        body: the field of the request that the body is; `*`: the whole request; empty: none.
    """

    verb: str
    template: Template
    body: str
    method: MethodDescriptor

    @property
    def name(self) -> str:
        """`ControlUnits.GetControlUnit`, as in logs and figures."""
        return f"{self.service.name}.{self.method.name}"

    @property
    def full_name(self) -> str:
        """`/mds.v1.ControlUnits/GetControlUnit`, as on the wire of gRPC."""
        return f"/{self.service.full_name}/{self.method.name}"

    @property
    def service(self) -> ServiceDescriptor:
        service: ServiceDescriptor = self.method.containing_service
        return service

    @property
    def request(self) -> Descriptor:
        return self.method.input_type

    @property
    def response(self) -> Descriptor:
        return self.method.output_type

    @property
    def body_message(self) -> Descriptor:
        """What the body is, where it is one field of the request."""
        found = self.request.fields_by_name[self.body].message_type
        assert found is not None
        return found

    @property
    def head(self) -> Descriptor:
        """The message that says who, why and how: the request, or the header of a stream."""
        header = self.request.fields_by_name.get("header") if self.takes_stream else None
        return self.request if header is None else header.message_type or self.request

    @property
    def is_creation(self) -> bool:
        """Whether it makes a resource, which is then at a path of its own: 201 Created."""
        template = self.template
        return self.verb == "POST" and not (template.verb or template.field or self.body == "*")

    @property
    def is_stream(self) -> bool:
        """Whether it answers with many messages."""
        return bool(self.method.server_streaming)

    @property
    def takes_stream(self) -> bool:
        """Whether it is sent many messages."""
        return bool(self.method.client_streaming)

    @property
    def is_mutating(self) -> bool:
        """Whether it may change something: such requests carry an id that makes them safe to
        repeat, or come in a stream whose header has it."""
        return self.takes_stream or "request_id" in self.request.fields_by_name

    @property
    def items(self) -> FieldDescriptor | None:
        """The field of a page's resources; None: it answers with no pages."""
        return items_of(self.response)

    def parameters(self) -> tuple[FieldDescriptor, ...]:
        """The fields of the request that a query may set: neither path nor body has them."""
        if self.body == "*":
            return ()
        taken = {self.body, self.template.field.partition(".")[0]}
        return tuple(each for each in self.request.fields if each.name not in taken)


@cache
def items_of(page: Descriptor) -> FieldDescriptor | None:
    if "next_page_token" not in page.fields_by_name:
        return None
    repeated = (each for each in page.fields if each.is_repeated)
    return next((each for each in repeated if each.message_type is not None), None)


def routes_of(services: Iterable[ServiceDescriptor]) -> tuple[Route, ...]:
    """All routes of some services, in the order of the protocol."""
    return tuple(
        route
        for service in services
        for method in service.methods
        for route in routes_of_method(method)
    )


def routes_of_method(method: MethodDescriptor) -> Iterator[Route]:
    options = method.GetOptions()
    if not options.HasExtension(annotations_pb2.http):
        return
    rule = options.Extensions[annotations_pb2.http]
    for each in (rule, *rule.additional_bindings):
        yield route_of(method, each)


def route_of(method: MethodDescriptor, rule: HttpRule) -> Route:
    """
    Raises:
        ValueError: the rule uses what this server does not serve.
    """
    verb = rule.WhichOneof("pattern")
    if verb not in VERBS or rule.response_body:
        raise ValueError(f"{method.full_name}: {verb!r} or response_body is not served")
    return Route(verb.upper(), Template.of(getattr(rule, verb)), rule.body, method)


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a path: a route for each verb, and the raw value of the path's variable."""

    routes: dict[str, Route]
    raw_value: str


@dataclass(slots=True)
class RouteTable:
    """Routes by collection and custom verb: a look-up compares a path with two or three."""

    _templates: dict[tuple[str, str], dict[str, dict[str, Route]]] = field(default_factory=dict)

    @classmethod
    def of(cls, routes: Iterable[Route]) -> RouteTable:
        """
        Raises:
            ValueError: two routes are the same.
        """
        table = cls()
        for route in routes:
            template = route.template
            same = table._templates.setdefault((template.collection, template.verb), {})
            # `{name=…}` and `{agent.name=…}` are one place with several verbs.
            place = same.setdefault(f"{template.before}{template.after}{bool(template.field)}", {})
            if place.setdefault(route.verb, route) is not route:
                raise ValueError(f"{route.verb} {template.text} is there twice")
        return table

    def find(self, path: Path) -> Found | None:
        for place in self._templates.get((path.collection, path.verb), {}).values():
            route = next(iter(place.values()))
            value = route.template.match(path)
            if value is not None:
                return Found(place, value)
        return None

    def like(self, collection: str) -> str:
        """The collection that a misspelt one resembles; empty: it is one, or resembles none."""
        known = {found for found, _ in self._templates}
        if collection in known:
            return ""
        word = collection.lower().replace("-", "_")
        return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.75)), "")

    def verbs_of(self, collection: str) -> list[str]:
        """The custom verbs that the resources of a collection have."""
        return sorted(verb for found, verb in self._templates if verb and found == collection)
