"""Numbers as people read them."""

import pytest

from tlwidgets.widgets.base.formats import time_words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (59.4, "59 s"), (75, "1 min 15 s"), (7290, "2 h 1 min")]
)
def test_times_are_words(seconds, words):
    assert time_words(seconds) == words
