"""The documentation's pages: built without a network or a warning, complete, and asking no other site for
anything."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import docs_pages  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """As `make docs` builds it, through a proxy that refuses."""
    target = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **nowhere})
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_no_page_loads_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    loads = re.compile(
        r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*href=\"?(?:https?:)?//"
    )
    assert len(pages) > 15
    assert [str(page) for page in pages if loads.search(page.read_text(encoding="utf-8"))] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", styles)


def public_names() -> list[tuple[str, str]]:
    return [
        (module.__name__, name)
        for package in docs_pages.public_packages()
        for module in docs_pages.public_modules(package)
        for name in module.__all__
    ]


def test_every_public_name_is_in_the_reference(site):
    """Each has a heading of its own, on the page of its package."""
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "reference").glob("*.html"))
    anchors = set(re.findall(r"id=\"?([\w.]+)", text))
    names = public_names()
    assert len(names) > 150
    missing = [
        name
        for module, name in names
        if docs_pages.home(importlib.import_module(module), name) not in anchors
    ]
    assert missing == []


def test_every_public_function_and_class_says_what_it_is():
    silent = []
    for module, name in public_names():
        value = getattr(importlib.import_module(module), name)
        described = inspect.isclass(value) or inspect.isroutine(value)
        if described and not (value.__doc__ or "").strip():
            silent.append(f"{module}.{name}")
    assert silent == []


def test_every_package_of_the_toolkit_has_a_page():
    packages = {path.parent.name for path in (ROOT / "tlwidgets").glob("*/__init__.py")}
    pages = {module.__name__.partition(".")[2] for module in docs_pages.public_packages()}
    assert packages - pages == set()
