"""Fixtures of the browser tests: one JupyterLab server and one Chromium a session, one page a test."""

from __future__ import annotations

import devices
import pytest
from jupyter_lab import LabNotebook, chromium, jupyter_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A real JupyterLab server (`.write(name, *cells)` puts a notebook where it sees it)."""
    with jupyter_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Debian's Chromium, headless, with a camera and a microphone that play files (see `devices`)."""
    with chromium(*devices.arguments(tmp_path_factory.mktemp("devices"))) as running:
        yield running


@pytest.fixture
def page(browser):
    """A page of its own context, 1200 by 900; errors of scripts fail the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    # JupyterLab itself cancels its requests when a kernel restarts; all other errors are a widget's.
    page.on("pageerror", lambda error: "Canceled future" in str(error) or errors.append(str(error)))
    yield page
    context.close()
    assert not errors, "scripts failed on the page:\n" + "\n".join(errors)


@pytest.fixture
def notebook(lab, page):
    """`notebook(name, *cells)` writes a notebook, opens it, runs its cells and returns a `LabNotebook`."""
    opened = LabNotebook(page, lab)

    def run(name: str, *cells: str, run_all: bool = True, **metadata) -> LabNotebook:
        opened.open(lab.write(name, *cells, **metadata))
        if run_all:
            opened.run_all()
        return opened

    yield run
    page.evaluate(
        "async () => { const app = window.jupyterapp;"
        " if (app) await app.serviceManager.sessions.shutdownAll(); }"
    )
