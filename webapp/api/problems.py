"""What a refused request of a program is answered: RFC 9457 problem details, or Camunda 7's {type, message, code} under /engine-rest.

`detail` is Chinese, then English: Camunda Modeler shows it to the analyst as it is. The title is the reason phrase in the case that the
Modeler looks for ("Not Found").
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, request

from engine.errors import DeploymentRefused, FormInvalid, LianbanError
from engine.findings import Finding
from webapp.api.rendering import json_answer

PROBLEM_JSON = "application/problem+json"
CAMUNDA_7 = "/engine-rest"
SHOWN_FINDINGS = 100
"""A file may have thousands of findings; an analyst mends these first."""

CAMUNDA_7_TYPES = {400: "InvalidRequestException", 401: "AuthenticationException", 403: "AuthorizationException", 404: "NotFoundException"}


def is_api(path: str) -> bool:
    """Whether the path belongs to programs."""
    return path.startswith(("/v2/", CAMUNDA_7 + "/", "/.well-known/camunda")) or path in {"/v2", CAMUNDA_7}


def refused(error: LianbanError) -> Response:
    """The answer to a refused command. Clients of Camunda know 400 for what is wrong with the request, not 422."""
    status = 400 if error.status == 422 else error.status
    extra: dict[str, Any] = {}
    detail = [error.message("zh"), error.message("en")]
    if isinstance(error, FormInvalid):
        extra["errors"] = error.errors
        detail += [f"{path}：{'；'.join(texts)}" for path, texts in error.errors.items()]
    if isinstance(error, DeploymentRefused):
        findings = [finding for finding in error.findings if finding.severity == "error"]
        extra["findings"] = [_finding(finding) for finding in findings[:SHOWN_FINDINGS]]
        detail += [f"- {finding} / {finding.message_en}" for finding in findings[:SHOWN_FINDINGS]]
    return problem(status, error.code, "\n".join(detail), **extra)


def failed(status: int, zh: str, en: str, code: str = "") -> Response:
    """The answer to a request that never reached a command: unknown address, wrong method, too large, a crash."""
    return problem(status, code or HTTPStatus(status).name.lower(), f"{zh} / {en}")


def problem(status: int, code: str, detail: str, **extra: Any) -> Response:
    """A problem body in the words of the API that was called."""
    phrase = HTTPStatus(status).phrase
    if request.path.startswith(CAMUNDA_7):
        answer = json_answer({"type": CAMUNDA_7_TYPES.get(status, "RestException"), "message": detail, "code": 0} | extra, status)
    else:
        body = {"type": "about:blank", "title": phrase, "status": status, "detail": detail, "instance": request.path, "code": code}
        answer = json_answer(body | extra, status)
        answer.mimetype = PROBLEM_JSON
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Lianban", charset="UTF-8"'
    return answer


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "resourceName": finding.resource,
        "elementId": finding.element_id,
        "elementName": finding.element_name,
        "line": finding.line,
        "message": finding.message,
        "messageEn": finding.message_en,
    }
