"""Nothing that an honest student does costs points."""

import pytest
import torch

from graders.checks import EXERCISES

from .conftest import answer, check, exercise_cells, extra, graded, submission

pytestmark = pytest.mark.slow

HEAD = next(exercise for exercise in EXERCISES if exercise.id == "build-head")
RIGHT = HEAD.right["one_linear"]

HARMLESS = {
    "warnings": "import warnings\nwarnings.warn('careful')\nimport numpy as np\nnp.float64(1) / 0",
    "stderr": "import sys\nprint('working', file=sys.stderr)",
    "a progress bar": "from tqdm import tqdm\nfor _ in tqdm(range(3)): pass",
    "an extra cell that fails": "undefined_name + 1",
    "an extra cell that is no Python": "def f(:",
    "magics": "%matplotlib inline\n!pip list\nx = 1\n?print\nprint??",
    "a cell magic": "%%time\nx = 1",
    "a shell cell": "%%bash\nls | wc -l",
    "display": "display('a table')",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "its own seed": "import random, numpy\ntorch.manual_seed(0), random.seed(0), numpy.random.seed(0)",
    "files": "with open('notes.txt', 'w') as file:\n    file.write('x')\n"
    "assert open('notes.txt').read() == 'x'",
    "threads": "import threading\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()",
    "training": "model = nn.Linear(2, 1)\noptimizer = torch.optim.AdamW(model.parameters())\n"
    "model(torch.ones(1, 2)).backward()\n"
    "optimizer.step()",
    "the toolkit": "import tlwidgets\nfrom tlwidgets import ModelTree\nModelTree.of(nn.Linear(2, 1))",
    "dataclasses and pickles": "import dataclasses, pickle\n@dataclasses.dataclass\nclass Pair:\n    a: int\n"
    "assert pickle.loads(pickle.dumps(Pair(1))) == Pair(1)",
    "the terminal": "import sys\nassert 'x'.encode(sys.stdout.encoding) == b'x' and not sys.stdout.isatty()",
    "IPython itself": "get_ipython().run_line_magic('matplotlib', 'inline')",
    "display with a handle": "shown = display('x', display_id=True)\nshown.update('y')",
    "display of what cannot be shown": "class Shy:\n    def __repr__(self): raise ValueError\ndisplay(Shy())",
    "await": "import asyncio\n"
    "assert await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)) == [1, 2]",
    "async for, with and comprehension": "import contextlib\n@contextlib.asynccontextmanager\n"
    "async def one(): yield 1\n"
    "async def two(): yield 2\nasync with one() as a: pass\n"
    "assert a == 1 and [b async for b in two()] == [2]",
    "asyncio.run": "import asyncio\nassert asyncio.run(asyncio.sleep(0, 1)) == 1",
    "a task": "import asyncio\nasync def soon(): pass\ntask = asyncio.create_task(soon())",
    "workers of a loader": "from torch.utils.data import DataLoader, Dataset\nclass Own(Dataset):\n"
    "    def __len__(self): return 8\n    def __getitem__(self, place): return torch.tensor(place)\n"
    "loader = DataLoader(Own(), batch_size=2, num_workers=2, shuffle=True, prefetch_factor=3)\n"
    "for epoch in range(2): assert sorted(torch.cat(list(loader)).tolist()) == list(range(8))",
    "a pool": "import multiprocessing\ndef more(x): return x + 1\nwith multiprocessing.Pool(2) as pool: "
    "assert pool.map(more, [1, 2]) == [2, 3]\nassert torch.ones(3).share_memory_().is_shared()",
    "a future": "from __future__ import annotations\ndef f(x: NotThere) -> NorThis: return x",
    "what a cell captured": "%%capture shown\nprint('x')",
    "pasted from a session": ">>> def f(x):\n...     return x\n>>> f(1)\n1",
    "indented": "    x = 1\n    y = 2",
    "a command on two lines": "!pip install \\\n    soup \\\n    salad\nx = 1",
    "commands in a loop": "for name in ['a']:\n    files = !ls {name}\n    for file in files: print(file)",
    "a shell's answer, in words": "for file in get_ipython().getoutput('ls'): print(file)",
    "its own copy of a check": "from graders.checks import check_build_head, check_freeze_backbone as other\n"
    "check_build_head(None)\nother(None, None)",
    "a breakpoint that was forgotten": "breakpoint()\nx = 1",
    "names of builtins": "list, id, sum, type, len, str, max = 1, 2, 3, 4, 5, 6, 7",
    "no gradients": "torch.set_grad_enabled(False)",
    "warnings as errors": "import warnings\nwarnings.filterwarnings('error')",
    "logging": "import logging\nlogging.basicConfig(level=logging.DEBUG)\nlogging.info('x')",
    "folders": "import os, sys, tempfile\nfrom pathlib import Path\n(Path.home() / 'x').write_text('x')\n"
    "os.mkdir('sub')\n"
    "os.chdir('sub')\nsys.path.insert(0, '..')\n"
    "with tempfile.TemporaryDirectory() as folder: Path(folder, 'x').touch()",
    "other scripts": "größe, λ, 变量 = 1, 2, 3\nassert größe + λ == 变量",
    "comments alone": "# nothing\n\n# here",
    "saved models": "class Own(nn.Module): pass\ntorch.save(Own(), 'own.pt')\n"
    "torch.load('own.pt', weights_only=False)\n"
    "torch.save(nn.Linear(2, 1).state_dict(), 'm.pt')\ntorch.load('m.pt')",
    "Colab": "try:\n    import google.colab\nexcept ImportError: pass\n"
    "assert 'google.colab' not in str(get_ipython())",
    "threads of PyTorch": "torch.set_num_threads(4)\ntorch.ones(300, 300) @ torch.ones(300, 300)",
    "the dtype of everything": "torch.set_default_dtype(torch.float64)",
    "other defaults": "torch.set_default_dtype(torch.float32)\ntorch.set_num_threads(1)\n"
    "torch.set_printoptions(precision=2)",
}


@pytest.mark.parametrize("cell", HARMLESS.values(), ids=HARMLESS)
def test_what_is_harmless_costs_nothing(worker, cell):
    noisy = HEAD.right["own_module"].replace("    return Head(", "    import sys, warnings\n"
                                  "    print('noise', file=sys.stderr)\n"
                                  "    warnings.warn('noise')\n    return Head(")  # fmt: skip
    evidence = worker.grade(submission(extra(cell), *exercise_cells(HEAD, noisy)))
    assert (evidence.status, evidence.checks[0].points, evidence.checks[0].message) == ("graded", 1, "")
    assert evidence.notes == () or cell in FAIL


FAIL = {HARMLESS["an extra cell that fails"], HARMLESS["an extra cell that is no Python"]}

# One cell makes it, the answer asserts it.
KEPT = {
    "the last value": ("40 + 2", "_ == 42"),
    "a last value of its own": ("_ = 5\n40 + 2", "_ == 5"),
    "a file that a cell wrote": ("%%writefile helper.py\nx = 1", "__import__('helper').x == 1"),
    "a file that a cell added to": (
        "%%writefile -a helper.py\nx = 1",
        "open('helper.py').read() == 'x = 1\\n'",
    ),
    "what was captured": ("%%capture shown\nx = 1", "x == 1 and shown.stdout == ''"),
    "what was captured, with an option": (
        "%%capture shown --no-stderr\nx = 1",
        "x == 1 and shown.stdout == ''",
    ),
    "what was awaited": ("import asyncio\nx = await asyncio.sleep(0, 1)", "x == 1"),
    "a task": ("import asyncio\ntask = asyncio.create_task(asyncio.sleep(0, 1))", "(await task) == 1"),
    "a future": ("from __future__ import annotations", "(lambda: None)", "def f(x: NotThere): pass"),
    "what runs under the main module's name": ("x = __name__ == '__main__'", "x"),
}


@pytest.mark.parametrize("made", KEPT.values(), ids=KEPT)
def test_what_a_cell_leaves_is_there_for_the_next_as_in_a_notebook(worker, made):
    cell, holds, *more = made
    uses = "\n".join([*more, f"assert {holds}", RIGHT])
    evidence = worker.grade(submission(extra(cell), *exercise_cells(HEAD, uses)))
    assert (evidence.status, evidence.checks[0].points, evidence.notes) == ("graded", 1, ())


ANSWERS = {
    "a lambda": "build_head = lambda hidden_size, num_classes: nn.Linear(hidden_size, num_classes)",
    "a partial": "import functools\nbuild_head = functools.partial(nn.Linear, bias=True)",
    "a class": "build_head = nn.Linear",
    "an object that can be called": "class Build:\n    def __call__(self, h, n): return nn.Linear(h, n)\n"
    "build_head = Build()",
    "decorated": "import functools\n@functools.cache\ndef double(x): return 2 * x\n@torch.no_grad()\n"
    "def build_head(h, n):\n"
    "    return nn.Linear(double(h) // 2, n)",
    "matching": "def build_head(*sizes):\n    match sizes:\n        case h, n: return nn.Linear(h, n)",
    "a dataclass": "from dataclasses import dataclass\n@dataclass(eq=False)\nclass build_head(nn.Module):\n"
    "    h: int\n"
    "    n: int\n"
    "    def __post_init__(self):\n        super().__init__()\n"
    "        self.layer = nn.Linear(self.h, self.n)\n"
    "    def forward(self, x): return self.layer(x)",
    "a layer that waits for its input": "def build_head(h, n): return nn.LazyLinear(n)",
    "layers that wait for their input": "class Head(nn.Module):\n    def __init__(self, n):\n"
    "        super().__init__()\n"
    "        self.layers = nn.Sequential(nn.LazyBatchNorm1d(), nn.LazyLinear(n))\n"
    "    def forward(self, x): return self.layers(x)\ndef build_head(h, n): return Head(n)",
    "weights of a norm's own": "def build_head(h, n): return "
    "nn.utils.parametrizations.weight_norm(nn.Linear(h, n))",
    "a check of its own before": "from graders.checks import check_build_head\n"
    "def build_head(h, n): return nn.Linear(h, n)\n"
    "check_build_head(build_head)",
    "an await": "import asyncio\nawait asyncio.sleep(0)\ndef build_head(h, n): return nn.Linear(h, n)",
    "float64 everywhere": "torch.set_default_dtype(torch.float64)\n"
    "def build_head(h, n): return nn.Linear(h, n)",
}


@pytest.mark.parametrize("program", ANSWERS.values(), ids=ANSWERS)
def test_however_it_is_written_a_right_answer_is_right(worker, program):
    evidence = worker.grade(submission(*exercise_cells(HEAD, program)))
    assert (evidence.status, evidence.checks[0].points, evidence.notes) == ("graded", 1, ())


BESIDE_MAGICS = {
    "a shell's answer": "files = !ls\nSIZE = 1",
    "a magic's answer": "took = %timeit -o 1 + 1\nSIZE = 1",
    "a statement that is timed": "%time SIZE = 1",
    "a statement on two lines that is timed": "%time SIZE = max(0, \\\n    1)",
    "installing without a sign": "pip install soup\nSIZE = 1",
    "arithmetic at the start of a line": "%matplotlib inline\nSIZE = (3\n    % 2)",
}


@pytest.mark.parametrize("cell", BESIDE_MAGICS.values(), ids=BESIDE_MAGICS)
def test_what_stands_beside_a_magic_is_there_for_the_answer(worker, cell):
    uses = HEAD.right["own_module"].replace("    return Head(", "    assert SIZE == 1\n    return Head(")
    evidence = worker.grade(submission(extra(cell), *exercise_cells(HEAD, uses)))
    assert (evidence.status, evidence.checks[0].points, evidence.notes) == ("graded", 1, ())


def test_an_answer_that_needs_a_demonstration_is_told_that_it_was_not_run(worker):
    outcome = graded(worker, *exercise_cells(HEAD, f"sizes = model.sizes\n{RIGHT}"))
    assert "stopped with NameError: name 'model' is not defined." in outcome.message
    assert "Cells tagged `demo` are not run here" in outcome.message


def test_a_models_output_may_be_changed_in_place_where_gradients_flow_as_in_training(worker):
    loss = next(exercise for exercise in EXERCISES if exercise.id == "next-token-loss")
    program = (
        "def next_token_loss(logits, input_ids, attention_mask):\n"
        "    logits -= logits.max(-1, keepdim=True).values\n"
        "    scores, keep = logits[:, :-1], attention_mask[:, 1:] != 0\n"
        "    scores[~keep] = 0\n"
        "    losses = nn.functional.cross_entropy(scores.transpose(1, 2), input_ids[:, 1:], "
        "reduction='none')\n"
        "    return losses[keep].mean()\n"
    )
    names = {"torch": torch, "nn": torch.nn}
    exec(program, names)
    loss.check(names["next_token_loss"])
    for cells in ((), (extra("torch.set_grad_enabled(False)"),)):
        outcome = graded(worker, *cells, *exercise_cells(loss, program))
        assert (outcome.points, outcome.message) == (loss.points, "")


def test_slow_but_right_is_right(limited):
    slow = (
        "import time\ndef f(x):\n    start = time.monotonic()\n"
        "    while time.monotonic() - start < 1: pass\n    return x"
    )
    with limited(cell_s=30) as worker:
        assert graded(worker, answer(slow), check("assert f(1) == 1")).points == 3.0


def test_a_mistake_in_one_cell_costs_that_cell_alone(worker):
    cells = (
        answer("def f(x)\n    return x"), check("assert f(1) == 1", grade_id="f"),
        answer("def g(x):\n    return x"), check("assert g(1) == 1", grade_id="g"),
    )  # fmt: skip
    assert [outcome.points for outcome in worker.grade(submission(*cells)).checks] == [0, 3.0]


def test_imports_and_constants_of_an_answer_are_there_in_the_checks(worker):
    cells = (
        answer("import numpy as np\nimport math\nRATE = np.float32(0.5)"),
        check("assert RATE == np.float32(math.sqrt(0.25))"),
    )
    assert graded(worker, *cells).points == 3.0


def test_a_traceback_shows_the_students_own_lines(worker):
    evidence = worker.grade(
        submission(answer("def f():\n    return 1 / 0  # here\n\nf()"), check("assert 1"))
    )
    assert "return 1 / 0  # here" in evidence.output
    assert "student.py" not in evidence.output


def test_what_is_not_python_is_shown_without_a_file_of_anybody_else(worker):
    evidence = worker.grade(submission(answer("def f(x)\n    return x"), check("assert 1")))
    assert "def f(x)" in evidence.output and "SyntaxError" in evidence.output
    assert "Traceback" not in evidence.output and "ast.py" not in evidence.output
