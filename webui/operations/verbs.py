"""The orders that can be given to a unit: those that would change something of it."""

from dataclasses import dataclass

from mds.v1 import control_unit_pb2, operation_pb2, state_pb2

from control_units.client.words import word_of
from webui.translation import _, gettext_noop

_STATES = {
    operation_pb2.ORDER_VERB_START: state_pb2.STATE_RUNNING,
    operation_pb2.ORDER_VERB_STOP: state_pb2.STATE_STOPPED,
    operation_pb2.ORDER_VERB_INIT: state_pb2.STATE_INITIALIZED,
    operation_pb2.ORDER_VERB_LOAD: state_pb2.STATE_LOADED,
    operation_pb2.ORDER_VERB_UNLOAD: state_pb2.STATE_UNLOADED,
}
_WORDS = {
    operation_pb2.ORDER_VERB_RECOVER: gettext_noop("Recover"),
    operation_pb2.ORDER_VERB_START: gettext_noop("Start"),
    operation_pb2.ORDER_VERB_STOP: gettext_noop("Stop"),
    operation_pb2.ORDER_VERB_INIT: gettext_noop("Init"),
    operation_pb2.ORDER_VERB_DEINIT: gettext_noop("Deinit"),
    operation_pb2.ORDER_VERB_LOAD: gettext_noop("Load"),
    operation_pb2.ORDER_VERB_UNLOAD: gettext_noop("Unload"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One verb.

    Attributes:
        name: as addresses have it: `start`.
    """

    name: str
    word: str


def order_of(verb: operation_pb2.OrderVerb.ValueType) -> Order:
    name = word_of(operation_pb2.OrderVerb, verb).lower()
    return Order(name, _(_WORDS[verb]))


def order_words(verb: operation_pb2.OrderVerb.ValueType) -> str:
    """What an operation does; others than pages give, too."""
    known = _WORDS.get(verb)
    return _(known) if known else _("Edit")


def verb_named(name: str) -> operation_pb2.OrderVerb.ValueType | None:
    """The verb in an address; None: there is none of this name that a page can give."""
    return next((verb for verb in _WORDS if order_of(verb).name == name.lower()), None)


def orders() -> list[Order]:
    """All that a page can give."""
    return [order_of(verb) for verb in _WORDS]


def orders_for(status: control_unit_pb2.ControlUnitStatus) -> list[Order]:
    """Recover only from an error, and nothing that would bring it where it is."""
    in_error = status.state == state_pb2.STATE_RECOVERABLE_ERROR
    return [
        order_of(verb)
        for verb in _WORDS
        if _STATES.get(verb) != status.state
        and (in_error or verb != operation_pb2.ORDER_VERB_RECOVER)
    ]
