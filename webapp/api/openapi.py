"""The OpenAPI 3.1 document of an API, made from its operations: the same models that check requests and type answers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from webapp.api.operation import Api, Operation
from webapp.api.types import KEY_PATTERN

REF = "#/components/schemas/{model}"
Used = tuple[Any, JsonSchemaMode]

PROBLEMS = {
    400: "请求有误 / the request is wrong",
    401: "没有登录 / no log-in",
    403: "没有权限 / not allowed",
    404: "没有找到 / not found",
    405: "不支持这种操作 / method not allowed",
    409: "当前状态不允许 / the current state does not allow it",
    413: "内容太大 / too large",
    415: "内容类型不对 / wrong content type",
    429: "请求太频繁 / too many attempts",
    503: "暂时不可用 / not available now",
}


def document(api: Api, version: str) -> dict[str, Any]:
    """The whole document, ready for JSON."""
    used = list(_models(api))
    inputs: list[Any] = [((model, mode), mode, TypeAdapter(model)) for model, mode in used]
    refs, definitions = TypeAdapter.json_schemas(inputs, ref_template=REF)
    schemas = {used_model: schema for (used_model, _mode), schema in refs.items()}
    paths: dict[str, dict[str, Any]] = {}
    for operation in api.operations:
        path = api.prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(api, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"联办 Lianban {api.prefix}",
            "version": version,
            "description": "错误说明先中文后英文。What went wrong is told in Chinese, then in English.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"basic": []}, {"bearer": []}],
    }


def _models(api: Api) -> Iterable[Used]:
    seen: dict[Used, None] = {(api.problem, "serialization"): None}
    for operation in api.operations:
        if operation.body is not None:
            seen[operation.body, "validation"] = None
        for model in operation.answers.values():
            if model is not None and not isinstance(model, str):
                seen[model, "serialization"] = None
    return seen


def _operation(api: Api, operation: Operation, schemas: dict[Used, Any]) -> dict[str, Any]:
    summary, _, description = (inspect.getdoc(operation.view) or "").partition("\n\n")
    entry: dict[str, Any] = {
        "operationId": re.sub(r"_(\w)", lambda found: found[1].upper(), operation.view.__name__),
        "tags": [operation.tag],
        "summary": summary,
        "description": description,
        "parameters": [*_path_parameters(operation.rule), *_query_parameters(operation.query)],
        "responses": _responses(api, operation, schemas),
    }
    if operation.open:
        entry["security"] = []
    if operation.body is not None:
        schema = schemas[operation.body, "validation"]
        entry["requestBody"] = {"required": not operation.body_optional, "content": {"application/json": {"schema": schema}}}
    if operation.files is not None:
        entry["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": operation.files}}}
    return entry


def _responses(api: Api, operation: Operation, schemas: dict[Used, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, model in operation.answers.items():
        responses[str(status)] = {"description": "完成 / done"}
        if isinstance(model, str):
            responses[str(status)]["content"] = {model: {}}
        elif model is not None:
            responses[str(status)]["content"] = {"application/json": {"schema": schemas[model, "serialization"]}}
    problem = {api.problem_media: {"schema": schemas[api.problem, "serialization"]}}
    for status, text in PROBLEMS.items():
        responses.setdefault(str(status), {"description": text, "content": problem})
    return responses


def _path_parameters(rule: str) -> list[dict[str, Any]]:
    found = []
    for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", rule):
        schema = {"type": "string", "pattern": KEY_PATTERN} if kind == "key" else {"type": "string", "minLength": 1}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    return found


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    schema = model.model_json_schema() if model is not None else {}
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part} for name, part in schema.get("properties", {}).items()
    ]
