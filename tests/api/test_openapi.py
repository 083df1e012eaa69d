"""The OpenAPI documents: complete, and true. Schemathesis calls every operation with what fits them and what does not; nothing crashes,
and every answer has a status, a content type and a shape that the document names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from engine import open_engine
from engine.settings import Settings
from handlers.directory import tokens
from tests.api.conftest import Caller, add_people
from tests.api.test_deployments import WHOLE
from webapp import create_app
from webapp.api import waiting

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
DOCUMENTS = ("/v2/openapi.json", "/engine-rest/openapi.json")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A server where something of everything exists; requests that would wait give up at once."""
    folder: Path = tmp_path_factory.mktemp("openapi")
    engine = open_engine(Settings(database_url=f"sqlite:///{folder / 'lianban.db'}", jobs="inline", files_dir=folder / "files"))
    engine.create_schema()
    add_people(engine)
    application = create_app(engine)
    with engine.unit_of_work() as session:
        token = tokens.add_token(session, "ada", "test")
    ada = Caller(application.test_client(), f"Bearer {token}")
    ada.deploy(*WHOLE)
    ada.deploy("worker.bpmn", "waiting.bpmn")
    for process in ("approval", "worker", "waiting"):
        ada.start(process, {"amount": 1, "project": "p1"})
    application.extensions["test.token"] = token
    patch = pytest.MonkeyPatch()
    patch.setattr(waiting, "MAX_SECONDS", 0.01)
    yield application
    patch.undo()
    engine.close()


def test_every_operation_is_described_once(app: Flask) -> None:
    client = app.test_client()
    for path in DOCUMENTS:
        document = client.get(path).get_json()
        operations = [operation for methods in document["paths"].values() for operation in methods.values()]
        identifiers = [operation["operationId"] for operation in operations]
        assert len(identifiers) == len(set(identifiers))
        assert all(operation["summary"] for operation in operations)
        served = {
            (str(rule.rule).replace("<key:", "{").replace("<", "{").replace(">", "}"), method.lower())
            for rule in app.url_map.iter_rules()
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            if rule.rule.startswith(path.rpartition("/")[0] + "/") and rule.rule != path
        }
        assert served == {(address, method) for address, methods in document["paths"].items() for method in methods}


def test_schemathesis_finds_no_crash_and_no_answer_that_is_not_described(app: Flask) -> None:
    for path in DOCUMENTS:
        schema = schemathesis.openapi.from_wsgi(path, app)
        for result in schema.get_all_operations():
            _attack(result.ok(), app.extensions["test.token"])


def _attack(operation: Any, token: str) -> None:
    def call(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    few = settings(
        max_examples=200 if SOAK else 4,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=not SOAK,
    )
    few(given(case=operation.as_strategy())(call))()
