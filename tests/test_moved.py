"""Old names of modules, classes and functions still work, and say what to write instead."""

import importlib
import pickle
import sys
import warnings

import pytest

import tlwidgets
from tlwidgets import moved

BEFORE = {
    "graders.checks.unit00": "lora_linear next_token_loss perplexity",
    "graders.checks.unit01": "build_head choose_plan freeze_backbone",
    "graders.checks.unit02": "layer_rates pick set_dial",
    "graders.checks.unit03": "contrastive_loss fuse_late known_models really_uses split_clips",
    "tlwidgets.claims": "features03 fusion03 judge lesson lesson00 lesson01 lesson02 lesson03 spaces03 table",
    "tlwidgets.views": (
        "arena_panel arena_widget assets device drift_panel drift_widget embedding_map environment follow "
        "fork_choice "
        "fork_panel fork_state fork_widget forks freeze_panel freeze_state freeze_widget live media_input "
        "media_widget "
        "modality_switchboard pace panel predict progress receipt retrieval_grid retrieval_widget "
        "train_panel train_state "
        "train_widget unfreeze_score unfreeze_state wire"
    ),
    "tlwidgets.render": (
        "arena arena_state charts curves drift drift_state embedding embedding_maps embedding_state figure "
        "fork freeze html "
        "media media_code media_state plot predict range_test retrieval retrieval_state switchboard "
        "switchboard_state "
        "thumbnails unfreeze words"
    ),
}
"""The modules of folders that are gone."""


@pytest.mark.parametrize("old", sorted(moved.MODULES))
def test_an_old_module_is_the_new_one_and_says_so_once(old):
    sys.modules.pop(old, None)
    new = moved.MODULES[old]
    with pytest.warns(FutureWarning, match=f"`{old}` is now `{new}`"):
        module = importlib.import_module(old)
    assert module is importlib.import_module(new)
    assert module.__spec__.name == module.__name__ == new
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert importlib.import_module(old) is module


@pytest.mark.parametrize("old", sorted(moved.NAMES))
def test_an_old_name_is_the_new_one(old):
    (module, name), (home, new) = old.rsplit(".", 1), moved.NAMES[old].rsplit(".", 1)
    with pytest.warns(FutureWarning, match=f"`{old}` is now `{moved.NAMES[old]}`"):
        found = getattr(importlib.import_module(module), name)
    assert found is getattr(importlib.import_module(home), new)


def test_every_module_that_was_in_a_folder_that_is_gone_is_in_the_table():
    assert {name.rpartition(".")[0] for name in moved.MODULES} >= set(moved.SPLIT)
    assert {name for name in moved.MODULES if name.startswith(tuple(moved.SPLIT))} == {
        f"{package}.{name}" for package, names in BEFORE.items() for name in names.split()
    }


def test_a_notebook_and_a_pickle_from_before_the_move_find_what_they_name():
    with pytest.warns(FutureWarning, match="is now"):
        exec("from tlwidgets.views import FreezePanel\nfrom tlwidgets.render import charts", found := {})
    for name in ("tlwidgets.claims", "tlwidgets.claims.lesson01", "graders.checks.unit01"):
        sys.modules.pop(name, None)
    with pytest.warns(FutureWarning, match="course.units.u01_transfer_learning.experiments"):
        exec("from tlwidgets.claims import lesson01 as lesson", found)
    assert found["lesson"] is importlib.import_module("course.units.u01_transfer_learning.experiments")
    with pytest.warns(FutureWarning, match="`graders.checks.check_build_head`"):
        exec("from graders.checks.unit01 import check_build_head", found)
    assert found["FreezePanel"] is tlwidgets.FreezePanel
    assert found["charts"] is importlib.import_module("tlwidgets.figures.charts")
    sys.modules.pop("tlwidgets.render.figure", None)
    with pytest.warns(FutureWarning, match="is now"):
        loaded = pickle.loads(b"ctlwidgets.render.figure\nPicture\n.")
    assert loaded is importlib.import_module("tlwidgets.figures.figure").Picture


def test_a_name_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("tlwidgets.render.nothing")
    with pytest.raises(ImportError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec("from tlwidgets.render import nothing")
