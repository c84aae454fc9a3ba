"""A real JupyterLab server and a notebook in it, driven through Chromium, for tests and bench."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, JSHandle, Locator, Page, sync_playwright

from tests.widgets.warm_kernel import warm_kernels

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZE = {"width": 1200, "height": 900}  # of a page
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


class Lab:
    """A running server: `url`, `token`, and `folder` where notebooks live."""

    def __init__(self, url: str, token: str, folder: Path):
        self.url, self.token, self.folder = url, token, folder

    def write(self, name: str, *cells: str, **metadata) -> Path:
        """Write a notebook of code cells, without outputs."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        notebook.metadata.update(metadata)
        path = self.folder / name
        nbformat.write(notebook, path)
        return path


@contextlib.contextmanager
def jupyter_lab(folder: Path) -> Iterator[Lab]:
    """Start JupyterLab on a free port with a fresh token and kernels that start at once (see `warm_kernel`);
    all its files stay under `folder`."""
    home, notebooks = folder / "home", folder / "notebooks"
    notebooks.mkdir(parents=True)
    settings = home / "settings"
    for name, values in _SETTINGS.items():
        file = settings / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    environment = {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_NO_CONFIG": "1",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
    }
    environment.pop("TLWIDGETS_VIEW", None)
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.port=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={notebooks}"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
    ]
    with warm_kernels(folder / "kernels", environment) as environment:
        server = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield Lab(_await_url(server), token, notebooks)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _await_url(server: subprocess.Popen) -> str:
    """The address the server says it listens on; its later log is read and dropped: it never waits."""
    log: list[str] = []
    for line in server.stdout:
        log.append(line)
        if "http://" in line and "/lab?token=" in line:
            threading.Thread(target=lambda: [None for _ in server.stdout], daemon=True).start()
            return re.search(r"http://[^/]+/", line).group()
    raise RuntimeError("JupyterLab ended before it listened; its log:\n" + "".join(log[-30:]))


@contextlib.contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Debian's Chromium, without a window; `arguments` are added to its command line."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_ARGS, *arguments])
        try:
            yield browser
        finally:
            browser.close()


class LabNotebook:
    """A notebook open in JupyterLab. `page` is Playwright's; the kernel can be asked directly."""

    def __init__(self, page: Page, lab: Lab):
        self.page, self.lab = page, lab

    def open(self, path: Path) -> LabNotebook:
        """Open a notebook (loading JupyterLab first where it is not loaded) and await its kernel."""
        if "/lab" not in self.page.url:
            self.page.goto(f"{self.lab.url}lab?token={self.lab.token}&reset")
            self.page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
            self.page.evaluate("() => window.jupyterapp.restored")
        self.page.evaluate(
            """async (path) => {
                 const app = window.jupyterapp;
                 const panel = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
                 await panel.context.ready;
                 await panel.sessionContext.ready;
                 await panel.sessionContext.session.kernel.info;
                 app.shell.activateById(panel.id);
                 await panel.revealed;
               }""",
            path.name,
        )
        return self

    def run_all(self) -> None:
        """Run every cell and return when the last one has ended."""
        self.command("notebook:run-all-cells")

    def command(self, name: str, **arguments) -> None:
        """Execute one of JupyterLab's commands and await it."""
        self.page.evaluate(
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    def kernel(self, code: str) -> str:
        """Run code in the kernel, outside the document, and return what it printed (errors raise)."""
        printed, error = self.page.evaluate(
            """async (code) => {
                 const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                 const future = kernel.requestExecute({code, store_history: false});
                 let printed = '', error = '';
                 future.onIOPub = (message) => {
                   if (message.header.msg_type === 'stream') printed += message.content.text;
                   if (message.header.msg_type === 'error') error = message.content.evalue;
                 };
                 await future.done;
                 return [printed, error];
               }""",
            code,
        )
        if error:
            raise RuntimeError(f"The kernel raised: {error}")
        return printed.strip()

    def restart_kernel(self) -> None:
        """Restart the kernel without the dialog, and await the new one."""
        self.page.evaluate(
            "async () => { const c = window.jupyterapp.shell.currentWidget.sessionContext;"
            " await c.session.kernel.restart(); await c.session.kernel.info; }"
        )

    def save(self) -> None:
        self.command("docmanager:save")

    def close(self, shutdown: bool = True) -> None:
        """Close the notebook's tab without asking; by default its kernel is shut down, too."""
        self.page.evaluate(
            """async (shutdown) => {
                 const panel = window.jupyterapp.shell.currentWidget;
                 if (shutdown && panel.sessionContext) await panel.sessionContext.shutdown();
                 panel.dispose();
               }""",
            shutdown,
        )

    def reset(self) -> None:
        """Close all documents and dialogs, end all kernels, and look as a page that was just opened."""
        self.page.evaluate(
            """async () => {
                 const app = window.jupyterapp;
                 if (!app) return;
                 for (const widget of [...app.shell.widgets('main')]) widget.dispose();
                 for (const dialog of document.querySelectorAll('.jp-Dialog .jp-mod-reject')) dialog.click();
                 await app.serviceManager.sessions.shutdownAll();
               }"""
        )
        self.page.mouse.move(0, 0)
        self.page.set_viewport_size(SIZE)
        self.page.emulate_media(
            media="null", color_scheme="null", reduced_motion="null", forced_colors="null"
        )
        self.page.context.clear_permissions()
        if self.page.locator("body[data-jp-theme-light=false]").count():
            self.theme("JupyterLab Light")

    def theme(self, name: str) -> None:
        """Switch to "JupyterLab Light" or "JupyterLab Dark" and await its style sheet."""
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function(
            "(light) => document.body.dataset.jpThemeLight === light", arg=str("Dark" not in name).lower()
        )
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def texts_of(self, locator: Locator) -> JSHandle:
        """A list that gets each text that an element has from now on."""
        return locator.evaluate_handle(
            """(node) => {
                 const texts = [];
                 const look = () => texts.push(node.textContent);
                 new MutationObserver(look).observe(node, { childList: true, characterData: true,
                     subtree: true });
                 return texts;
               }"""
        )

    def locate(self, selector: str) -> Locator:
        """An element of the notebook on top."""
        return self.page.locator(f".jp-NotebookPanel:not(.lm-mod-hidden) {selector}")
