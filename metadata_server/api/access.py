"""Gates: one that believes what callers say of themselves, and one that asks for tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from mds.v1 import access_pb2

from metadata_server.api.calls import AUTHORIZATION, NOBODY, PRINCIPAL
from metadata_server.api.gate import Stream
from metadata_server.api.messages.enums import ROLES
from metadata_server.api.services import SERVED, services_of
from metadata_server.domain.access.role import Access, Role, role_required
from metadata_server.domain.access.token import Token
from metadata_server.domain.change import Principal
from metadata_server.domain.refused import Refused
from metadata_server.services.access.keyring import HOW_TO, Keyring
from metadata_server.services.admission import Admission

SCHEME = "bearer"
READING = Access(Role.VIEWER)
"""What takes what no method says: a command of the facade is asked for each method it comes to."""


def access_of_methods() -> dict[str, Access]:
    """What the protocol says of each method, by names like `ControlUnits.GetControlUnit`."""
    found = {}
    for service in (service for module in SERVED for service in services_of(module)):
        for method in service.methods:
            said = method.GetOptions().Extensions[access_pb2.access]
            access = Access(ROLES.member(said.role, field="role"), programs=said.programs)
            found[f"{service.name}.{method.name}"] = access
    return found


class OpenGate:
    """Asks nobody: who calls is who they say they are, and may do anything."""

    async def admit(self, method: str, metadata: Mapping[str, str], *, size: int = 0) -> Principal:
        name = metadata.get(PRINCIPAL, "").strip()[:255]
        return Principal(name) if name else NOBODY

    def check(self, method: str, principal: Principal) -> None:
        """Everybody may."""

    @contextmanager
    def streaming(self, principal: Principal) -> Iterator[Stream]:
        yield ENDLESS


class TokenGate:
    """Asks for tokens, whatever callers say of themselves."""

    def __init__(self, keyring: Keyring, admission: Admission) -> None:
        self._keyring = keyring
        self._admission = admission
        self._access = access_of_methods()

    async def admit(self, method: str, metadata: Mapping[str, str], *, size: int = 0) -> Principal:
        """
        Raises:
            Refused: UNAUTHENTICATED, ROLE_REQUIRED; DATABASE_UNAVAILABLE, DRAINING, TOO_BUSY,
                where the token is not remembered.
        """
        token = await self._token_of(shown_in(metadata), size)
        principal = Principal(
            token.principal,
            authenticated=True,
            role=token.role,
            program=token.program,
            token=token.id,
        )
        self.check(method, principal)
        return principal

    async def _token_of(self, text: str, size: int) -> Token:
        """Waits only with a token that has to be looked for, and only where there is room."""
        if self._keyring.remembers(text):
            return await self._keyring.token_of(text)
        with self._admission.stranger(size):
            return await self._keyring.token_of(text)

    def check(self, method: str, principal: Principal) -> None:
        access = self._access.get(method, READING)
        if not access.permits(principal.role, program=principal.program):
            raise role_required(method, access.role, principal.role, programs=access.programs)

    def streaming(self, principal: Principal) -> AbstractContextManager[Stream]:
        return self._keyring.streaming(principal.token)


class Endless:
    """A stream that no gate ends."""

    @property
    def refused(self) -> Refused | None:
        return None


ENDLESS = Endless()


def shown_in(metadata: Mapping[str, str]) -> str:
    """The text of the token that a caller shows.

    Raises:
        Refused: UNAUTHENTICATED.
    """
    scheme, _, text = metadata.get(AUTHORIZATION, "").partition(" ")
    if not scheme:
        raise Refused.unauthenticated(f"This server wants a token, and none was sent. {HOW_TO}")
    if scheme.lower() != SCHEME:
        raise Refused.unauthenticated(f"A token is sent as `Bearer`. {HOW_TO}")
    return text.strip()
