"""What a call takes of its caller, as the protocol says it: what a page shows comes from there."""

import pkgutil
from functools import cache
from importlib import import_module

import mds.v1
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from mds.v1 import access_pb2

from webui.access.person import Person, role_word
from webui.translation import _


def allows(person: Person, method: str) -> bool:
    """Whether somebody may make a call: `ControlUnits.UpdateControlUnit`."""
    access = access_of(method)
    return person.role >= access.role or (access.programs and person.program)


def role_too_small(needed: access_pb2.Role.ValueType, person: Person) -> str:
    """For people: that somebody's role does not do."""
    message = _("This takes the role %(needed)s; yours is %(had)s.")
    return message % {"needed": role_word(needed), "had": person.role_word}


def access_of(method: str) -> access_pb2.Access:
    return _descriptor(method).GetOptions().Extensions[access_pb2.access]


@cache
def _descriptor(method: str) -> MethodDescriptor:
    service, _dot, name = method.partition(".")
    _load_contract()
    found = descriptor_pool.Default().FindServiceByName(f"mds.v1.{service}")
    return found.methods_by_name[name]


@cache
def _load_contract() -> None:
    """The pool knows only what has been imported."""
    for module in pkgutil.iter_modules(mds.v1.__path__):
        if module.name.endswith("_pb2"):
            import_module(f"mds.v1.{module.name}")
