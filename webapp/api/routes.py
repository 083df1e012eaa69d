"""Puts the APIs into the application: routes, log-in, errors as problem details, and the OpenAPI document."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from flask import Blueprint, Flask
from werkzeug.routing import BaseConverter, ValidationError

from webapp.api import openapi, v2, waiting
from webapp.api.identity import identify
from webapp.api.rendering import json_answer
from webapp.api.types import MAX_KEY
from webapp.context import public


class KeyConverter(BaseConverter):
    """`<key:...>` in addresses: a 64-bit number in digits; anything else is an unknown address."""

    regex = "[0-9]{1,25}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > MAX_KEY:
            raise ValidationError
        return number


def install(app: Flask) -> None:
    """Every operation of every module of the packages, and /v2/openapi.json."""
    app.url_map.converters["key"] = KeyConverter
    for package in (v2,):
        for module in iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    waiting.install(app)
    blueprint = v2.v2.blueprint()
    blueprint.before_request(identify)
    _serve_document(blueprint)
    app.register_blueprint(blueprint)


def _serve_document(blueprint: Blueprint) -> None:
    @public
    def openapi_document() -> Any:
        """The OpenAPI document, for generators and for people."""
        return json_answer(_document())

    blueprint.add_url_rule("/openapi.json", view_func=openapi_document)


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return openapi.document(v2.v2, v2.GATEWAY_VERSION)
