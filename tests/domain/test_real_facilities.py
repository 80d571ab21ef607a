"""The rules take what real facilities have written, as far as its reader lets it through."""

from pathlib import Path

import pytest

from control_units.importers.chaos import read_chaos
from metadata_server.api.messages import from_message
from metadata_server.domain.checks import control_unit_faults, faults_of
from metadata_server.domain.intent.control_unit import ControlUnit
from metadata_server.domain.intent.template import Template
from metadata_server.domain.names import Kind

FILES = (
    "dafne.json",
    "lnf-production.json",
    "lnf-production-2015-format.json",
    "cu-catalog.json",
)


@pytest.mark.parametrize("file", FILES)
def test_a_real_facility_breaks_no_rule(chaos_files: Path, file: str) -> None:
    items = read_chaos((chaos_files / file).read_bytes()).items
    resources = []
    for item in items:
        field = item.WhichOneof("resource") or ""
        resources.append(from_message(Kind(field), getattr(item, field)))
    templates = {each.id: each for each in resources if isinstance(each, Template)}
    faults = [
        (resource.name, fault)
        for resource in resources
        for fault in (
            control_unit_faults(resource, templates[resource.template], None)
            if isinstance(resource, ControlUnit)
            else faults_of(resource)
        )
    ]
    assert resources
    assert not faults
