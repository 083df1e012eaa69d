"""An operation of an API: its address, what it takes and gives, the function that does it. Routes and OpenAPI are made from these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from engine.errors import Invalid
from webapp.api.rendering import json_answer
from webapp.api.types import Problem
from webapp.context import public
from webapp.submission import read_json

View = Callable[..., Any]
M = TypeVar("M", bound=BaseModel)
SHOWN_FAULTS = 10


class RequestInvalid(Invalid):
    """请求内容不符合接口定义：{reason}

    The request does not fit the interface: {reason}
    """

    code = "invalid_argument"
    status = 400


@dataclass(frozen=True, slots=True)
class Operation:
    """One address and method. `body`, `query`: models; `files`: schema of a multipart body; `answers`: status -> type of the JSON, None for
    an empty body or a media type as text; `open`: needs no log-in; `body_optional`: no body is an empty one."""

    method: str
    rule: str
    view: View
    tag: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    files: Mapping[str, Any] | None
    answers: Mapping[int, Any]
    open: bool
    body_optional: bool


@dataclass(slots=True)
class Api:
    """The operations below one prefix. `problem`, `problem_media`: shape and content type of what refused requests are answered."""

    name: str
    prefix: str
    problem: Any = Problem
    problem_media: str = "application/problem+json"
    operations: list[Operation] = field(default_factory=list)

    def operation(
        self,
        method: str,
        rule: str,
        *,
        tag: str,
        answers: Mapping[int, Any],
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        files: Mapping[str, Any] | None = None,
        open: bool = False,
        body_optional: bool = False,
    ) -> Callable[[View], View]:
        """Decorator: the function gets the path's values, `body` and `query`; it returns the JSON value, a Response, or None for 204."""

        def register(view: View) -> View:
            self.operations.append(Operation(method, rule, view, tag, body, query, files, answers, open, body_optional))
            return view

        return register

    def blueprint(self) -> Blueprint:
        """The routes of all operations."""
        made = Blueprint(self.name, __name__, url_prefix=self.prefix)
        for operation in self.operations:
            made.add_url_rule(
                operation.rule,
                f"{operation.method} {operation.view.__name__}".replace(".", "_"),
                _served(operation),
                methods=[operation.method],
            )
        return made


def _served(operation: Operation) -> View:
    @public  # the API has its own log-in, see identity.py
    @wraps(operation.view)
    def serve(**path: Any) -> Response:
        if operation.body is not None:
            path["body"] = read_body(operation.body, optional=operation.body_optional)
        if operation.query is not None:
            path["query"] = read_query(operation.query)
        result = operation.view(**path)
        if isinstance(result, Response):
            return result
        return Response(status=204) if result is None else json_answer(result, min(operation.answers))

    serve.operation = operation  # type: ignore[attr-defined]  # read by identity.py
    return serve


def read_body(model: type[M], *, optional: bool = False) -> M:
    """The JSON body. Raises RequestInvalid (400), BodyUnreadable (400), UnsupportedMediaType (415).

    Called before a unit of work is opened: a client may send its body as slowly as it likes, and SQLite has one writer.
    """
    raw = request.get_data()
    if not raw and optional:
        raw = b"{}"
    elif not request.is_json:
        raise UnsupportedMediaType
    read_json(raw)  # depth, NaN, half characters and NUL, which pydantic lets through
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise RequestInvalid(reason=faults(error)) from None


def read_query(model: type[M]) -> M:
    """The query string; texts become numbers and truth values. Raises RequestInvalid."""
    try:
        return model.model_validate(request.args.to_dict(), strict=False)
    except ValidationError as error:
        raise RequestInvalid(reason=faults(error)) from None


def faults(error: ValidationError) -> str:
    """Where and what, for people: `filter.state: Input should be ...`."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}" for fault in found[:SHOWN_FAULTS]]
    return "; ".join(lines)
