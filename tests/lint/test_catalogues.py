"""The catalogues have all that the pages say, in each language."""

import catalogues


def test_all_texts_are_collected_and_translated_with_their_placeholders() -> None:
    assert list(catalogues.problems()) == []
