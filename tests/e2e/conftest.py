"""Real Chromium against a real server: one server per test on a free port, one browser per session, a context per person."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from engine import Engine
from engine.settings import Settings
from webapp import create_app
from webapp.composition import open_lianban
from webapp.sessions import COOKIE, open_session

AXE = Path(__file__).parents[2] / "webapp" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=30_000)  # two cores that run nine browsers and other tests beside them are slow, not wrong


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one Playwright brings. Not for the whole session: Playwright keeps an event loop running in its thread, and
    files that are no browser's have loops of their own."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """The engine with the whole domain, as the server opens it; jobs run at once."""
    opened = open_lianban(Settings(database_url=database_url, jobs="inline", files_dir=tmp_path / "files", demo=True))
    opened.create_schema()
    yield opened
    opened.close()


class Site:
    """A served application: its address, and browser contexts logged in as whoever is wanted."""

    def __init__(self, engine: Engine, address: str, browser: Browser) -> None:
        self.engine, self.address, self._browser = engine, address, browser
        self.app: Any = None
        self._contexts: list[BrowserContext] = []
        self.broken: list[str] = []

    def visit(self, username: str = "", *, size: dict[str, int] | None = None) -> Page:
        """A page in a fresh context. With a username the session is opened on the server, so that log-in costs no time."""
        context = self._browser.new_context(base_url=self.address, viewport=size or DESKTOP, locale="zh-CN", timezone_id="Asia/Shanghai")
        self._contexts.append(context)
        if username:
            with self.engine.unit_of_work() as session:
                token = open_session_for(self, session, username)
            context.add_cookies([{"name": COOKIE, "value": token, "url": self.address}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.broken.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._note(page, message))
        return page

    def _note(self, page: Page, message: Any) -> None:
        # a refused request is what some tests are about; a script, style or policy error is always a fault
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.broken.append(f"{page.url}: {message.text}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def open_session_for(site: Site, session: Any, username: str) -> str:
    with site.app.app_context():
        return open_session(session, username, address="127.0.0.1", agent="e2e")


@pytest.fixture
def serve(browser: Browser) -> Iterator[Callable[[Engine], Site]]:
    """`site = serve(engine)`: a running server over the engine. Script errors on any page fail the test."""
    running: list[tuple[Any, Site]] = []

    def start(engine: Engine) -> Site:
        app = create_app(engine)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = Site(engine, f"http://127.0.0.1:{server.server_port}", browser)
        site.app = app
        running.append((server, site))
        return site

    yield start
    broken: list[str] = []
    for server, site in running:
        site.close()
        server.shutdown()
        site.app.extensions["lianban.live"].close()
        broken += site.broken
    assert not broken, "script errors:\n" + "\n".join(broken)


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """`axe(page)`: what axe-core finds serious or critical, one line each; the bpmn.io mark is not ours to change."""

    def check(page: Page) -> list[str]:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run({exclude: [['.fjs-powered-by'], ['.bjs-powered-by']]}, {resultTypes: ['violations']})")
        return [
            f"{fault['id']} ({fault['impact']}): {node['target']} {node['html'][:160]}"
            for fault in found["violations"]
            if fault["impact"] in {"serious", "critical"}
            for node in fault["nodes"]
        ]

    return check
