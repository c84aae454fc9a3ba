"""A preset is one function: everything that offers presets finds it by its name."""

import ast
from pathlib import Path

import pytest
from torch import nn
from zoo import ZOO, make

import tlwidgets
from tlwidgets.core import (
    PRESETS,
    FreezeError,
    FreezePlan,
    ModelTree,
    NothingTrainableError,
    freeze,
    plan_code,
    register_preset,
)


@pytest.fixture
def first_layer():
    @register_preset(
        "first-layer",
        title="First layer",
        description="Only the first layer learns.",
        comment="Backwards: the first layer learns",
        offered=lambda tree: bool(tree.layers),
    )
    def first_layer(tree: ModelTree, place: int = 0) -> FreezePlan:
        return FreezePlan.all_frozen(tree).with_policy(tree.layers[place], "trained")

    yield PRESETS["first-layer"]
    del PRESETS["first-layer"]


def test_a_function_with_the_decorator_is_a_preset_with_its_own_options(first_layer):
    model = make(ZOO["bert"])
    assert first_layer.options == {"place": 0}
    plan = freeze(model, "first-layer", place=1)
    assert plan.name == "first-layer"
    assert {name.split(".")[3] for name in plan.trainable} == {"1"}
    assert plan_code(plan).startswith("# Backwards: the first layer learns\n")
    with pytest.raises(FreezeError, match=r"no option 'k'. Its options: place"):
        freeze(model, "first-layer", k=1)


def test_a_preset_that_fits_no_weight_of_a_model_is_refused(first_layer):
    first_layer_of_nothing = ModelTree.of(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
    register_preset("none", title="", description="", comment="")(FreezePlan.all_frozen)
    try:
        with pytest.raises(NothingTrainableError, match="'none' would train nothing in this Sequential"):
            FreezePlan.preset(first_layer_of_nothing, "none")
    finally:
        del PRESETS["none"]


def test_the_usual_presets_say_what_they_are():
    assert list(PRESETS) == ["feature-extraction", "last", "full", "norms-and-biases", "lora"]
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.title and preset.comment
        assert preset.description.endswith(".")
    assert PRESETS["last"].options == {"k": None}


def test_bit_sets_are_seen_by_no_other_package():
    root = Path(tlwidgets.__file__).parent
    private = {"_bits", "_index"}
    seen = [
        f"{path.relative_to(root)}: {node.attr}"
        for path in root.rglob("*.py")
        if path.parent != root / "core"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in private
    ]
    assert seen == []
    public = [
        name for kind in (FreezePlan, ModelTree) for name in vars(kind) if "bits" in name or "mask" in name
    ]
    assert [name for name in public if not name.startswith("_")] == []


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_last_k_layers_and_what_follows_them_learn(k):
    tree = ModelTree.of(make(ZOO["bert"]))
    plan = FreezePlan.preset(tree, "last", k=k)
    learns = [row.id for row in tree.rows if plan.state(row.id) == "trained"]
    assert learns == [row.id for row in tree.rows][-k - 2 :]  # k layers, the pooler, the head
    assert [row.kind for row in tree.rows][-k - 2 :] == ["layer"] * k + ["pooler", "head"]
