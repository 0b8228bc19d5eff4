"""A browser, the built site and a cut-off network for the tests of the pages.

Nothing here is skipped: where no browser is found one is installed, or the run fails.
"""
import functools
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
DRIVER = Path(__file__).with_name("driver.js").read_text(encoding="utf-8")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ["--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-extensions"]
if hasattr(os, "geteuid") and os.geteuid() == 0:
    FLAGS.append("--no-sandbox")  # Chromium refuses to start as root otherwise


MEASURED = []  # lines to print when all is done: what the tests measured


@pytest.fixture
def measured():
    return MEASURED.append


def pytest_terminal_summary(terminalreporter):
    if MEASURED:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(MEASURED))


@functools.cache
def build_once():
    """Build the site where it is out of date; at once where it is not."""
    command = [sys.executable, "make.py", "book"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.exit(f"The book could not be built:\n{done.stdout}{done.stderr}", returncode=1)


@functools.cache
def pages():
    """Every page of the site, by glob; the entrance, which only leads on, has a test of its own."""
    build_once()
    found = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    return [page for page in found if not page.startswith("_static/") and page != "index.html"]


def live_pages():
    return [page for page in pages() if 'class="live-figure' in (SITE / page).read_text("utf-8")]


def notebooks():
    """Every notebook of the book, as a path from the root."""
    found = sorted((ROOT / "book").rglob("*.ipynb"))
    return [p.relative_to(ROOT).as_posix() for p in found if ".ipynb_checkpoints" not in p.parts]


def pytest_generate_tests(metafunc):
    for name, values in (("page_path", pages), ("live_path", live_pages), ("notebook", notebooks)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values() or [pytest.param("", id="none")])


# ---------------------------------------------------------------- the browser

def launch(playwright):
    """Start Chromium, Chrome or Playwright's own browser; install one where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    tries = [{"executable_path": found}] if found else []
    tries += [{}, {"channel": "chrome"}]
    for options in tries:
        try:
            return playwright.chromium.launch(args=FLAGS, **options)
        except Error:
            continue
    return None


def install():
    """Install a browser: Playwright's own, else the system's as root."""
    commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        commands += [["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]]
    for command in commands:
        print(f"\nno browser yet: {' '.join(command)}", flush=True)
        try:
            done = subprocess.run(command, timeout=600)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and command[-1] == "chromium":
            return


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            install()
            browser = launch(playwright)
        if browser is None:
            pytest.fail("No browser: install Chromium or Chrome, or `playwright install chromium`")
        yield browser
        browser.close()


# ---------------------------------------------------------------- the site, cut off

DRIVE = """async (kernel) => { const told = [];
  for (const root of liveDriver.figures()) told.push(await liveDriver.drive(root, kernel));
  return told; }"""
DRIVEN = {}  # page -> what came of driving its figures on http://


def drive_page(visit, path):
    """Drive every figure of a built page, once in a run: JupyterLab is compared with it."""
    if path not in DRIVEN:
        with visit(path) as came:
            DRIVEN[path] = came.page.evaluate(DRIVE, False), came.foreign + came.noise
    return DRIVEN[path]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def bases():
    """The site's address on a local server and on disk."""
    build_once()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{server.server_port}/", "file": SITE.as_uri() + "/"}
    server.shutdown()
    server.server_close()


@dataclass
class Visit:
    """An open page, with what it asked for and what it complained of."""

    page: object
    foreign: list = field(default_factory=list)
    noise: list = field(default_factory=list)
    responses: list = field(default_factory=list)

    def watch(self, base):
        def guard(route):
            url = route.request.url
            if url.startswith((base, "data:", "blob:")):
                route.continue_()
            else:
                self.foreign.append(url)
                route.abort()
        page = self.page
        page.route("**/*", guard)
        page.on("console", lambda m: m.type in ("error", "warning") and self.noise.append(m.text))
        page.on("pageerror", lambda error: self.noise.append(str(error)))
        page.on("requestfailed", lambda r: self.noise.append(f"failed: {r.url}"))
        page.on("response", lambda r: self.responses.append(r))

    def wait_ready(self):
        self.page.evaluate(DRIVER)
        self.page.wait_for_function("liveDriver.ready()", timeout=10_000)


@pytest.fixture
def visit(browser, bases):
    """visit(path, via="http", scheme="light", width=1280, ...): a context with one Visit."""
    @contextmanager
    def opened(path, via="http", scheme="light", width=1280, live=True, before=None, **options):
        context = browser.new_context(viewport={"width": width, "height": 900},
                                      color_scheme=scheme, **options)
        try:
            came = Visit(context.new_page())
            came.watch(bases[via])
            if before:
                came.page.add_init_script(before)
            came.page.goto(bases[via] + path, wait_until="load")
            if live:
                came.wait_ready()
            yield came
        finally:
            context.close()
    return opened


# ---------------------------------------------------------------- a JupyterLab

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The address of a JupyterLab of our own, on a free port, with settings of its own."""
    home = tmp_path_factory.mktemp("lab")
    for name, settings in SETTINGS.items():
        package, plugin = name.split("/")
        file = home / "settings" / "@jupyterlab" / package / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    environment = {k: v for k, v in os.environ.items() if k != "RNNLIB_LIVE"}
    environment |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTER_TOKEN": token,
                    "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
                    "JUPYTER_CONFIG_DIR": str(home / "config"),
                    "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "TQDM_DISABLE": "1"}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser",
               f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.root_dir={ROOT}", "--ServerApp.allow_root=True"]
    with open(home / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, home / "log")
            yield f"http://127.0.0.1:{port}/lab?token={token}"
        finally:
            server.terminate()
            server.wait(timeout=20)


OPEN = """async (path) => {
  const app = window.jupyterapp;
  await app.restored;
  window.panel = await app.commands.execute("docmanager:open", { path, factory: "Notebook" });
  await panel.context.ready;
  await panel.sessionContext.ready;
  await app.commands.execute("notebook:run-all-cells");
}"""


@pytest.fixture(scope="module")
def lab_notebook(browser, lab):
    """lab_notebook(name, sources): a page with a notebook of these cells, run, its figure there."""
    @contextmanager
    def opened(name, sources):
        path = ROOT / "_build" / f"{name}.ipynb"
        cells = [{"cell_type": "code", "id": f"c{i}", "execution_count": None, "metadata": {},
                  "outputs": [], "source": source} for i, source in enumerate(sources)]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"cells": cells, "metadata": {"kernelspec": kernel},
                                    "nbformat": 4, "nbformat_minor": 5}))
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        try:
            page = context.new_page()
            page.goto(lab)
            page.wait_for_function("window.jupyterapp && window.jupyterapp.started", timeout=60_000)
            page.evaluate(OPEN, f"_build/{name}.ipynb")
            page.evaluate(DRIVER)
            page.wait_for_function("liveDriver.figures().length && liveDriver.ready()",
                                   timeout=30_000)
            yield page
        finally:
            context.close()
            path.unlink()
    return opened


def wait_for(url, server, log):
    for _ in range(240):
        if server.poll() is not None:
            pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail(f"JupyterLab did not answer:\n{log.read_text()[-2000:]}")
