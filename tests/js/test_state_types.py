"""The types that scripts have of the states are made from the Python records, and the states fit the
records."""

import pytest

from tests.js.state_types import files
from tests.widgets.records import problems, record_of


@pytest.mark.parametrize("path", files(), ids=lambda path: path.parent.name)
def test_the_types_of_a_state_are_up_to_date(path):
    assert path.read_text(encoding="utf-8") == files()[path], "run `python -m tests.js.state_types`"


def test_a_state_that_differs_from_its_record_is_noticed():
    message = {"kind": "", "text": ""}
    state = {"schema": 1, "title": "", "labels": {}, "message": message, "closed": False, "view": "embedding"}
    state |= {"status": "", "modalities": [], "groups": [], "rows": [], "pairs": [], "basis": "", "words": ""}
    places = {"before": [[0.0, 1]], "after": [[0.0, 1.0]]}
    state |= {"points": {"image": places}, "table": {"head": [], "rows": [], "sort": [], "caption": ""}}
    state["axis"] = {"x": {"low": 0, "high": 1}, "y": {"low": 0, "high": 1}}
    record = record_of("embedding")

    def said(**changes):
        return list(problems({**state, **changes}, record))

    assert said() == []
    assert said(more=1) == ["state has, and its record has not, 'more' (EmbeddingState)."]
    assert said(words=None) == ["state.words is None. Expected <class 'str'>."]
    assert said(schema=True) == ["state.schema is True. Expected <class 'int'>."]
    assert said(points={"image": {**places, "after": [[0.0]]}})[0].startswith(
        "state.points['image'].after[0]"
    )
    assert list(problems({**state, "view": "drift"}, record))[0].startswith("state.view is 'drift'")
    del state["words"]
    assert said() == ["state lacks 'words' (EmbeddingState)."]


def test_a_view_without_a_record_is_noticed():
    with pytest.raises(LookupError, match="No state.py has a record whose view is 'nothing'"):
        record_of("nothing")
