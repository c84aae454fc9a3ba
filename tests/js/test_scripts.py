"""The widgets' scripts: types in strict mode, one formatter, no long lines and no long files."""

from pathlib import Path

import pytest

from tests.js.node import FOLDER, node

WIDGETS = Path(__file__).resolve().parents[2] / "tlwidgets" / "widgets"
SCRIPTS = [path for ending in ("js", "css", "d.ts") for path in sorted(WIDGETS.glob(f"*/*.{ending}"))]


def tool(package: str, program: str, *arguments: str) -> None:
    """Run a program of an npm package that `package.json` pins."""
    path = FOLDER / "node_modules" / package / program
    if not path.is_file():
        pytest.fail(f"{package} is not installed. Run `tlcourse setup --test`, or `npm ci` in tests/js.")
    node(str(path), *arguments)


def test_types_fit_in_strict_mode():
    tool("typescript", "bin/tsc", "--project", ".")


def test_one_formatter_has_written_them():
    written = [str(path) for path in SCRIPTS if not path.name.endswith(".d.ts")]
    tool("prettier", "bin/prettier.cjs", "--check", *written)


def test_no_line_and_no_file_is_long():
    long = []
    for path in SCRIPTS:
        lines = path.read_text(encoding="utf-8").splitlines()
        where = path.relative_to(WIDGETS)
        long += [f"{where}:{number}" for number, line in enumerate(lines, 1) if len(line) > 110]
        long += [f"{where}: {len(lines)} lines"] * (len(lines) > 400)
    assert long == []


def test_numbers_are_put_into_words_by_python():
    for path in SCRIPTS:
        assert "toLocaleString" not in path.read_text(encoding="utf-8"), (
            f"{path.name}: send the words with the state"
        )
