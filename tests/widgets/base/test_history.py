"""Undo and redo: each leads back exactly, and a new value ends what could be redone."""

from hypothesis import given
from hypothesis import strategies as st

from tlwidgets.widgets.base.history import History

STEPS = st.lists(
    st.one_of(st.tuples(st.just("record"), st.integers(0, 9)), st.sampled_from([("undo",), ("redo",)]))
)


@given(STEPS, st.integers(1, 5))
def test_a_history_is_a_list_with_a_place_in_it(steps, most):
    history, values, place = History(-1, most), [-1], 0
    for step in steps:
        if step[0] == "record":
            history.record(step[1])
            values, place = [*values[: place + 1], step[1]], place + 1
            if place > most:
                values, place = values[1:], most
        elif step[0] == "undo" and history.can_undo:
            assert history.undo() == history.present
            place -= 1
        elif step[0] == "redo" and history.can_redo:
            assert history.redo() == history.present
            place += 1
        assert (history.present, len(history)) == (values[place], place)
        assert (history.can_undo, history.can_redo) == (place > 0, place < len(values) - 1)


def test_a_drag_is_one_step_and_none_where_it_ends_where_it_began():
    history = History("a")
    history.record("b")
    assert not history.drop_idle_step()
    history.replace("c")
    assert (history.present, len(history)) == ("c", 1)
    history.replace("a")
    assert history.drop_idle_step() and (history.present, len(history)) == ("a", 0)


def test_a_step_that_fails_is_taken_back_by_the_opposite_one():
    history = History("a")
    history.record("b")
    history.undo()
    history.redo()
    assert (history.present, len(history), history.can_redo) == ("b", 1, False)
