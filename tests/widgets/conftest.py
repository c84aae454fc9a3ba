"""For the widgets' tests: a cell's outputs and a front end that only listens; for those named `*_browser.py`
one JupyterLab server, one Chromium and one page of JupyterLab a session, and one kernel a notebook.
"""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.train.conftest import data, make_model  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def states_fit_their_records(monkeypatch):
    """Each state that a test's panels give is checked against its record."""
    from tests.widgets.records import problems, record_of
    from tlwidgets.widgets.base.panel import Panel

    for panel in filter(lambda each: "state" in vars(each), _subclasses(Panel)):
        state_of = vars(panel)["state"].fget

        def state(self, state_of=state_of) -> dict:
            found = state_of(self)
            wrong = list(problems(found, record_of(found["view"])))
            assert not wrong, "\n".join(wrong)
            return found

        monkeypatch.setattr(panel, "state", property(state))


def _subclasses(parent: type) -> list[type]:
    return [each for child in parent.__subclasses__() for each in (child, *_subclasses(child))]


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """A real JupyterLab server (`.write(name, *cells)` puts a notebook where it sees it)."""
    from tests.widgets.jupyter_lab import jupyter_lab

    with jupyter_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Debian's Chromium, headless, with a camera and a microphone that play files (see `devices`)."""
    from tests.widgets import devices
    from tests.widgets.jupyter_lab import chromium

    with chromium(*devices.arguments(tmp_path_factory.mktemp("devices"))) as running:
        yield running


@pytest.fixture
def page(browser):
    """A page of its own context, 1200 by 900, for notebooks, too; errors of scripts fail the test."""
    from tests.widgets.jupyter_lab import SIZE

    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    with no_errors(page):
        yield page
    context.close()


@pytest.fixture(scope="session")
def shared_page(browser):
    """`shared_page()` is the page of all notebooks: JupyterLab is loaded once, and again after a failure."""
    from tests.widgets.jupyter_lab import SIZE

    pages = []

    def current():
        if not pages or pages[-1].is_closed():
            pages.append(browser.new_context(viewport=SIZE).new_page())
        return pages[-1]

    yield current
    for page in pages:
        page.context.close()


@contextlib.contextmanager
def no_errors(page):
    """Errors of scripts fail the test."""
    page.set_default_timeout(60_000)
    errors: list[str] = []

    # JupyterLab itself cancels its requests when a kernel restarts; all other errors are a widget's.
    def note(error):
        return "Canceled future" in str(error) or errors.append(str(error))

    page.on("pageerror", note)
    yield
    page.remove_listener("pageerror", note)
    assert not errors, "scripts failed on the page:\n" + "\n".join(errors)


@pytest.fixture
def notebook(request, lab, shared_page):
    """`notebook(name, *cells)` writes a notebook, opens it, runs its cells and returns a `LabNotebook`.

    Each has a kernel of its own. All share a page, which is left as it was found; a test that takes `page`
    gets its notebooks there.
    """
    from tests.widgets.jupyter_lab import LabNotebook

    own = "page" in request.fixturenames
    page = request.getfixturevalue("page") if own else shared_page()
    opened = LabNotebook(page, lab)

    def run(name: str, *cells: str, run_all: bool = True, **metadata) -> LabNotebook:
        opened.open(lab.write(name, *cells, **metadata))
        if run_all:
            opened.run_all()
        return opened

    with no_errors(page) if not own else contextlib.nullcontext():
        yield run
        try:
            opened.reset()
        except Exception:
            page.context.close()
            raise
    if request.node.stash.get(FAILED, False):
        page.context.close()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture
def published(monkeypatch):
    """What was put into the cells' outputs: (data, transient, update)."""
    import IPython.display

    found = []

    def publish(bundle, metadata=None, *, transient=None, update=False, **_):
        found.append((bundle, transient, update))

    monkeypatch.setattr(IPython.display, "publish_display_data", publish)
    return found


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("TLWIDGETS_VIEW", "static")


@pytest.fixture
def live(monkeypatch, published):
    monkeypatch.setenv("TLWIDGETS_VIEW", "live")


def shown(panel) -> list[dict]:
    """Display a panel live; returns the list that all messages to the browser go into."""
    panel._ipython_display_()
    messages = []
    panel._widget.send = lambda content, buffers=None: messages.append(json.loads(json.dumps(content)))
    return messages


def click(panel, **content):
    panel._widget._handle_custom_msg(content, [])
