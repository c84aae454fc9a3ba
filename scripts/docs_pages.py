"""What the documentation has beyond the pages in docs/: a hook that mkdocs runs (mkdocs.yml names it).

- README, CONTRIBUTING, CHANGELOG and the licences become pages.
- Each package of `tlwidgets`, `graders` and `course` gets a page of reference, with every name of its
  `__all__` and of those of its modules. Nothing is listed by hand: a name that cannot be found in the source
  ends the build.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tlwidgets", "graders", "course")
CONTENT = (
    "course.units"  # exercises and experiments: what the lessons are made of, not what they are made with
)
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
TEXTS = {"LICENSE": ("licence.md", "Licence"), "NOTICE": ("notice.md", "Licences of weights and data")}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the generated pages to the navigation."""
    pages = [{module.__name__: page_of(module)} for module in public_packages()]
    config.nav.append({"Reference": pages})
    config.nav.append({"Licences": [{title: page} for page, title in TEXTS.values()]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Generate the pages that do not lie in docs/."""
    made = {
        page: re.sub(r"(\]\(|src=\")docs/", r"\1", (ROOT / name).read_text(encoding="utf-8"))
        for name, page in PAGES.items()
    }
    for name, (page, title) in TEXTS.items():
        made[page] = f"# {title}\n\n```text\n{(ROOT / name).read_text(encoding='utf-8')}\n```\n"
    made |= {page_of(module): reference(module) for module in public_packages()}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, **_) -> str:
    """Links to files that became pages lead to those pages."""
    for name, page in {**PAGES, **{name: page for name, (page, _) in TEXTS.items()}}.items():
        markdown = re.sub(rf"\]\((?:\.\./)?{re.escape(name)}(#[\w-]+)?\)", rf"]({page}\1)", markdown)
    return markdown


def page_of(module: ModuleType) -> str:
    """Where the reference of a package is."""
    return f"reference/{module.__name__}.md"


def public_packages() -> list[ModuleType]:
    """The packages with public names of their own or in their modules, the topmost of each first."""
    found = []
    for top in PACKAGES:
        package = importlib.import_module(top)
        below = [f"{top}.{one.name}" for one in pkgutil.iter_modules(package.__path__) if one.ispkg]
        found += [package, *map(importlib.import_module, below)]
    return [package for package in found if package.__name__ != CONTENT and public_modules(package)]


def public_modules(package: ModuleType) -> list[ModuleType]:
    """The package, if it has an `__all__`, and below it the modules that have one (the packages in a topmost
    one are not looked into: each has a page of its own)."""
    below = []
    if package.__name__ not in PACKAGES:
        walked = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        sources = {one.name: one.module_finder.find_spec(one.name).origin for one in walked}
        below = [
            importlib.import_module(name)
            for name, source in sources.items()
            if re.search(r"^(?:\w+, )*__all__\b", Path(source).read_text(encoding="utf-8"), re.M)
        ]
    return [module for module in (package, *below) if getattr(module, "__all__", ())]


def reference(package: ModuleType) -> str:
    """The page of a package: of a topmost one a table that leads to the others, else every name."""
    lines = [f"# `{package.__name__}`", "", inspect.getdoc(package) or "", ""]
    if package.__name__ in PACKAGES:
        lines += ["| name | what it is |", "| --- | --- |"]
        for name in sorted(package.__all__, key=str.lower):
            text = inspect.getdoc(getattr(package, name)) or ""
            lines.append(f"| [`{name}`][{home(package, name)}] | {text.partition(chr(10))[0]} |")
        return "\n".join(lines) + "\n"
    done = set()
    for module in public_modules(package):
        names = {home(module, name): name for name in module.__all__}
        fresh = sorted(set(names) - done, key=lambda identifier: names[identifier].lower())
        if module is not package and fresh:
            lines += [f"## `{module.__name__}`", "", inspect.getdoc(module) or "", ""]
        level = 2 if module is package else 3
        for identifier in fresh:
            lines += [f"::: {identifier}", "    options:", f"      heading_level: {level}", ""]
        done |= set(fresh)
    return "\n".join(lines) + "\n"


def home(module: ModuleType, name: str) -> str:
    """The full name under which the source defines a public name."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isroutine(value):
        return f"{value.__module__}.{value.__qualname__}"
    # A constant does not know where it was defined: the source does.
    package = module.__name__.rpartition(".")[0] if not hasattr(module, "__path__") else module.__name__
    searched = [module.__name__]
    searched += [
        one.name for one in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
    ]
    for candidate in searched:
        if name in assigned(candidate):
            return f"{candidate}.{name}"
    raise PluginError(f"{module.__name__} offers {name}, which no module of {package} defines.")


def assigned(module: str) -> set[str]:
    """The names that a module's source gives a value, outside of functions and classes."""
    source = importlib.util.find_spec(module).origin
    found = set()
    for node in ast.parse(Path(source).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found
