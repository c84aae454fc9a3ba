"""In a real JupyterLab a view is live."""

import pytest

pytestmark = pytest.mark.browser


def test_in_jupyterlab_a_view_is_live(notebook):
    opened = notebook(
        "live.ipynb", "from tlwidgets.widgets.base.environment import is_live\nlive = is_live()"
    )
    assert opened.kernel("print(live)") == "True"
