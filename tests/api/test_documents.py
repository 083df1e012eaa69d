"""Documents over /v2: stored once, given out as downloads, seen by who may, gone when deleted or out of time."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine import Engine, clock
from handlers.attachments import service as attachments
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


def test_several_documents_are_stored_at_once_each_by_itself(ana: Caller, li: Caller) -> None:
    def batch(caller: Caller, names: list[str], **more: Any) -> Any:
        files = [(io.BytesIO(name.encode()), name, "text/plain") for name in names]
        return caller.call("POST", "/v2/documents/batch", data={"files": files, **more})

    titles = [json.dumps({"customProperties": {"number": number}}) for number in range(2)]
    for metadata in (titles, f"[{','.join(titles)}]"):  # so many parts, or one array: clients do both
        answer = batch(ana, ["甲.txt", "乙.txt"], metadataList=metadata)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        created = answer.get_json()["createdDocuments"]
        assert [one["metadata"]["fileName"] for one in created] == ["甲.txt", "乙.txt"]
        assert [one["metadata"]["customProperties"]["number"] for one in created] == [0, 1]
        assert ana.call("GET", f"/v2/documents/{created[1]['documentId']}").data == "乙.txt".encode()
    assert "metadataList" in batch(ana, ["甲.txt"], metadataList=titles).get_json()["detail"]
    assert batch(ana, []).status_code == 400 and batch(li, ["甲.txt"]).status_code == 403


def test_the_files_of_a_batch_that_are_too_large_are_told(ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "CHUNK", 8)  # a "megabyte" of 8 bytes, of which 50 are allowed
    files = [(io.BytesIO(b"x" * size), f"{size}.txt") for size in (10, 500)]
    answer = ana.call("POST", "/v2/documents/batch", data={"files": files})
    assert answer.status_code == 207
    assert [one["metadata"]["size"] for one in answer.get_json()["createdDocuments"]] == [10]
    (failed,) = answer.get_json()["failedDocuments"]
    assert (failed["fileName"], failed["status"]) == ("500.txt", 413) and "MB" in failed["detail"]


def test_a_link_leads_to_the_document_for_a_while(ana: Caller, li: Caller, people: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = store(ana, b"%PDF-1").get_json()
    here = f"/v2/documents/{reference['documentId']}/links?contentHash={reference['contentHash']}"
    answer = ana.call("POST", here, {"timeToLive": 60_000})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    link = answer.get_json()
    path = link["url"].removeprefix(people.settings.public_url)
    stranger = ana.client
    given = stranger.get(path)
    assert given.data == b"%PDF-1" and given.headers["Content-Disposition"].startswith("attachment")
    assert stranger.get(path[:-2] + "xx").status_code == 404
    assert li.call("POST", here, {}).status_code == 404  # who may not see it cannot hand it on
    assert ana.call("POST", here, {"timeToLive": 10**12}).status_code == 400
    with monkeypatch.context() as later:
        now = clock.wall_now()
        later.setattr(clock, "wall_now", lambda: now + timedelta(minutes=2))
        assert stranger.get(path).status_code == 404
    ana.call("DELETE", f"/v2/documents/{reference['documentId']}")
    assert stranger.get(path).status_code == 404
