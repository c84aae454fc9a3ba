"""Nothing that an honest student does costs points."""

import pytest

from graders.checks import EXERCISES

from .conftest import answer, check, exercise_cells, extra, graded, submission

HEAD = next(exercise for exercise in EXERCISES if exercise.id == "build-head")

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
    "files": "with open('notes.txt', 'w') as file:\n    file.write('x')\nassert open('notes.txt').read() == 'x'",
    "threads": "import threading\nthread = threading.Thread(target=print)\nthread.start()\nthread.join()",
    "training": "model = nn.Linear(2, 1)\noptimizer = torch.optim.AdamW(model.parameters())\nmodel(torch.ones(1, 2)).backward()\n"
    "optimizer.step()",
    "the toolkit": "import tlwidgets\nfrom tlwidgets import ModelTree\nModelTree.of(nn.Linear(2, 1))",
    "dataclasses and pickles": "import dataclasses, pickle\n@dataclasses.dataclass\nclass Pair:\n    a: int\n"
    "assert pickle.loads(pickle.dumps(Pair(1))) == Pair(1)",
    "the terminal": "import sys\nassert 'x'.encode(sys.stdout.encoding) == b'x' and not sys.stdout.isatty()",
    "IPython itself": "get_ipython().run_line_magic('matplotlib', 'inline')",
    "other defaults": "torch.set_default_dtype(torch.float32)\ntorch.set_num_threads(1)\ntorch.set_printoptions(precision=2)",
}


@pytest.mark.parametrize("cell", HARMLESS.values(), ids=HARMLESS)
def test_what_is_harmless_costs_nothing(worker, cell):
    noisy = HEAD.right[2].replace("    return Head(", "    import sys, warnings\n    print('noise', file=sys.stderr)\n"
                                  "    warnings.warn('noise')\n    return Head(")  # fmt: skip
    evidence = worker.grade(submission(extra(cell), *exercise_cells(HEAD, noisy)))
    assert (evidence.status, evidence.checks[0].points, evidence.checks[0].message) == ("graded", 1, "")


BESIDE_MAGICS = {
    "a shell's answer": "files = !ls\nSIZE = 1",
    "a magic's answer": "took = %timeit -o 1 + 1\nSIZE = 1",
    "a statement that is timed": "%time SIZE = 1",
    "installing without a sign": "pip install soup\nSIZE = 1",
    "arithmetic at the start of a line": "%matplotlib inline\nSIZE = (3\n    % 2)",
}


@pytest.mark.parametrize("cell", BESIDE_MAGICS.values(), ids=BESIDE_MAGICS)
def test_what_stands_beside_a_magic_is_there_for_the_answer(worker, cell):
    uses = HEAD.right[2].replace("    return Head(", "    assert SIZE == 1\n    return Head(")
    evidence = worker.grade(submission(extra(cell), *exercise_cells(HEAD, uses)))
    assert (evidence.status, evidence.checks[0].points, evidence.notes) == ("graded", 1, ())


def test_slow_but_right_is_right(limited):
    slow = "import time\ndef f(x):\n    start = time.monotonic()\n    while time.monotonic() - start < 1: pass\n    return x"
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
