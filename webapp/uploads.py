"""One uploaded file of a request into a project's materials; the task page and the project page share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, cast

from flask import request
from sqlalchemy.orm import Session

from engine.errors import Invalid
from handlers.materials import service as materials
from webapp.context import actor, engine
from webapp.task_screen import material_row

FORM_SLACK_BYTES = 1024 * 1024
"""What a multipart request may hold beside the file itself."""


def receive(project_of: Callable[[Session], int | str]) -> dict[str, Any]:
    """Store the request's file under the material it names -> the row that form fields and lists show.

    Too large: 413; missing, disguised or of a kind that is not accepted: Invalid; no access to the project: NotFound.
    """
    request.max_content_length = engine().settings.max_upload_mb * 1024 * 1024 + FORM_SLACK_BYTES
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid(reason="没有选择文件")
    with engine().unit_of_work() as session:
        item, stream = request.form.get("item", ""), cast(BinaryIO, file.stream)
        return material_row(materials.store_material(session, actor(), project_of(session), item, file.filename, stream))
