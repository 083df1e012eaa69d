"""Documents over /v2: stored once, given out as downloads, seen by who may, gone when deleted or out of time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from tests.api.conftest import Caller


def store(caller: Caller, content: bytes, name: str = "批复.pdf", query: str = "", metadata: Any = None) -> Any:
    data: dict[str, Any] = {"file": (io.BytesIO(content), name, "application/pdf")}
    if metadata is not None:
        data["metadata"] = json.dumps(metadata)
    return caller.call("POST", f"/v2/documents{query}", data=data)


def test_a_document_is_stored_and_given_back(ana: Caller, caller: Callable[[str], Caller]) -> None:
    answer = store(ana, b"%PDF-1", metadata={"customProperties": {"item": "A01"}, "processInstanceKey": "7"})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    reference = answer.get_json()
    assert reference["camunda.document.type"] == "camunda"
    assert reference["metadata"] == {
        "contentType": "application/pdf",
        "fileName": "批复.pdf",
        "expiresAt": None,
        "size": 6,
        "processDefinitionId": None,
        "processInstanceKey": "7",
        "customProperties": {"item": "A01"},
    }
    here = f"/v2/documents/{reference['documentId']}"
    given = ana.call("GET", f"{here}?contentHash={reference['contentHash']}")
    assert given.data == b"%PDF-1" and given.headers["Content-Disposition"].startswith("attachment")
    assert given.mimetype == "application/octet-stream"
    assert ana.call("GET", f"{here}?contentHash=other").status_code == 400
    assert caller("li").call("GET", here).status_code == 404
    assert caller("muge").call("DELETE", here).status_code == 404
    assert caller("li").call("POST", "/v2/documents", data={"file": (io.BytesIO(b"x"), "x")}).status_code == 403
    assert ana.call("DELETE", here).status_code == 204
    assert ana.call("GET", here).status_code == 404


def test_two_of_the_same_content_live_apart(ana: Caller, ada: Caller) -> None:
    first = store(ana, b"same").get_json()["documentId"]
    second = store(ada, b"same", query="?documentId=letter-1").get_json()["documentId"]
    assert store(ada, b"x", query="?documentId=letter-1").status_code == 409
    assert ana.call("DELETE", f"/v2/documents/{second}").status_code == 403
    assert ada.call("DELETE", f"/v2/documents/{first}").status_code == 204
    assert ada.call("GET", f"/v2/documents/{second}").data == b"same"


def test_what_cannot_be_stored_is_told(ana: Caller) -> None:
    assert ana.call("POST", "/v2/documents", {}).status_code == 400
    assert store(ana, b"x", query="?documentId=../../etc").status_code == 400
    assert store(ana, b"x", query="?storeId=gcp").status_code == 400
    assert store(ana, b"x", metadata={"unknown": 1}).status_code == 400
    gone = store(ana, b"x", metadata={"expiresAt": "2001-01-01T00:00:00Z"}).get_json()["documentId"]
    assert ana.call("GET", f"/v2/documents/{gone}").status_code == 404
    odd = store(ana, b"x", name="a/b/../c.txt", metadata={"contentType": "text/html\r\nX: y"}).get_json()
    assert (odd["metadata"]["fileName"], odd["metadata"]["contentType"]) == ("c.txt", "application/octet-stream")
