"""Everything a person reads has an English text: the templates and pages are searched for messages, as `pybabel extract` does."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from webapp import languages

WEBAPP = Path(languages.__file__).parent
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


def _messages() -> dict[str, str]:
    """message -> where it is used"""
    ignored = {"node_modules", "static"}
    found = extract_from_dir(WEBAPP, method_map=METHODS, keywords=KEYWORDS, directory_filter=lambda path: Path(path).name not in ignored)
    return {message if isinstance(message, str) else message[0]: f"{file}:{line}" for file, line, message, _, _ in found}


def test_every_message_has_an_english_text() -> None:
    english = {entry.id: entry.string for entry in read_po((WEBAPP / "translations" / "en.po").open("rb"), locale="en")}
    missing = [f"{place} {message}" for message, place in _messages().items() if not english.get(message)]
    assert not missing, "add to webapp/translations/en.po:\n" + "\n".join(missing)


def test_english_texts_keep_the_named_values() -> None:
    for entry in read_po((WEBAPP / "translations" / "en.po").open("rb"), locale="en"):
        if entry.id and isinstance(entry.id, str):
            assert _names(entry.id) == _names(str(entry.string)), entry.id


def _names(text: str) -> set[str]:
    return {part.split(")")[0] for part in text.split("%(")[1:]}


@pytest.mark.parametrize(("locale", "text"), [("en", "Log in"), ("zh_Hans_CN", "登录")])
def test_catalogues_are_read_from_their_po_file(locale: str, text: str) -> None:
    assert languages.catalogue(locale).ugettext("登录") == text
