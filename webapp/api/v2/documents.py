"""Documents: files that a program keeps beside process variables; the variable holds the reference."""

from __future__ import annotations

import re
from typing import Annotated, Any, BinaryIO, Literal, cast

from flask import Response, request, send_file
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from typing_extensions import TypedDict

from handlers.attachments import service as attachments
from handlers.attachments.service import Attachment
from webapp.api.operation import RequestInvalid, faults
from webapp.api.rendering import instant, key
from webapp.api.types import Body, Json, Key, KeyText, Moment, ShortText, Timestamp
from webapp.api.v2 import v2
from webapp.context import actor, engine
from webapp.submission import read_json

STORE = "lianban"
SLACK_BYTES = 1024 * 1024
MEDIA_TYPE = re.compile(r"[\w.+-]{1,70}/[\w.+-]{1,70}", re.ASCII)
OCTETS = "application/octet-stream"
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]


class DocumentOptions(BaseModel):
    """Where, and under which id; without one it is made up."""

    model_config = ConfigDict(extra="forbid")

    store_id: Literal["lianban"] | None = Field(None, alias="storeId")
    document_id: Identifier | None = Field(None, alias="documentId")


class ContentOptions(BaseModel):
    """`contentHash`: what the reference says; another content is not given out."""

    model_config = ConfigDict(extra="forbid")

    store_id: Literal["lianban"] | None = Field(None, alias="storeId")
    content_hash: ShortText | None = Field(None, alias="contentHash")


class DeleteOptions(BaseModel):
    """Where the document lies."""

    model_config = ConfigDict(extra="forbid")

    store_id: Literal["lianban"] | None = Field(None, alias="storeId")


class MetadataBody(Body):
    """What is known of the file; the name and type of the upload count where it says nothing."""

    content_type: ShortText | None = None
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    expires_at: Moment | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    process_definition_id: ShortText | None = Field(None, max_length=200)
    process_instance_key: Key | None = None
    custom_properties: dict[str, Json] | None = None


class Metadata(TypedDict):
    """What is known of the file."""

    contentType: str
    fileName: str
    expiresAt: Timestamp | None
    size: int
    processDefinitionId: str | None
    processInstanceKey: KeyText | None
    customProperties: dict[str, Json]


DocumentReference = TypedDict(
    "DocumentReference",
    {"camunda.document.type": str, "storeId": str, "documentId": str, "contentHash": str | None, "metadata": Metadata},
)

FILE = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary"}, "metadata": {"type": "object"}},
}


@v2.operation("POST", "/documents", tag="document", query=DocumentOptions, files=FILE, answers={201: DocumentReference})
def create_document(query: DocumentOptions) -> Any:
    """保存文件 / store a file. 需要“流程部署”或“流程运维”权限。"""
    attachments.require_store(actor())
    settings = engine().settings
    request.max_content_length = settings.max_upload_mb * 1024 * 1024 + SLACK_BYTES
    part = request.files.get("file")
    if request.mimetype != "multipart/form-data" or part is None:
        raise RequestInvalid(reason="file: 缺少文件 missing")
    metadata = _metadata()
    content_type = metadata.content_type or part.mimetype or OCTETS
    content = attachments.take_in(settings.files_dir, cast(BinaryIO, part.stream), settings.max_upload_mb)
    with engine().unit_of_work() as session:
        stored = attachments.add(
            session,
            actor(),
            content,
            file_name=_bare(metadata.file_name or part.filename or "file"),
            content_type=content_type if MEDIA_TYPE.fullmatch(content_type) else OCTETS,
            identifier=query.document_id,
            process_id=metadata.process_definition_id,
            instance_key=metadata.process_instance_key,
            properties=metadata.custom_properties,
            expires_at=metadata.expires_at,
        )
    return _reference(stored)


def _metadata() -> MetadataBody:
    """The JSON of the part "metadata", which clients send as a field or as a file. Raises RequestInvalid, BodyUnreadable."""
    part = request.files.get("metadata")
    raw = part.stream.read(SLACK_BYTES) if part is not None else request.form.get("metadata", "{}").encode()
    read_json(raw)
    try:
        return MetadataBody.model_validate_json(raw)
    except ValidationError as error:
        raise RequestInvalid(reason="metadata." + faults(error)) from None


def _bare(name: str) -> str:
    """The name without folders and control characters, safe to offer for download."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in bare if character.isprintable())[-255:] or "file"


def _reference(stored: Attachment) -> Any:
    return {
        "camunda.document.type": "camunda",
        "storeId": STORE,
        "documentId": stored.id,
        "contentHash": stored.sha256,
        "metadata": {
            "contentType": stored.content_type,
            "fileName": stored.file_name,
            "expiresAt": instant(stored.expires_at),
            "size": stored.size,
            "processDefinitionId": stored.process_id,
            "processInstanceKey": key(stored.instance_key),
            "customProperties": stored.properties,
        },
    }


@v2.operation("GET", "/documents/<document_id>", tag="document", query=ContentOptions, answers={200: OCTETS})
def get_document(document_id: str, query: ContentOptions) -> Response:
    """取回文件 / give out a file, always as a download."""
    with engine().reading() as session:
        stored = attachments.get(session, actor(), document_id)
    if query.content_hash not in {None, stored.sha256}:
        raise RequestInvalid(reason="contentHash: 内容与引用不符 the content is another")
    answer = send_file(stored.path, mimetype=OCTETS, as_attachment=True, download_name=stored.file_name)
    answer.headers["X-Document-Type"] = stored.content_type
    return answer


@v2.operation("DELETE", "/documents/<document_id>", tag="document", query=DeleteOptions, answers={204: None})
def delete_document(document_id: str, query: DeleteOptions) -> None:
    """删除文件 / delete a file. 只能删除自己保存的，或需“流程运维”权限。"""
    with engine().unit_of_work() as session:
        attachments.remove(session, actor(), document_id)
