"""The estimate agrees with what autograd keeps, what the backward pass computes and what the optimizer
holds.
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from zoo import USUAL_PRESETS, ZOO, loss_of, make

from tlwidgets.core import FreezeError, FreezePlan, ModelTree, apply_plan, estimate_cost, profile

NAMES = ["bert", "distilbert", "vit", "resnet", "chain", "gpt2", "albert"]


def bytes_kept(model, batch) -> int:
    """Bytes that autograd saves for the backward pass, each storage once, weights apart."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    weights |= {b.untyped_storage().data_ptr() for b in model.buffers()}
    kept: dict[int, int] = {}
    alive = []

    def pack(tensor):
        key = tensor.untyped_storage().data_ptr()
        if key not in weights:
            kept[key] = max(kept.get(key, 0), tensor.numel() * tensor.element_size())
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(**batch)
    assert output is not None
    return sum(kept.values())


@pytest.mark.parametrize("preset", USUAL_PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_activation_memory_is_what_autograd_keeps(name, preset):
    specimen = ZOO[name]
    model = make(specimen).train()
    batch = specimen.batch()
    tree = ModelTree.of(model)
    measured = profile(model, batch)
    plan = FreezePlan.preset(tree, preset)
    estimate = estimate_cost(tree, plan, measured).activation_bytes
    apply_plan(model, plan)
    real = bytes_kept(model, batch)
    # The estimate takes the plain formula of attention, a CPU a fused one that keeps other tensors.
    assert estimate == pytest.approx(real, rel=0.35, abs=4096)


@pytest.mark.parametrize("preset", USUAL_PRESETS)
@pytest.mark.parametrize("name", NAMES)
def test_backward_share_is_what_the_backward_pass_computes(name, preset):
    specimen = ZOO[name]
    tree_model = make(specimen).train()
    batch = specimen.batch()
    tree = ModelTree.of(tree_model)
    plan = FreezePlan.preset(tree, preset)

    def work(chosen: FreezePlan) -> int:
        apply_plan(tree_model, chosen)
        loss = loss_of(tree_model, batch)
        with FlopCounterMode(display=False) as counter:
            loss.backward()
        return counter.get_total_flops()

    share = estimate_cost(tree, plan, profile(tree_model, batch)).backward_share
    assert share == pytest.approx(
        work(plan) / work(FreezePlan.preset(tree, "full")), abs=0.1
    )  # the counter leaves fused attention out


@pytest.mark.parametrize("preset", USUAL_PRESETS)
def test_gradient_and_optimizer_memory_are_real(preset):
    specimen = ZOO["bert"]
    model = make(specimen)
    tree = ModelTree.of(model)
    plan = FreezePlan.preset(tree, preset)
    apply_plan(model, plan)
    optimizer = torch.optim.AdamW(model.parameters())
    model(**specimen.batch()).logits.sum().backward()
    cost = estimate_cost(tree, plan)
    gradients = sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    optimizer.step()
    state = sum(v.nbytes for s in optimizer.state.values() for k, v in s.items() if k != "step")
    assert (cost.gradient_bytes, cost.optimizer_bytes) == (gradients, state)
    assert cost.parameter_bytes == sum(p.nbytes for p in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_profiling_leaves_no_trace(name):
    specimen = ZOO[name]
    model = make(specimen).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    hooks = sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules())
    batch = specimen.batch()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    assert profile(model, batch) is not None
    assert torch.equal(torch.rand(2), expected)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules()) == hooks
    assert not any(parameter.is_meta for parameter in model.parameters())


def test_a_model_that_cannot_run_without_values_has_no_profile():
    class Asks(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

        def forward(self, x):
            return self.layer(x) * float(x.sum())

    model = Asks()
    assert profile(model, torch.ones(1, 2)) is None
    assert not model.layer.weight.is_meta
    tree = ModelTree.of(model)
    cost = estimate_cost(tree, FreezePlan.preset(tree, "full"))
    assert cost.activation_bytes is None
    assert (cost.forward_share, cost.backward_share) == (1.0, pytest.approx(0.5))


def test_an_unknown_optimizer_gets_a_sentence():
    tree = ModelTree.of(make(ZOO["chain"]))
    with pytest.raises(FreezeError, match="Unknown optimizer 'lion'"):
        estimate_cost(tree, FreezePlan.preset(tree, "full"), optimizer="lion")


def test_a_batch_with_an_attention_mask_has_a_profile():
    model = make(ZOO["bert"])
    batch = ZOO["bert"].batch()
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    measured = profile(model, batch)
    assert measured.sample == "4 texts of 8 tokens"
    tree = ModelTree.of(model)
    with_mask = estimate_cost(tree, FreezePlan.preset(tree, "full"), measured)
    without = estimate_cost(tree, FreezePlan.preset(tree, "full"), profile(model, ZOO["bert"].batch()))
    assert with_mask.activation_bytes == pytest.approx(without.activation_bytes, rel=0.1)
