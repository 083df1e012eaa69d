"""The two languages of the shell: Chinese is written in the sources, English comes from the catalogue in translations/.

The catalogue is read from its .po file when it is first needed, so there is nothing to compile and nothing that can be out of date.
"""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, redirect, request
from flask_babel import Babel, Domain, get_locale
from werkzeug.wrappers import Response

from webapp.context import public

COOKIE = "lianban_language"
LANGUAGES = {"zh": "zh_CN", "en": "en"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
CATALOGUES = Path(__file__).parent / "translations"


class PoDomain(Domain):  # type: ignore[misc]  # flask_babel has no types
    """Flask-Babel's messages, straight from translations/<locale>.po; Chinese needs none."""

    def get_translations(self) -> NullTranslations:
        return catalogue(str(get_locale()))


class PoBabel(Babel):  # type: ignore[misc]  # flask_babel has no types
    """Flask-Babel over PoDomain."""

    @property
    def domain_instance(self) -> PoDomain:
        return PoDomain()


@cache
def catalogue(locale: str) -> NullTranslations:
    """The messages of one locale, read once."""
    path = CATALOGUES / f"{locale}.po"
    if not path.exists():
        return Translations()
    compiled = io.BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=locale))
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """ "zh" or "en": the visitor's choice, Chinese without one."""
    chosen = request.cookies.get(COOKIE, "zh") if request else "zh"
    return chosen if chosen in LANGUAGES else "zh"


def install(app: Flask) -> None:
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Shanghai"
    PoBabel(app, default_locale="zh_CN", locale_selector=lambda: LANGUAGES[language()])
    app.add_url_rule("/language/<code>", "language.choose", _choose, methods=["POST"])

    @app.before_request
    def remember() -> None:
        g.language = language()


@public
def _choose(code: str) -> Response:
    """Keep the choice in a cookie and go back to the page it was made on."""
    answer = redirect(local_path(request.form.get("next", "/")))
    answer.set_cookie(
        COOKIE, code if code in LANGUAGES else "zh", max_age=365 * 86400, samesite="Lax", httponly=True, secure=request.is_secure
    )
    return answer


def local_path(target: str) -> str:
    """`target` when it is a path of this site, else "/": a link from outside must not make us redirect elsewhere.

    Browsers drop tabs and line breaks before they read an address: "/<tab>/evil.example" is "//evil.example" to them.
    """
    is_local = target.startswith("/") and not target.startswith(("//", "/\\")) and _CONTROL.search(target) is None
    return target if is_local else "/"
