"""A prediction in a real JupyterLab: by the keyboard alone, and beside other widgets."""

import pytest

pytestmark = pytest.mark.browser

QUESTION = """
from tlwidgets import FreezePanel, Predict
guess = Predict("How many parameters does the head have?", unit="parameters")
guess
"""
PANEL = """
from torch import nn
FreezePanel(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)))
"""


def test_enter_locks_in_the_guess_and_what_is_not_a_number_gets_a_sentence(notebook):
    opened = notebook("predict.ipynb", QUESTION)
    asked = opened.locate(".tl-predict input")
    asked.click()
    opened.page.keyboard.type("twenty")
    opened.page.keyboard.press("Enter")
    opened.locate(".tl-predict .tl-message:has-text('not a number')").wait_for()
    opened.page.keyboard.type("1.5 k")
    opened.page.keyboard.press("Enter")
    opened.locate(".tl-predict .tl-guess:has-text('1,500')").wait_for()
    assert opened.kernel("print(guess.guess)") == "1500.0"


def test_a_widget_that_comes_later_leaves_its_mark_as_it_is(notebook):
    opened = notebook("predict_beside.ipynb", QUESTION, PANEL)
    opened.locate(".tl-freeze [role=treeitem]").first.wait_for()
    width = "(node) => getComputedStyle(node).borderLeftWidth"
    assert opened.locate(".tl-predict").evaluate(width) == "4px"
