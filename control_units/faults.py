"""What goes wrong inside a unit or its unit server, apart from calls to the metadata server.

UnitFault                 of one unit; its neighbours go on
├── RecoverableError      raised by the author: the unit waits for *recover*
├── FatalError            raised by the author: the unit waits for *init*
├── NotSet                an attribute was read before it had a value
├── NotWritable           code wrote an attribute that only set-points write
├── WrongType             a value is not of its attribute's type
└── OutOfRange            a value lies outside its attribute's range
UnitServerFault           of the whole process
├── AlreadyRunning        another live process holds this unit server
├── Superseded            another process took its place while it was away
└── Undeclared            nobody declared this unit server
"""


class UnitFault(Exception):
    """Of one unit; its neighbours go on."""


class RecoverableError(UnitFault):
    """Raise it in a hook: the unit goes to RECOVERABLE_ERROR with this message."""


class FatalError(UnitFault):
    """Raise it in a hook: the unit goes to FATAL_ERROR with this message."""


class NotSet(UnitFault, AttributeError):
    """An attribute was read before it had a value."""


class NotWritable(UnitFault, AttributeError):
    """Code wrote an input: only set-points write it."""


class WrongType(UnitFault, TypeError):
    """A value is not of its attribute's type."""


class OutOfRange(UnitFault, ValueError):
    """A value lies outside its attribute's range."""


class UnitServerFault(Exception):
    """Of the whole process."""


class AlreadyRunning(UnitServerFault):
    """Another live process holds this unit server."""


class Superseded(UnitServerFault):
    """Another process took the place of this one while it was out of touch."""


class Undeclared(UnitServerFault):
    """Nobody declared this unit server."""
