"""PDFs of ours: sent so that our own pages may frame them, and the pages that do."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from flask import g, make_response, send_file
from werkzeug.wrappers import Response

from webapp.security import CONTENT_SECURITY_POLICY

NAME_LENGTH = 120


def send_pdf(source: Path | bytes, name: str, *, download: bool = False) -> Response:
    """A PDF shown in the browser (or offered for download) under a readable name; only pages of this site may frame it."""
    content = BytesIO(source) if isinstance(source, bytes) else source
    response = send_file(content, mimetype="application/pdf", as_attachment=download, download_name=f"{name[:NAME_LENGTH]}.pdf")
    response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def page_with_frame(html: str) -> Response:
    """A page that shows something of this site in a frame."""
    response = make_response(html)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(nonce=g.nonce) + "; frame-src 'self'"
    return response


def framed(html: str, status: int = 200) -> Response:
    """A page that is shown in a frame of ours: the answer to a preview that failed."""
    response = make_response(html, status)
    policy = CONTENT_SECURITY_POLICY.format(nonce=g.nonce).replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
