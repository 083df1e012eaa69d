"""The printing process: `python -m handlers.documents.printing_process`. Reads a request from its input, answers on its output, and again.

Request and answer are JSON lines; a PDF follows its answer as raw bytes (`size` of them). A process of its own keeps WeasyPrint's work
and memory out of the web server, and lets the caller end a template that never ends.
"""

from __future__ import annotations

import json
import os
import resource
import select
import sys
from io import FileIO
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError

from handlers.documents import rendering

IDLE_SECONDS = 120
MEMORY_BYTES = 2 * 1024**3
MISSING_LIBRARY = "缺少排版库 Pango，请安装 libpango-1.0-0 libpangoft2-1.0-0 和中文字体 fonts-noto-cjk 后重试"


def main() -> None:
    """Serve requests until the input ends or nothing was asked for a while."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    source, target = FileIO(sys.stdin.fileno(), closefd=False), sys.stdout.buffer  # unbuffered, so that select sees what waits
    while select.select([source], [], [], IDLE_SECONDS)[0]:
        line = _read_line(source)
        if not line:
            return
        answer, body = _answer(json.loads(line))
        try:
            target.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n" + body)
            target.flush()
        except BrokenPipeError:  # whoever asked has gone
            os._exit(0)


def _read_line(source: FileIO) -> bytes:
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        chunk = source.read(65536)
        if not chunk:
            return b""
        parts.append(chunk)
    return b"".join(parts)


def _answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        printed = rendering.pdf(request["sources"], request["context"])
    except (TemplateError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
        return {"error": f"{error}" or type(error).__name__, "line": _line_of(error), "syntax": isinstance(error, TemplateSyntaxError)}, b""
    except OSError:
        return {"error": MISSING_LIBRARY, "line": None, "syntax": False}, b""
    except MemoryError:
        return {"error": "文书太大，内存不足", "line": None, "syntax": False}, b""
    return {"size": len(printed.pdf), "pages": printed.pages}, printed.pdf


def _line_of(error: BaseException) -> int | None:
    """The line of the body that raised: Jinja gives tracebacks the template's own names and lines."""
    trace, found = error.__traceback__, getattr(error, "lineno", None)
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == rendering.BODY:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


if __name__ == "__main__":
    main()
