"""What packages offer by name: light to import, listed in one place, and there."""

import importlib
import subprocess
import sys

import pytest

import tlwidgets

LAZY = ["tlwidgets", "tlwidgets.widgets", "tlwidgets.models", "tlwidgets.data"]


@pytest.mark.parametrize("package", LAZY)
def test_each_name_that_a_package_lists_is_there(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(set(module.__all__)) == dir(module)
    for name in module.__all__:
        assert getattr(module, name) is getattr(module, name)
    with pytest.raises(AttributeError, match=f"{package} has no name 'nothing'; it offers "):
        _ = module.nothing


def test_what_a_package_offers_is_offered_at_the_top_by_the_same_line():
    from tlwidgets import widgets

    assert set(widgets.__all__) < set(tlwidgets.__all__)
    assert tlwidgets.FreezePanel is widgets.FreezePanel


def test_what_the_first_page_uses_is_at_the_top():
    used = {"ModelTree", "FreezePlan", "TaskData", "FreezePanel", "TrainPanel"}
    used |= {"freeze", "apply_plan", "audit", "estimate_cost", "fit"}
    assert used <= set(tlwidgets.__all__)


@pytest.mark.parametrize("package", LAZY)
def test_listing_the_names_loads_nothing_heavy(package):
    code = (
        f"import sys, {package}; dir({package});"
        "print([name for name in ('torch', 'transformers', 'anywidget', 'matplotlib') if name in "
        "sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
