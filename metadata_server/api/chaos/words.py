"""Names of !CHAOS for what is in the protocol: the reverse of what its files are read with."""

from __future__ import annotations

from collections.abc import Mapping

from mds.v1 import dataset_pb2, state_pb2

FACETS: Mapping[str, str] = {
    "unit": "cudk_ds_attr_unit",
    "default_value": "cudk_default_value",
    "minimum": "cudk_ds_min_range",
    "maximum": "cudk_ds_max_range",
    "warning_minimum": "cudk_ds_min_warn_range",
    "warning_maximum": "cudk_ds_max_warn_range",
    "increment": "cudk_ds_attr_inc",
    "offset": "cudk_ds_attr_offset",
    "conversion_factor": "cudk_ds_attr_convfact",
    "warning_threshold": "cudk_ds_attr_wrn_thr",
    "error_threshold": "cudk_ds_attr_err_thr",
}
"""Facets of attributes, in the order in which they are written."""

PARAMETERS: Mapping[str, str] = {
    "load_parameter": "cudk_load_param",
    "schedule_delay": "cudk_thr_sch_delay",
    "storage_type": "dsndk_storage_type",
    "history_ageing": "dsndk_storage_history_ageing",
    "history_time": "dsndk_storage_history_time",
    "live_time": "dsndk_storage_live_time",
    "log_time": "dsndk_storage_log_time",
    "update_anyway": "dsndk_update_anyway",
    "log_maximum": "cudk_log_max_ms",
}
"""Parameters by the names that they have when files are imported."""

TYPES: Mapping[int, int] = {
    dataset_pb2.VALUE_TYPE_BOOL: 0,
    dataset_pb2.VALUE_TYPE_INT8: 1,
    dataset_pb2.VALUE_TYPE_INT16: 1,
    dataset_pb2.VALUE_TYPE_INT32: 1,
    dataset_pb2.VALUE_TYPE_UINT8: 1,
    dataset_pb2.VALUE_TYPE_UINT16: 1,
    dataset_pb2.VALUE_TYPE_INT64: 2,
    dataset_pb2.VALUE_TYPE_UINT32: 2,
    dataset_pb2.VALUE_TYPE_UINT64: 2,
    dataset_pb2.VALUE_TYPE_FLOAT: 3,
    dataset_pb2.VALUE_TYPE_DOUBLE: 3,
    dataset_pb2.VALUE_TYPE_STRING: 4,
    dataset_pb2.VALUE_TYPE_JSON: 4,
    dataset_pb2.VALUE_TYPE_BYTES: 5,
}
"""Its types of values: the smallest of them that holds ours."""

DIRECTIONS: Mapping[int, int] = {
    dataset_pb2.DIRECTION_INPUT: 0,
    dataset_pb2.DIRECTION_OUTPUT: 1,
    dataset_pb2.DIRECTION_BIDIRECTIONAL: 2,
}

HEALTH: Mapping[int, str] = {
    state_pb2.STATE_UNLOADED: "Unload",
    state_pb2.STATE_LOADED: "Load",
    state_pb2.STATE_INITIALIZED: "Init",
    state_pb2.STATE_RUNNING: "Start",
    state_pb2.STATE_STOPPED: "Stop",
    state_pb2.STATE_RECOVERABLE_ERROR: "Recoverable Error",
    state_pb2.STATE_FATAL_ERROR: "Fatal Error",
}
"""`nh_status` of a unit's health."""

STATUSES: Mapping[int, str] = {
    state_pb2.STATE_LOADED: "deinit",
    state_pb2.STATE_INITIALIZED: "init",
    state_pb2.STATE_RUNNING: "start",
    state_pb2.STATE_STOPPED: "stop",
    state_pb2.STATE_RECOVERABLE_ERROR: "recoverable error",
    state_pb2.STATE_FATAL_ERROR: "fatal error",
}
"""`dev_status`; of other states it is "uknown", as clients know it."""
UNKNOWN_STATUS = "uknown"
FAILED = frozenset({state_pb2.STATE_RECOVERABLE_ERROR, state_pb2.STATE_FATAL_ERROR})

CHANNELS = (
    "output",
    "input",
    "custom",
    "system",
    "health",
    "device_alarms",
    "cu_alarms",
)
"""Datasets of a unit, by their numbers."""
ALL, STATUS, SUMMARY = -1, 128, 255
SUMMED_UP = ("health", "system", "device_alarms", "cu_alarms")
INPUT_SUFFIX = "_i"

UNIT, UNIT_SERVER, AGENT = "nt_control_unit", "nt_unit_server", "nt_agent"
