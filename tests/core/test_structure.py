"""A structure that is kept says what a new walk through the model would say, and notices when it no longer
holds."""

import pytest
import torch
from torch import nn
from zoo import ODD, USUAL_PRESETS, ZOO, make

from tlwidgets.core import FreezeError, FreezePlan, ModelTree
from tlwidgets.core.apply import apply_to
from tlwidgets.core.groups import bit_set, bits_of, flags
from tlwidgets.core.structure import Structure

EVERY = {**ZOO, **ODD}


@pytest.mark.parametrize("name", EVERY)
def test_the_flags_after_a_plan_are_those_of_the_model(name):
    model = make(EVERY[name])
    structure, tree = Structure(model), ModelTree.of(model)
    for training in (True, False, True):
        model.train(training)
        for preset in USUAL_PRESETS:
            try:
                plan = FreezePlan.preset(tree, preset)
            except FreezeError:  # this model has nothing for it
                continue
            _, after = apply_to(structure, structure.flags(), plan)
            assert after == structure.flags() == Structure(model).flags(), (preset, training)
            assert structure.holds()


CHANGES = {
    "added": lambda model: model.add_module("more", nn.Linear(2, 2)),
    "replaced": lambda model: setattr(model, "0", nn.Linear(3, 3)),
    "removed": lambda model: model.__delattr__("1"),
    "deep": lambda model: setattr(model[2][0], "more", nn.Identity()),
    "renamed": lambda model: model._modules.update(last=model._modules.pop("2")),
    "weight replaced": lambda model: setattr(model[0], "weight", nn.Parameter(torch.ones(3, 3))),
    "tied": lambda model: setattr(model[2][0], "weight", model[0].weight),
    "bias dropped": lambda model: model[0].register_parameter("bias", None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_structure_is_noticed(change):
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Sequential(nn.Linear(3, 3)))
    structure = Structure(model)
    model.half().eval().requires_grad_(False)
    assert structure.holds(), "neither numbers nor flags are structure"
    CHANGES[change](model)
    assert not structure.holds()
    assert Structure(model).holds()


def test_a_scripted_module_is_walked_each_time():
    structure = Structure(nn.Sequential(nn.Linear(2, 2), torch.jit.script(nn.Linear(2, 2))))
    assert not structure.holds()
    assert structure.flags() == structure.flags()


@pytest.mark.parametrize("places", [[], [0], [7, 8], [3, 64, 129], list(range(0, 200, 3))])
def test_bit_sets_and_flags_are_the_same_places(places):
    mask = sum(1 << place for place in places)
    assert bits_of(mask) == places
    assert [place for place, flag in enumerate(flags(mask, 200)) if flag] == places
    assert bit_set(flags(mask, 200)) == mask
