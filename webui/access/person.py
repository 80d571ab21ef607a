"""Whom the server says that a request is made for."""

from dataclasses import dataclass

from mds.v1.access_pb2 import Role
from mds.v1.token_pb2 import WhoAmIResponse

from control_units.client.words import word_of


@dataclass(frozen=True, slots=True)
class Person:
    """
    Attributes:
        name: in the history; empty: not known.
        authenticated: they have shown a token; False: the server asks nobody, or does not answer.
        program: their token is for programs.
        end_s: until when the token is good, in s since 1970; 0: until it is revoked.
    """

    name: str = ""
    role: Role.ValueType = Role.ROLE_ADMIN
    authenticated: bool = False
    program: bool = False
    token: str = ""
    end_s: int = 0

    @classmethod
    def of(cls, told: WhoAmIResponse) -> "Person":
        return cls(
            told.principal,
            told.role,
            told.authenticated,
            told.program,
            told.token,
            told.expire_time.seconds,
        )

    @property
    def role_word(self) -> str:
        return role_word(self.role)


STRANGER = Person()
"""Somebody of whom nothing is known, for nobody answers: the server itself will say what they may."""


def role_word(role: Role.ValueType) -> str:
    """As tokens and the protocol call it: `operator`."""
    return word_of(Role, role).lower()
