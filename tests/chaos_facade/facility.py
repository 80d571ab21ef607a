"""A small facility as a site of !CHAOS would have exported it."""

import base64
from typing import Any

CLASS = "::lab::PowerSupply"
SERVER, AGENT, SNAPSHOT = "LAB/SERVER", "host-1", "golden"
UNITS = tuple(f"LAB/MAG/QUA/Q{number}" for number in (1, 2, 3))
OTHER = "VAC/PUMP"
SCRIPT = "ramp.js"
TEXT = "// größer\nramp(5);\n"


def unit(id: str) -> dict[str, Any]:
    return {
        "ndk_uid": id,
        "ndk_type": "nt_control_unit",
        "ndk_parent": SERVER,
        "auto_load": True,
        "auto_init": False,
        "auto_start": False,
        "cudk_load_param": "",
        "cudk_desc": f"supply of {id}",
        "cudk_thr_sch_delay": "1000000",
        "dsndk_storage_type": "2",
        "control_unit_implementation": CLASS,
        "attribute_value_descriptions": [
            {
                "cudk_ds_attr_name": "current",
                "cudk_default_value": "0",
                "cudk_ds_max_range": "50",
                "cudk_ds_min_range": "-50",
                "cudk_ds_attr_unit": "A",
            }
        ],
        "cudk_driver_description": [
            {
                "cudk_driver_description_name": "SimDD",
                "cudk_driver_description_version": "1.0.0",
                "cudk_driver_description_init_parameter": '{"slave": 3}',
            }
        ],
        "cudk_alrm_msk": [{"alarm": "polarity", "mask": 0}],
    }


def document() -> dict[str, Any]:
    content = base64.b64encode(TEXT.encode()).decode()
    inputs = {"ndk_uid": UNITS[0], "dpck_ds_type": 1, "current": 12.5}
    return {
        "agents": [
            {
                "name": AGENT,
                "info": {
                    "ndk_host_name": "pc1",
                    "andk_working_directory": "/opt",
                    "andk_node_associated": [
                        {"ndk_uid": SERVER, "node_launch_cmd_line": "run", "node_auto_start": True}
                    ],
                },
            }
        ],
        "us": [
            {
                "ndk_uid": SERVER,
                "ndk_desc": "the laboratory",
                "cu_desc": [unit(id) for id in (*UNITS, OTHER)],
            }
        ],
        "snapshots": [
            {
                "snap": {"name": SNAPSHOT, "ts": 1_600_000_000_000},
                "dataset": [{"name": UNITS[0], "input": inputs}],
            }
        ],
        "scripts": [
            {
                "script_name": SCRIPT,
                "seq": 17,
                "eudk_script_language": "JS",
                "eudk_script_content": content,
            }
        ],
        "variables": {"highcharts": {"plot": {"axes": [1, 2.5]}}},
    }
