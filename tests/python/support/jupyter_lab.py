"""A JupyterLab of its own, with a notebook open in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flowtriage

QUIET = {
    "apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@contextmanager
def lab(folder: Path, cells: Sequence[str]) -> Iterator[str]:
    """Serve a notebook; yield its address."""
    import nbformat

    work = folder / "work"
    work.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, work / "triage.ipynb")
    for name, content in QUIET.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    paths = [Path(flowtriage.__file__).parents[1], Path(__file__).parent]
    names = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    environment = {
        **os.environ,
        **{name: str(folder / name.lower()) for name in names},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.port=0", f"--ServerApp.root_dir={work}", "--ServerApp.open_browser=0"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=work, stdout=log, stderr=log, start_new_session=True
        )
        try:
            known = _started(server, folder)
            token = known["token"]
            yield f"http://127.0.0.1:{known['port']}/lab/tree/triage.ipynb?reset&token={token}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(20)


def _started(server: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    for _ in range(300):
        for path in (folder / "jupyter_runtime_dir").glob("jpserver-*.json"):
            text = path.read_text(encoding="utf-8")
            if text.endswith("}"):
                known: dict[str, Any] = json.loads(text)
                return known
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError((folder / "lab.log").read_text(encoding="utf-8"))


def open_tab(browser: Any, address: str) -> tuple[Any, list[str]]:
    """Open a served notebook; return the tab, and the list of dialogs that open in it."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    dialogs: list[str] = []
    tab.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    own = address.split("/lab", 1)[0]
    tab.route(
        "**/*",
        lambda route: (
            route.continue_()
            if route.request.url.startswith((own, "data:", "blob:"))
            else route.abort()
        ),
    )
    tab.goto(address)
    tab.locator(".jp-CodeCell").first.wait_for(timeout=30_000)
    return tab, dialogs


class Notebook:
    """A notebook in an open tab."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab

    def cell(self, at: int) -> Any:
        return self.tab.locator(".jp-CodeCell").nth(at)

    def run(self, at: int) -> Any:
        """Run a cell with the keyboard, wait until it is done, and return its output."""
        self.tab.get_by_text("| Idle").wait_for(timeout=20_000)
        self.cell(at).locator(".cm-content").click()
        self.tab.keyboard.press("Shift+Enter")
        done = self.cell(at).locator(".jp-InputPrompt", has_text=f"[{at + 1}]:")
        done.wait_for(timeout=30_000)
        output = self.cell(at).locator(".jp-Cell-outputArea")
        assert "Traceback" not in output.inner_text(), output.inner_text()
        assert "Javascript Error" not in output.inner_text()
        return output

    def picture(self, name: str) -> None:
        """Keep a picture, where someone wants to look at it."""
        folder = os.environ.get("FLOWTRIAGE_PICTURES")
        if folder:
            self.tab.screenshot(path=Path(folder) / f"{name}.png")
