"""Prints documents in a process of its own, one after another; a template that takes too long is ended and the process begun anew."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from engine.errors import Invalid, LianbanError
from engine.settings import ROOT

BODY = "body"
"""The name of the template that is printed; the other sources are what it stands on."""
TIMEOUT_SECONDS = 30.0
DRAFT_SECONDS, DRAFT_PATIENCE = 20.0, 20.0
"""How long a text that is being edited may take to print, and how long its author waits for those of others."""
MAX_PDF_BYTES = 50 * 1024 * 1024


class DocumentNotPrinted(Invalid):
    """文书没有生成：{reason}

    The document was not printed: {reason}
    """

    code = "document_not_printed"


class TemplateInvalid(DocumentNotPrinted):
    """模板第 {line} 行有语法错误：{reason}

    Syntax error in line {line} of the template: {reason}
    """

    code = "template_invalid"


class PrinterFailed(LianbanError):
    """打印进程中断，请重试：{reason}

    The printing process broke off, please try again: {reason}
    """

    code = "printer_failed"
    status = 503


@dataclass(frozen=True, slots=True)
class Print:
    """A finished PDF and how many pages it has."""

    pdf: bytes
    pages: int


class Printer:
    """One printing process, started when first needed. Thread-safe: callers wait for each other."""

    def __init__(self, timeout: float = TIMEOUT_SECONDS, patience: float = -1) -> None:
        """`patience`: seconds to wait for other callers, -1 as long as it takes."""
        self._timeout, self._patience, self._lock = timeout, patience, threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def print(self, sources: Mapping[str, str], context: Mapping[str, Any]) -> Print:
        """Print the template `sources["body"]` over `context`.

        Raises TemplateInvalid for a syntax error, DocumentNotPrinted when the template fails otherwise (with its line where it is known) or
        takes too long, PrinterFailed when the process broke off for another reason or others keep it busy.
        """
        request = json.dumps({"sources": dict(sources), "context": dict(context)}, ensure_ascii=False).encode() + b"\n"
        if not self._lock.acquire(timeout=self._patience):
            raise PrinterFailed(reason="正在打印其他文书")
        try:
            return self._ask(request)
        except (OSError, ValueError) as error:
            self._end()
            raise PrinterFailed(reason=str(error)) from error
        except DocumentNotPrinted:
            raise
        except LianbanError:
            self._end()
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the process; the next print starts another."""
        with self._lock:
            self._end()

    def _ask(self, request: bytes) -> Print:
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.flush()
        limit = monotonic() + self._timeout
        head, rest = self._head(process, limit)
        answer: dict[str, Any] = json.loads(head)
        if "error" in answer:
            raise _refusal(answer)
        size = int(answer["size"])
        if size > MAX_PDF_BYTES:
            raise PrinterFailed(reason="文书太大")
        while len(rest) < size:
            rest += self._read(process, limit)
        return Print(rest, int(answer["pages"]))

    def _head(self, process: subprocess.Popen[bytes], limit: float) -> tuple[bytes, bytes]:
        read = b""
        while b"\n" not in read:
            read += self._read(process, limit)
        head, _, rest = read.partition(b"\n")
        return head, rest

    def _read(self, process: subprocess.Popen[bytes], limit: float) -> bytes:
        assert process.stdout is not None
        left = limit - monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            self._end()
            raise DocumentNotPrinted(reason=f"{self._timeout:g} 秒内没有完成，请检查模板中的循环")
        chunk: bytes = process.stdout.read1(1 << 20)  # type: ignore[attr-defined]  # a BufferedReader
        if not chunk:
            raise PrinterFailed(reason="打印进程意外结束")
        return chunk

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", "handlers.documents.printing_process"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _refusal(answer: Mapping[str, Any]) -> DocumentNotPrinted:
    if answer["syntax"]:
        return TemplateInvalid(line=answer["line"], reason=answer["error"])
    where = f"模板第 {answer['line']} 行，" if answer["line"] else ""
    return DocumentNotPrinted(reason=f"{where}{answer['error']}")


printer = Printer()
"""The printer of issued documents in this process."""
drafts = Printer(DRAFT_SECONDS, DRAFT_PATIENCE)
"""Prints what is being edited: a draft that never ends must not keep issued documents waiting."""
