"""The web shell's composition root: `create_app()` opens the engine, wires security, sessions, languages and every page.

A page is a module of `webapp.pages` with a `blueprint`; it is found by itself, there is no list to edit.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from engine import Engine
from engine.settings import Settings
from webapp import languages, live, navigation, pages, rendering, security, sessions
from webapp.api import routes as api
from webapp.composition import open_lianban

MAX_KEY = 2**63 - 1


class KeyConverter(IntegerConverter):
    """`<int:...>` in addresses: what no database key can be is an unknown address, not a crash in the driver."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=MAX_KEY)


MAX_ROW_ID = 2**31 - 1


class RowConverter(IntegerConverter):
    """`<row:...>` in addresses: the number of a project, document, material or message, which PostgreSQL keeps in 32 bits."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=MAX_ROW_ID)


SMALL_BODY_BYTES = 2 * 1024 * 1024
"""What a request may send unless its view raises `request.max_content_length` (uploads do)."""


def create_app(engine: Engine | Settings | None = None) -> Flask:
    """The WSGI application over an opened engine, or over one that is opened here from `Settings` (default: from the environment)."""
    if not isinstance(engine, Engine):
        engine = open_lianban(engine)
    app = Flask("webapp")
    app.config.update(
        MAX_CONTENT_LENGTH=SMALL_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=SMALL_BODY_BYTES,
        MAX_FORM_PARTS=500,
        SEND_FILE_MAX_AGE_DEFAULT=0,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # DefaultJSONProvider has it, its base class does not declare it
    app.url_map.converters["int"] = KeyConverter
    app.url_map.converters["row"] = RowConverter
    app.extensions["lianban"] = engine
    proxies = engine.settings.trusted_proxies
    if proxies > 0:  # the Host is the one that the proxy keeps: X-Forwarded-Host is often passed on as a visitor made it up
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]
    for part in (languages, security, sessions, rendering, navigation, live):
        part.install(app)
    for module in iter_modules(pages.__path__, f"{pages.__name__}."):
        blueprint = getattr(import_module(module.name), "blueprint", None)
        if blueprint is not None:
            app.register_blueprint(blueprint)
    api.install(app)
    return app
