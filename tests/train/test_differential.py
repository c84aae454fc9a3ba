"""Two ways of doing the same end in the same, whatever the model: with and without the feature cache, in one
go or in two, in one batch or in several; and looking at a model leaves it as it was."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
import torch
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.train.differential_models import RANDOM, REMEMBERS, TOGETHER, Spec, specs
from tlwidgets.core import apply_plan, audit, profile
from tlwidgets.core.contents import same_bytes
from tlwidgets.train import Control, FeatureCache, Stepped, TaskData, fit
from tlwidgets.train.data import Splits
from tlwidgets.train.features import PrefixFeatures
from tlwidgets.train.losses import logits_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
quick = settings(max_examples=12, deadline=None)
MINUTES = 10


def train(spec: Spec, cache: object, *, stop_after: int | None = None, path=None, **options):
    """A run, and what it left in the model."""
    model, data = spec.model(), spec.data()
    control = Control()

    def stop(event):
        if isinstance(event, Stepped) and event.step == stop_after:
            control.stop()

    run = fit(
        model,
        spec.plan(model),
        TaskData(data, data),
        # Adam would make a step of the rounding of gradients that are 0.
        **{"epochs": 3, "batch_size": spec.batch, "lr": 0.05, "optimizer": "sgd", "trace": False, **options},
        device="cpu",
        cache=cache,
        checkpoint=path,
        control=control,
        on_event=stop,
    )
    return run, {name: tensor.detach().to_dense().clone() for name, tensor in model.state_dict().items()}


def assert_alike(one: dict, other: dict, tolerance: float) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(
            tensor,
            other[name],
            rtol=tolerance,
            atol=tolerance,
            equal_nan=True,
            msg=lambda m, n=name: f"{n}: {m}",
        )


def cached_is_uncached(spec: Spec) -> None:
    (run, left), (plain, expected) = train(spec, FeatureCache()), train(spec, False)
    # Where it is off, or went off before a step used it, not a bit differs.
    tolerance = 2e-4 if run.cached else 0.0
    for name in ("loss", "valid_loss"):
        one, other = torch.tensor(getattr(run.curves, name)), torch.tensor(getattr(plain.curves, name))
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)
    assert_alike(left, expected, 10 * tolerance)
    assert run.cached or all(entry["why"] for entry in run.cache)


# Those that failed once: what was wrong then is said beside each.
@example(Spec(("place",), (True,)))  # evaluation took larger batches with features
@example(
    Spec(("plain", "counting", "plain"), (True, False, False), examples=17, batch=4)
)  # and so counted less
@example(Spec(("hook", "branch"), (True, True), examples=33, large=1))  # no comparison with NaN holds
@example(Spec(("plain", "steps"), (True, True), large=1, batch=4))  # left-out calls were made all the same
@example(
    Spec(("plain", "plain", "plain"), (True, True, False), checkpoint="reentrant")
)  # no gradient arrived
@example(Spec(("keeps output", "plain"), (True, False), reads=True))  # read what another batch had left
@example(Spec(("encoder", "encoder"), (True, False)))  # nested tensors reached a layer that trains
@quick
@given(specs())
def test_with_the_cache_it_is_as_without(spec):
    cached_is_uncached(spec)


@pytest.mark.long
@pytest.mark.timeout(60 * MINUTES + 300)
def test_with_the_cache_it_is_as_without_for_ten_minutes():
    end = time.monotonic() + 60 * MINUTES

    @settings(max_examples=20_000, deadline=None, derandomize=False, phases=(Phase.generate, Phase.shrink))
    @given(specs())
    def of_any(spec):
        if time.monotonic() < end:
            cached_is_uncached(spec)

    of_any()


@settings(quick, max_examples=6)
@given(specs(), st.integers(1, 8))
def test_stopped_and_resumed_is_uninterrupted(tmp_path_factory, spec, step):
    if spec.has({"counting"}):
        return  # what an attribute counts is in no checkpoint
    path = tmp_path_factory.mktemp("run") / "checkpoint.pt"
    whole, expected = train(spec, FeatureCache())
    stopped, _ = train(spec, FeatureCache(), stop_after=step, path=path)
    if stopped.status != "stopped":
        return
    resumed, left = train(spec, FeatureCache(), path=path)
    assert_alike(left, expected, 0.0)
    assert resumed.curves.loss == whole.curves.loss


@settings(quick, max_examples=6)
@given(specs())
def test_accumulated_is_in_one_batch(spec):
    if spec.has(RANDOM | TOGETHER | REMEMBERS):
        return  # their examples are not apart from each other
    spec = Spec(**{**vars(spec), "examples": 32, "batch": 8})
    halves = Spec(**{**vars(spec), "batch": 4})
    (one, left), (other, expected) = train(halves, FeatureCache(), accumulate=2), train(spec, False)
    torch.testing.assert_close(
        torch.tensor(one.curves.loss), torch.tensor(other.curves.loss), rtol=1e-3, atol=1e-4
    )
    assert_alike(left, expected, 2e-3)


# -- looking leaves no trace ---------------------------------------------------------------------------------


def everything(model: torch.nn.Module) -> dict[str, object]:
    """All that one may notice of a model, and the random numbers."""
    found: dict[str, object] = {
        "random": (torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist())
    }
    for name, module in model.named_modules():
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        found[f"{name} hooks"] = [list(table) for table in hooks]
        found[f"{name} attributes"] = {
            key: (id(value), list(value) if isinstance(value, list) else None)
            for key, value in vars(module).items()
        }
        found[f"{name} training"] = module.training
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        found[name] = (id(tensor), tensor.requires_grad, id(tensor.grad))
    return found


@quick
@given(specs(), st.booleans())
def test_looking_at_a_model_leaves_it_as_it_was(spec, in_training):
    model, data = spec.model(), spec.data()
    plan = spec.plan(model)
    apply_plan(model, plan)
    model.train(in_training)
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight) if weight.requires_grad else None
    tensors = [*model.parameters(), *model.buffers()]
    kept, before = [tensor.detach().clone() for tensor in tensors], everything(model)
    splits = Splits.of(TaskData(data, data), torch.device("cpu"))
    PrefixFeatures(model, lambda inputs: logits_of(model, inputs), FeatureCache()).prepare(
        splits.all(), lambda *done: True
    )
    profile(model, data[0])
    audit(model, plan).report()
    assert everything(model) == before
    assert all(same_bytes(one, other) for one, other in zip(tensors, kept, strict=True))


@quick
@given(
    specs(),
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.0, -0.0, 1.0, float("nan")])), max_size=3),
)
def test_an_audit_says_what_bytes_say(spec, writes):
    model = spec.model()
    plan = spec.plan(model)
    apply_plan(model, plan)
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    watch = audit(model, plan)
    kept = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    for number, value in writes:
        tensor = list(tensors.values())[number % len(tensors)]
        if tensor.is_floating_point():
            written = tensor.detach()
            (written._values() if written.is_sparse else written).view(-1)[0] = value
    changed = {name for name, tensor in tensors.items() if not same_bytes(tensor, kept[name])}
    report = watch.report()
    learning = plan.trainable
    assert set(report.moved) == changed & learning
    assert {violation.name for violation in report.violations if violation.kind == "parameter"} == (
        changed & set(dict(model.named_parameters())) - learning
    )
    assert report.ok or changed
