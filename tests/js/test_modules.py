"""The text that a browser gets of each widget is one module that runs by itself."""

import json
from pathlib import Path

import pytest

from tests.js.node import node
from tlwidgets.widgets.base.assets import script
from tlwidgets.widgets.base.esm import bundle, load

WIDGETS = Path(__file__).resolve().parents[2] / "tlwidgets" / "widgets"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in WIDGETS.glob("*/widget.js")))
def test_a_widget_is_one_module_that_imports_nothing(name, tmp_path):
    (tmp_path / "widget.mjs").write_text(script(name), encoding="utf-8")
    (tmp_path / "main.mjs").write_text(
        'import widget from "./widget.mjs";\nimport * as all from "./widget.mjs";\n'
        "const parts = typeof widget === 'function' ? widget() : widget;\n"
        "console.log(JSON.stringify([Object.keys(all), typeof parts.render]));\n"
    )
    assert json.loads(node("main.mjs", cwd=tmp_path)) == [["default"], "function"]


def test_what_a_script_does_not_export_stays_inside(tmp_path):
    scripts = {
        "w/widget.js": (
            'import { one } from "./a.js";\nimport { two } from "./b.js";\nconst hidden = 3;\n'
            "export default { found: [one(), two(), one(), hidden], leaked: typeof count };\n"
        ),
        "w/a.js": "let count = 0;\nconst hidden = 1;\nexport function one() {\n  count += hidden;\n  return "
        "count;\n}\n",
        "w/b.js": "let count = 20;\nconst hidden = 2;\nexport function two() {\n  count += hidden;\n  return "
        "count;\n}\n",
    }
    (tmp_path / "widget.mjs").write_text(bundle(load("w/widget.js", scripts.__getitem__)))
    (tmp_path / "main.mjs").write_text('import w from "./widget.mjs";\nconsole.log(JSON.stringify(w));\n')
    assert json.loads(node("main.mjs", cwd=tmp_path)) == {"found": [1, 22, 2, 3], "leaked": "undefined"}
