"""Resources of the domain as messages of the protocol, and back. Converts; never decides."""

from metadata_server.api.messages.configuration import (
    ConfigurationMessages,
    configuration_message,
)
from metadata_server.api.messages.control_unit import control_unit_status_message
from metadata_server.api.messages.dataset import dataset_message, published_attributes_of
from metadata_server.api.messages.declared import from_message, to_message
from metadata_server.api.messages.mask import apply_mask
from metadata_server.api.messages.unit_server import unit_server_status_message

__all__ = [
    "ConfigurationMessages",
    "apply_mask",
    "configuration_message",
    "control_unit_status_message",
    "dataset_message",
    "from_message",
    "published_attributes_of",
    "to_message",
    "unit_server_status_message",
]
