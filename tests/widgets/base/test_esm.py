"""Scripts that import each other become one module that imports nothing."""

import pytest

from tlwidgets import palette
from tlwidgets.widgets.base.assets import script, style
from tlwidgets.widgets.base.esm import ModuleError, bundle, load

DOM = "export function h() {}\nconst hidden = 1;\nexport const GONE = hidden;\n"
TAKES_A = 'import { a } from "./a.js";\nexport default a;\n'


def bundled(**scripts: str) -> str:
    """The module of `train/widget.js`; `base_dom=...` is the text of `base/dom.js`."""
    texts = {name.replace("_", "/") + ".js": text for name, text in scripts.items()}

    def read(path: str) -> str:
        if path not in texts:
            raise FileNotFoundError(path)
        return texts[path]

    return bundle(load("train/widget.js", read))


def test_an_imported_script_stands_before_its_importer_and_gives_only_its_exports():
    text = bundled(
        train_widget='import { h, GONE } from "../base/dom.js";\nexport default h(GONE);\n', base_dom=DOM
    )
    assert text == (
        "const $base_dom = (() => {\nfunction h() {}\nconst hidden = 1;\nconst GONE = hidden;\n"
        "return { h, GONE };\n})();\n"
        "const { h, GONE } = $base_dom;\nexport default h(GONE);\n"
    )


def test_a_script_that_two_import_stands_there_once_before_both():
    text = bundled(
        train_widget=(
            'import {\n  s,\n} from "../base/charts.js";\nimport { h } from "../base/dom.js";\n'
            "export default s(h);\n"
        ),
        base_charts='import { h } from "./dom.js";\nexport function s() {\n  return h();\n}\n',
        base_dom=DOM,
    )
    assert text.count("const $base_dom =") == text.count("const $base_charts =") == 1
    assert text.index("$base_dom =") < text.index("$base_charts =") < text.index("export default")


def test_comments_for_the_type_checker_stay_at_home():
    text = bundled(
        train_widget='/** @import { State } from "./state" */\n\n/**\n * @param {State} state\n */\n'
        "const a = (state) => /** @type {any} */ (state); // kept\nexport default a;\n"
    )
    assert text == "\nconst a = (state) => /** @type {any} */ (state); // kept\nexport default a;\n"


def test_all_forms_of_export_are_found():
    text = bundled(
        train_widget='import { a, b, c, d, $e } from "./a.js";\nexport default a;\n',
        train_a=(
            "export const a = 1;\nexport function b() {}\nexport async function c() {}\n"
            "export class d {}\nexport function* $e() {}\n"
        ),
    )
    assert "return { a, b, c, d, $e };" in text
    assert text.count("export ") == 1


REFUSED = {
    "a circle": (
        dict(
            train_widget=TAKES_A,
            train_a='import { b } from "./b.js";\nexport const a = b;\n',
            train_b='import { a } from "./a.js";\nexport const b = a;\n',
        ),
        r"import each other in a circle: train/a\.js -> train/b\.js -> train/a\.js\. Move",
    ),
    "a name that is private": (
        dict(train_widget='import { hidden } from "../base/dom.js";\nexport default 1;\n', base_dom=DOM),
        r"train/widget\.js imports 'hidden' from base/dom\.js, which exports h, GONE\.",
    ),
    "a script that exports nothing": (
        dict(train_widget=TAKES_A, train_a="const a = 1;\n"),
        r"'a' from train/a\.js, which exports nothing\.",
    ),
    "a missing file": (
        dict(train_widget=TAKES_A),
        r"There is no script train/a\.js, which train/widget\.js imports\.",
    ),
    "a missing widget": ({}, r"There is no script train/widget\.js\."),
    "a new name": (
        dict(train_widget='import { a as b } from "./a.js";\nexport default 1;\n'),
        "list plain names, without `as`",
    ),
    "a package": (
        dict(train_widget='import { a } from "d3";\nexport default 1;\n'),
        r'imports "d3"; give the relative path of one of our own \.js files',
    ),
    "a file elsewhere": (
        dict(train_widget='import { a } from "../../x.js";\nexport default 1;\n'),
        "one of our own",
    ),
    "two imports of one file": (
        dict(
            train_widget='import { h } from "../base/dom.js";\nimport { GONE } from "../base/dom.js";\n',
            base_dom=DOM,
        ),
        r"train/widget\.js imports base/dom\.js twice",
    ),
    "all names at once": (
        dict(train_widget='import * as dom from "../base/dom.js";\nexport default 1;\n'),
        "this form of import is not supported",
    ),
    "an import for its effect": (
        dict(train_widget='import "../base/dom.js";\nexport default 1;\n'),
        "this form of import is not supported",
    ),
    "an export that changes": (
        dict(train_widget=TAKES_A, train_a="export let a = 1;\n"),
        r"train/a\.js has `export let a = 1;`; this form of export is not supported",
    ),
    "a list of exports": (
        dict(train_widget=TAKES_A, train_a="const a = 1;\nexport { a };\n"),
        "this form of export is not supported",
    ),
    "a default export elsewhere": (
        dict(train_widget=TAKES_A, train_a="export const a = 1;\nexport default a;\n"),
        r"train/a\.js has a default export; only a widget's own script may have one",
    ),
    "no default export": (dict(train_widget="const a = 1;\n"), "needs one default export and no other"),
    "another export": (
        dict(train_widget="export const a = 1;\nexport default a;\n"),
        "needs one default export and no other",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_resolved_is_refused_with_a_sentence(case):
    scripts, message = REFUSED[case]
    with pytest.raises(ModuleError, match=message):
        bundled(**scripts)


def test_a_widget_has_the_style_sheets_beside_the_scripts_that_it_imports():
    assert ".tl-level-fill" in style("media")  # media/capture.css
    assert ".tl-chart" in style("train") and ".tl-scroll" in style("train")
    assert ".tl-chart" not in style("predict")
    for name in ("train", "predict"):
        assert style(name).startswith(palette.css())
        assert script(name).rstrip().split("\n")[-1].startswith("export default ")
        assert f".tl-{name}" in style(name)[-600:]
