import pytest

from webui.names import id_of, page_of


@pytest.mark.parametrize(
    ("name", "id", "page"),
    [
        ("control_units/A/B/C", "A/B/C", "/control_units/A/B/C"),
        ("unit_servers/c8:1f:66", "c8:1f:66", "/unit_servers/c8%3A1f%3A66"),
        ("control_units/A+B", "A+B", "/control_units/A%2BB"),
    ],
)
def test_a_name_has_an_id_and_a_page(name: str, id: str, page: str) -> None:
    assert (id_of(name), page_of(name)) == (id, page)
