"""Puts the APIs into the application: routes, log-in, errors as problem details, and the OpenAPI document."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from flask import Blueprint, Flask
from werkzeug.routing import BaseConverter, ValidationError

from webapp.api import engine_rest, links, openapi, v2, waiting
from webapp.api.identity import identify
from webapp.api.operation import Api
from webapp.api.rendering import json_answer
from webapp.api.types import MAX_KEY
from webapp.context import public

for _package in (v2, engine_rest):  # with the program, so that every table is known before a schema is made
    for _module in iter_modules(_package.__path__, f"{_package.__name__}."):
        import_module(_module.name)


class KeyConverter(BaseConverter):
    """`<key:...>` in addresses: a 64-bit number in digits; anything else is an unknown address."""

    regex = "[0-9]{1,25}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > MAX_KEY:
            raise ValidationError
        return number


def install(app: Flask) -> None:
    """Every operation of every module of the packages, the OpenAPI documents, and the addresses that Camunda Modeler opens."""
    app.url_map.converters["key"] = KeyConverter
    waiting.install(app)
    for api, version in ((v2.v2, v2.GATEWAY_VERSION), (engine_rest.engine_rest, engine_rest.VERSION)):
        blueprint = api.blueprint()
        blueprint.before_request(identify)
        _serve_document(blueprint, api, version)
        app.register_blueprint(blueprint)
    app.register_blueprint(links.blueprint)


def _serve_document(blueprint: Blueprint, api: Api, version: str) -> None:
    document = lru_cache(maxsize=1)(lambda: openapi.document(api, version))

    @public
    def openapi_document() -> Any:
        """The OpenAPI document, for generators and for people."""
        return json_answer(document())

    blueprint.add_url_rule("/openapi.json", view_func=openapi_document)
