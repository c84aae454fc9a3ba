"""A student's function behaves in a check as if it were there: results, changes, errors, gradients."""

import pytest

from .conftest import answer, check, graded

pytestmark = pytest.mark.slow


def passes(worker, source: str, test: str) -> None:
    outcome = graded(worker, answer(source), check(test))
    assert (outcome.points, outcome.message) == (3.0, "")


@pytest.mark.parametrize(
    "test",
    [
        "assert same([1, 2.5, 'a', None, True, (1,), {'k': b'v'}, {3}]) == [1, 2.5, 'a', None, True, (1,), "
        "{'k': b'v'}, {3}]",
        "import numpy as np\nx = np.arange(6.0).reshape(2, 3)\n"
        "assert (same(x) == x).all() and same(x).dtype == x.dtype",
        "assert same(torch.arange(3)).dtype == torch.int64 and torch.equal(same(torch.eye(2)), torch.eye(2))",
        "assert same(torch.float16) is torch.float16 and same(torch.Size((2, 3))) == torch.Size((2, 3))",
        "assert same(x=3) == 3 and same(slice(1, 2)) == slice(1, 2) and same(1 + 2j) == 1 + 2j",
    ],
)
def test_plain_values_come_back_as_they_went(worker, test):
    passes(worker, "def same(x):\n    return x", test)


def test_what_a_function_changes_in_its_arguments_is_changed_here(worker):
    passes(
        worker,
        "def change(items, table, weights):\n    items.append(4)\n    items[0].append(1)\n"
        "    table['b'] = items\n"
        "    weights.mul_(2)",
        "inner, weights, table = [], torch.ones(2), {'a': 1}\nitems = [inner, 2]\n"
        "change(items, table, weights)\n"
        "assert items == [[1], 2, 4] and items[0] is inner\nassert table == {'a': 1, 'b': [[1], 2, 4]}\n"
        "assert torch.equal(weights, torch.full((2,), 2.0))",
    )


def test_functions_keep_what_they_remember(worker):
    passes(
        worker,
        "def counter():\n    count = 0\n    def step():\n        nonlocal count\n        count += 1\n"
        "        return count\n"
        "    return step\n\nclass Table:\n    def __init__(self, rows):\n        self.rows = rows",
        "one, two = counter(), counter()\nassert [one(), one(), two()] == [1, 2, 1]\n"
        "assert Table([1]) != Table([1])",
    )


def test_a_function_of_the_students_may_be_handed_back_to_it(worker):
    passes(
        worker,
        "def twice(f):\n    return lambda x: f(f(x))\n\ndef double(x):\n    return 2 * x",
        "assert twice(double)(3) == 12 and double is double",
    )


@pytest.mark.parametrize(
    ("raised", "caught"),
    [
        ("KeyError('a')", "KeyError"), ("ValueError('no', 3)", "ValueError"),
        ("ZeroDivisionError()", "ZeroDivisionError"),
        ("UnicodeDecodeError('utf8', b'x', 0, 1, 'odd')", "UnicodeError"), ("Own('mine')", "ValueError"),
        ("OSError(2, 'not there')", "OSError"), ("torch.linalg.LinAlgError('singular')", "RuntimeError"),
        ("StopIteration(3)", "StopIteration"), ("SystemExit(1)", "Exception"),
    ],
)  # fmt: skip
def test_an_exception_is_of_the_same_builtin_type_with_the_same_words(worker, raised, caught):
    passes(
        worker,
        "import torch\n\nclass Own(ValueError):\n    def __str__(self):\n        return 'my own words'\n\n"
        f"def fail():\n    raise {raised}\n\ndef words():\n    try:\n        fail()\n"
        f"    except BaseException as error:\n"
        "        return [type(error).__name__, str(error)]",
        f"caught = None\ntry:\n    fail()\nexcept {caught} as error:\n"
        f"    caught = [type(error).__name__, str(error)]\n"
        "assert caught == words()",
    )


def test_an_uncaught_exception_is_the_students(worker):
    outcome = graded(
        worker, answer("def f(x):\n    return x['\\x1b[31mkey\\u202e']"), check("f({})\nassert True")
    )
    assert (outcome.points, outcome.message) == (0, "Your code stopped with KeyError: '\\x1b[31mkey\\u202e'.")


@pytest.mark.parametrize(
    "value",
    [
        "object()",
        "AlwaysEqual()",
        "AlwaysEqual(4)",
        "Text('4')",
        "(i for i in range(3))",
        "AlwaysTensor(4.0)",
    ],
)
def test_what_is_not_a_plain_value_equals_nothing(worker, value):
    source = (
        "import torch\nclass AlwaysEqual(int):\n    def __eq__(self, other):\n        return True\n"
        "    __hash__ = None\n\n"
        "class Text(str):\n    pass\n\nclass AlwaysTensor(torch.Tensor):\n    @classmethod\n"
        "    def __torch_function__(cls, *_, **__):\n        return True\n\n"
    )
    outcome = graded(
        worker,
        answer(f"{source}def f():\n    return {value}"),
        check("found = f()\nassert found == 4 or found == '4' or torch.equal(found, torch.tensor(4.0))"),
    )
    assert outcome.points == 0


def test_gradients_flow_through_a_students_function(worker):
    passes(
        worker,
        "weight = torch.tensor(3.0, requires_grad=True)\n\ndef f(x, pair):\n"
        "    return weight * x ** 2, {'sum': pair[0] + x}",
        "x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)\n"
        "square, rest = f(x, [y])\n(square + 5 * rest['sum']).backward()\n"
        "assert x.grad == 17 and y.grad == 5\n"
        "with torch.no_grad():\n    assert not f(x, [y])[0].requires_grad",
    )


def test_a_generator_draws_there_what_it_would_draw_here(worker):
    passes(
        worker,
        "def order(n, generator):\n    return torch.randperm(n, generator=generator)",
        "there, here = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)\n"
        "torch.rand(3, generator=there), torch.rand(3, generator=here)\n"
        "assert torch.equal(order(50, there), torch.randperm(50, generator=here))\n"
        "assert not torch.equal(order(50, there.manual_seed(6)), order(50, there.manual_seed(7)))",
    )


HEAD = """
class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))
        self.norm = nn.BatchNorm1d(3)
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return self.norm(x) @ self.weight

def build():
    return Head()
"""
TRAIN = """
head, x = build(), torch.randn(16, 3)
y = x @ torch.tensor([1.0, 2.0, 3.0])
assert isinstance(head, nn.Module) and type(head).__name__ == 'Head'
assert len(list(head.parameters())) == 3
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
losses = []
for _ in range(40):
    optimizer.zero_grad()
    loss = ((head(x) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
assert losses[-1] < losses[0] / 4
assert head.calls == 40 and head.norm.num_batches_tracked == 40
head.eval()
assert torch.equal(head(x), head(x)) and head.norm.num_batches_tracked == 40
"""


def test_a_students_class_of_modules_can_be_trained(worker):
    passes(worker, HEAD, TRAIN)


def test_the_same_module_is_the_same_object_and_tied_weights_stay_tied(worker):
    passes(
        worker,
        "kept = nn.Linear(2, 2)\n\ndef get():\n    return kept\n\ndef tied():\n"
        "    a, b = nn.Linear(2, 2), nn.Linear(2, 2)\n"
        "    b.weight = a.weight\n    return nn.Sequential(a, b)",
        "assert get() is get() and get() is kept\npair = tied()\nassert pair[0].weight is pair[1].weight\n"
        "assert pair[0].bias is not pair[1].bias and type(pair[0]) is nn.Linear",
    )


def test_what_a_function_does_to_a_model_is_done_to_the_checks_own(worker):
    passes(
        worker,
        "def change(model):\n    model.add_module('new', nn.Linear(2, 1, bias=False))\n"
        "    model[0].weight.data.fill_(1)\n"
        "    model[0].bias.requires_grad = False\n    model[1].eval()\n    model.note = {'seen': [1]}\n"
        "    del model.old\n    model[2] = nn.Identity()\n    return model",
        "model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.Tanh())\nmodel.old = 3\nfirst = model[0]\n"
        "assert change(model) is model\n"
        "assert model[0] is first and torch.equal(first.weight, torch.ones(2, 2))\n"
        "assert not first.bias.requires_grad and not model[1].training and model.training\n"
        "assert model.note == {'seen': [1]} and not hasattr(model, 'old')\n"
        "assert type(model[2]) is nn.Identity and type(model.new) is nn.Linear and model.new.bias is None",
    )


def test_a_method_replaced_on_a_module_of_the_checks_is_asked_for(worker):
    passes(
        worker,
        "def hook(model):\n    model[0].register_forward_hook(lambda module, inputs, output: 10 * output)\n"
        "def pin(model):\n    model[0].train = lambda mode=True: model[0]",
        "model, x = nn.Sequential(nn.Identity(), nn.Identity()), torch.ones(2)\nhook(model)\n"
        "assert torch.equal(model(x), 10 * x)\nmodel.eval()\npin(model)\nmodel.train()\n"
        "assert model[1].training and not model[0].training",
    )


def test_a_class_that_a_check_shares_can_be_called_by_the_student(worker):
    setup = "import torch\nfrom torch import nn"
    test = (
        "from course.units.u02_which_layers_to_train.set_dial.dialled_models import plain_model\n"
        "model = plain_model(4)\nids = torch.zeros(2, 3, dtype=torch.long)\n"
        "assert torch.allclose(call(model, ids), model(ids))"
    )
    outcome = graded(worker, answer("def call(model, ids):\n    return model(ids)"), check(test), setup=setup)
    assert (outcome.points, outcome.message) == (3.0, "")


def test_a_class_that_is_not_shared_can_be_looked_at_but_not_called(worker):
    test = (
        "class Own(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.part = nn.Linear(2, 2)\n"
        "    def forward(self, x):\n        return self.part(x)\n\nmodel = Own()\nfreeze(model)\n"
        "assert not model.part.weight.requires_grad\ncall(model, torch.ones(1, 2))"
    )
    source = "def freeze(model):\n    model.requires_grad_(False)\n\ndef call(model, x):\n    return model(x)"
    outcome = graded(worker, answer(source), check(test))
    assert outcome.points == 0 and "can be inspected and changed, but not called" in outcome.message


def test_what_is_too_large_to_read_is_said(worker):
    outcome = graded(worker, answer("def f():\n    return [0] * 10**7"), check("assert f() == 1"))
    assert "more than 1,000,000 elements" in outcome.message
