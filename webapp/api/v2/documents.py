"""Documents: files that a program keeps beside process variables; the variable holds the reference."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, BinaryIO, Literal, cast

import orjson
from flask import Response, current_app, request, send_file
from itsdangerous import BadData, URLSafeSerializer
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from typing_extensions import TypedDict
from werkzeug.datastructures import FileStorage

from engine import clock
from engine.errors import LianbanError, NotFound
from handlers.attachments import service as attachments
from handlers.attachments.service import Attachment
from webapp.api.operation import RequestInvalid, faults
from webapp.api.rendering import instant, json_answer, key, sure_instant
from webapp.api.types import Body, Json, Key, KeyText, Moment, ShortText, Timestamp
from webapp.api.v2 import v2
from webapp.context import actor, engine
from webapp.submission import read_json

STORE = "lianban"
SLACK_BYTES = 1024 * 1024
MAX_BATCH = 50
BATCH_UPLOADS = 4
"""A batch holds so many files, and as many bytes as so many of the largest."""
MEDIA_TYPE = re.compile(r"[\w.+-]{1,70}/[\w.+-]{1,70}", re.ASCII)
LINK_MS = 3_600_000
MAX_LINK_MS = 7 * 24 * 3_600_000
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


class LinkInvalid(NotFound):
    """链接无效或已过期。

    The link is not valid, or its time is over (Not Found).
    """


class StoreOptions(BaseModel):
    """Where documents lie."""

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


FILES = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "metadataList": {"type": "array", "items": {"type": "object"}},
    },
}


class Failure(TypedDict):
    """A file of a batch that was not stored, and why."""

    fileName: str
    status: int
    title: str
    detail: str


class Batch(TypedDict):
    """What became of the files of a batch."""

    failedDocuments: list[Failure]
    createdDocuments: list[DocumentReference]


@v2.operation("POST", "/documents", tag="document", query=DocumentOptions, files=FILE, answers={201: DocumentReference})
def create_document(query: DocumentOptions) -> Any:
    """保存文件 / store a file. 需要“流程部署”或“流程运维”权限。"""
    _require_store(1)
    part = request.files.get("file")
    if request.mimetype != "multipart/form-data" or part is None:
        raise RequestInvalid(reason="file: 缺少文件 missing")
    return _store(part, _metadata(), query.document_id)


@v2.operation("POST", "/documents/batch", tag="document", query=StoreOptions, files=FILES, answers={201: Batch, 207: Batch})
def create_documents(query: StoreOptions) -> Any:
    """保存多个文件 / store several files, each by itself; 207 when some could not be stored. 需要“流程部署”或“流程运维”权限。"""
    _require_store(BATCH_UPLOADS)
    parts = request.files.getlist("files")
    if request.mimetype != "multipart/form-data" or not parts:
        raise RequestInvalid(reason="files: 缺少文件 missing")
    if len(parts) > MAX_BATCH:
        raise RequestInvalid(reason=f"files: 一次不超过 {MAX_BATCH} 个文件 at most {MAX_BATCH} files")
    created, failed = [], []
    for part, metadata in zip(parts, _metadata_list(len(parts)), strict=True):
        try:
            created.append(_store(part, metadata, None))
        except LianbanError as error:
            failed.append(_failure(part, error))
    return json_answer({"failedDocuments": failed, "createdDocuments": created}, 207 if failed else 201)


def _require_store(uploads: int) -> None:
    """May the caller store files, and how much may the request hold: so many of the largest. Raises Forbidden."""
    attachments.require_store(actor())
    request.max_content_length = uploads * engine().settings.max_upload_mb * 1024 * 1024 + SLACK_BYTES


def _store(part: FileStorage, metadata: MetadataBody, identifier: str | None) -> Any:
    """Keep one uploaded file -> its reference. Raises AttachmentTooLarge, Conflict."""
    settings = engine().settings
    content_type = metadata.content_type or part.mimetype or OCTETS
    content = attachments.take_in(settings.files_dir, cast(BinaryIO, part.stream), settings.max_upload_mb)
    with engine().unit_of_work() as session:
        stored = attachments.add(
            session,
            actor(),
            content,
            file_name=_bare(metadata.file_name or part.filename or "file"),
            content_type=content_type if MEDIA_TYPE.fullmatch(content_type) else OCTETS,
            identifier=identifier,
            process_id=metadata.process_definition_id,
            instance_key=metadata.process_instance_key,
            properties=metadata.custom_properties,
            expires_at=metadata.expires_at,
        )
    return _reference(stored)


def _failure(part: FileStorage, error: LianbanError) -> Failure:
    return {
        "fileName": _bare(part.filename or "file"),
        "status": error.status,
        "title": HTTPStatus(error.status).phrase,
        "detail": f"{error.message('zh')}\n{error.message('en')}",
    }


def _metadata() -> MetadataBody:
    """The JSON of the part "metadata", which clients send as a field or as a file. Raises RequestInvalid, BodyUnreadable."""
    part = request.files.get("metadata")
    raw = part.stream.read(SLACK_BYTES) if part is not None else request.form.get("metadata", "{}").encode()
    return _read_metadata(raw, "metadata")


def _metadata_list(count: int) -> list[MetadataBody]:
    """One for each file, in their order: so many parts, one JSON array, or none at all. Raises RequestInvalid, BodyUnreadable."""
    raws = [part.stream.read(SLACK_BYTES) for part in request.files.getlist("metadataList")]
    raws += [text.encode() for text in request.form.getlist("metadataList")]
    if len(raws) == 1 and raws[0].lstrip().startswith(b"["):
        read_json(raws[0])
        raws = [orjson.dumps(one) for one in orjson.loads(raws[0])]
    if raws and len(raws) != count:
        raise RequestInvalid(reason=f"metadataList: {len(raws)} 条信息对应 {count} 个文件 as many as there are files")
    return [_read_metadata(raw, f"metadataList.{number}") for number, raw in enumerate(raws)] or [MetadataBody.model_validate({})] * count


def _read_metadata(raw: bytes, where: str) -> MetadataBody:
    read_json(raw)
    try:
        return MetadataBody.model_validate_json(raw)
    except ValidationError as error:
        raise RequestInvalid(reason=f"{where}." + faults(error)) from None


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


def _given(stored: Attachment) -> Response:
    answer = send_file(stored.path, mimetype=OCTETS, as_attachment=True, download_name=stored.file_name)
    answer.headers["X-Document-Type"] = stored.content_type
    return answer


@v2.operation("GET", "/documents/<document_id>", tag="document", query=ContentOptions, answers={200: OCTETS})
def get_document(document_id: str, query: ContentOptions) -> Response:
    """取回文件 / give out a file, always as a download."""
    with engine().reading() as session:
        stored = attachments.get(session, actor(), document_id)
    if query.content_hash not in {None, stored.sha256}:
        raise RequestInvalid(reason="contentHash: 内容与引用不符 the content is another")
    return _given(stored)


@v2.operation("DELETE", "/documents/<document_id>", tag="document", query=StoreOptions, answers={204: None})
def delete_document(document_id: str, query: StoreOptions) -> None:
    """删除文件 / delete a file. 只能删除自己保存的，或需“流程运维”权限。"""
    with engine().unit_of_work() as session:
        attachments.remove(session, actor(), document_id)


class LinkOptions(Body):
    """For how many milliseconds the link leads to the file; an hour when it is not told."""

    time_to_live: Annotated[int, Field(ge=1, le=MAX_LINK_MS)] | None = None


class Link(TypedDict):
    """Whoever has the address gets the file until it expires, without a log-in."""

    url: str
    expiresAt: Timestamp


@v2.operation(
    "POST",
    "/documents/<document_id>/links",
    tag="document",
    body=LinkOptions,
    body_optional=True,
    query=ContentOptions,
    answers={201: Link},
)
def create_document_link(document_id: str, body: LinkOptions, query: ContentOptions) -> Any:
    """生成文件的限时链接 / an address that leads to the file for a while without a log-in."""
    with engine().reading() as session:
        stored = attachments.get(session, actor(), document_id)
    if query.content_hash not in {None, stored.sha256}:
        raise RequestInvalid(reason="contentHash: 内容与引用不符 the content is another")
    expires = clock.wall_now() + timedelta(milliseconds=body.time_to_live or LINK_MS)
    ticket = _signer().dumps([stored.id, stored.sha256, expires.isoformat()])
    return {"url": f"{engine().settings.public_url.rstrip('/')}/v2/document-links/{ticket}", "expiresAt": sure_instant(expires)}


@v2.operation("GET", "/document-links/<ticket>", tag="document", answers={200: OCTETS}, open=True)
def get_linked_document(ticket: str) -> Response:
    """凭限时链接取回文件 / give out the file that a link leads to; 404 when the link is not ours or its time is over."""
    try:
        identifier, sha256, expires = _signer().loads(ticket)
    except BadData:
        raise LinkInvalid from None
    with engine().reading() as session:
        stored = attachments.linked(session, identifier)
    if stored.sha256 != sha256 or datetime.fromisoformat(expires) <= clock.wall_now():
        raise LinkInvalid
    return _given(stored)


def _signer() -> URLSafeSerializer:
    """Signs with the secret of the site, so that all its processes know the links and nobody else can make one."""
    return URLSafeSerializer(cast(str, current_app.secret_key), salt="document-link")
