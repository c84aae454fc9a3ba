"""One self-contained ES module from a widget's script and the scripts that it imports.

anywidget takes the text of one module, and a notebook may have no network, so relative imports are resolved
here instead of in the browser. Each imported file becomes a function that is called once and returns its
exports; what it does not export stays inside. The forms are few, so that this needs no parser of JavaScript,
and every other form is rejected:

- `import { h, attr } from "../base/dom.js";` begins a line, names one of our own files, and renames nothing;
- `export function f() {}`, `export async function`, `export class` and `export const` begin a line;
- `export default ...;` is in the widget's own script only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass

_IMPORT = re.compile(r'^import\s*\{([^{}]*)\}\s*from\s*"([^"\n]*)";', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const)\b\*? *([\w$]+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default\b", re.MULTILINE)
_OTHER = re.compile(r"^(import|export)\b.*", re.MULTILINE)
_DOC = re.compile(r"^[ \t]*/\*\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$]*")


class ModuleError(ValueError):
    """A script imports or exports something that cannot be resolved; the message says where and what."""


@dataclass(frozen=True)
class Module:
    """A script whose imports and exports are known."""

    name: str
    """Its path below `tlwidgets/widgets`, such as "base/dom.js"."""
    imports: dict[str, tuple[str, ...]]
    """The files it imports, in order, and the names that it takes from each."""
    exports: tuple[str, ...]
    body: str
    """Its text without `import`, `export` and JSDoc; `const { h } = $base_dom;` stands where a name was
    imported."""


def load(entry: str, read: Callable[[str], str]) -> list[Module]:
    """The script `entry` and all that it imports, each once, after what it imports itself; `entry` comes
    last.

    Args:
        entry: a path such as "train/widget.js".
        read: gives the text of a path; raises FileNotFoundError where there is none.

    Raises:
        ModuleError: a file is missing, imports go in a circle, a name is not exported, or a form is not
            supported.
    """
    found: dict[str, Module] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            raise ModuleError(
                f"These scripts import each other in a circle: {circle}. Move what they share out."
            )
        if name in found:
            return
        try:
            text = read(name)
        except FileNotFoundError:
            importer = f", which {path[-1]} imports" if path else ""
            raise ModuleError(f"There is no script {name}{importer}.") from None
        module = _parse(name, text, is_entry=not path)
        for imported, names in module.imports.items():
            visit(imported, (*path, name))
            offered = found[imported].exports
            for missing in (each for each in names if each not in offered):
                raise ModuleError(
                    f"{name} imports {missing!r} from {imported}, which exports "
                    f"{', '.join(offered) or 'nothing'}."
                )
        found[name] = module

    visit(entry, ())
    return list(found.values())


def bundle(modules: list[Module]) -> str:
    """The text of one ES module with the default export of the last of `modules`, as `load` gives them."""
    *imported, entry = modules
    parts = [
        f"const {_variable(module.name)} = (() => "
        f"{{\n{module.body}return {{ {', '.join(module.exports)} }};\n}})();"
        for module in imported
    ]
    return "\n".join((*parts, entry.body))


def _parse(name: str, text: str, is_entry: bool) -> Module:
    imports: dict[str, tuple[str, ...]] = {}

    def take_import(found: re.Match) -> str:
        names = [each.strip() for each in found[1].split(",") if each.strip()]
        if not names or not all(_NAME.fullmatch(each) for each in names):
            raise ModuleError(f"{name} imports {{{found[1]}}}; list plain names, without `as`.")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
        if not found[2].startswith(("./", "../")) or path.startswith("../") or not path.endswith(".js"):
            raise ModuleError(
                f'{name} imports "{found[2]}"; give the relative path of one of our own .js files.'
            )
        if path in imports:
            raise ModuleError(f"{name} imports {path} twice; one import can list all names.")
        imports[path] = tuple(names)
        return f"const {{ {', '.join(names)} }} = {_variable(path)};"

    exports: list[str] = []

    def take_export(found: re.Match) -> str:
        exports.append(found[1])
        return ""

    body = _EXPORT.sub(take_export, _IMPORT.sub(take_import, _DOC.sub("", text)))
    for other in _OTHER.finditer(body):
        if not _DEFAULT.match(other[0]):
            raise ModuleError(f"{name} has `{other[0]}`; this form of {other[1]} is not supported.")
        if not is_entry:
            raise ModuleError(f"{name} has a default export; only a widget's own script may have one.")
    if is_entry and (exports or len(_DEFAULT.findall(body)) != 1):
        raise ModuleError(f"{name} is a widget's own script: it needs one default export and no other.")
    return Module(name, imports, tuple(exports), body)


def _variable(path: str) -> str:
    """The variable that holds what a file exports: "base/dom.js" -> "$base_dom"."""
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))
