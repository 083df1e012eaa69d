"""Text of a document: a Jinja template over fixed facts, sandboxed, and its picture as PDF. Used by the printing process only.

Templates are staff's text, so they are data (rule 6 of the house): the sandbox keeps them from Python, every value is escaped, nothing is
fetched from disk or network (images only as `data:`). Parsing, too, happens in the printing process only: Jinja computes constants while it
compiles, and the process has limits of memory and time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import segno
from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

CHINA = timezone(timedelta(hours=8))
BODY = "body"
"""The name under which the template of the document's own kind is loaded; the others are the shipped layouts."""
MACROS = "macros"
"""The shipped template whose macros every body can call: seal, sign, table, numbered, prose, parties."""
MISSING = "＿＿＿＿"


class RequiredFactMissing(ValueError):
    """A template asked for a fact that the law demands and the document does not have."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A finished PDF and how many pages it has."""

    pdf: bytes
    pages: int


def environment(sources: Mapping[str, str], context: Mapping[str, Any]) -> ImmutableSandboxedEnvironment:
    """The sandbox with the layouts and the body; its functions read facts of `context`, never anything else."""
    loader = FunctionLoader(
        lambda name: (sources[name], name, None) if name in sources else None
    )  # with the name as file: for line numbers
    made = ImmutableSandboxedEnvironment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    facts: Mapping[str, Any] = context["facts"]
    made.filters.update(day=day, moment=moment, lines=lines, paragraphs=paragraphs, clause=clause)
    made.globals.update(
        fact=lambda label, otherwise=MISSING: given if (given := facts.get(label)) not in (None, "", []) else otherwise,
        has=lambda *labels: any(facts.get(label) not in (None, "", []) for label in labels),
        required=lambda label: _required(facts, label),
        others=lambda *labels: {label: value for label, value in facts.items() if label not in labels and value not in (None, "", [])},
        qr=qr,
        MISSING=MISSING,
    )
    return made


def html(sources: Mapping[str, str], context: Mapping[str, Any]) -> str:
    """The document as HTML. Raises jinja2's TemplateError, RequiredFactMissing."""
    made = environment(sources, context)
    macros = made.get_template(MACROS).make_module(dict(context))
    made.globals.update({name: macro for name, macro in vars(macros).items() if not name.startswith("_")})
    return made.get_template(BODY).render(**context)


def pdf(sources: Mapping[str, str], context: Mapping[str, Any]) -> Printed:
    """The document as PDF with its fonts inside. Raises as `html`, and ValueError for anything that would have to be fetched."""
    from weasyprint import HTML  # here, because it needs Pango, and so that a wrong text is refused before half a second is spent
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    text = html(sources, context)
    try:
        document = HTML(string=text, url_fetcher=URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)).render()
        return Printed(document.write_pdf(), len(document.pages))  # attachments are fetched only now
    except FatalURLFetchingError as error:
        raise ValueError(f"文书模板不能引用外部内容：{error}") from error


def _required(facts: Mapping[str, Any], label: str) -> Any:
    value = facts.get(label)
    if value in (None, "", []):
        raise RequiredFactMissing(f"文书缺少必须载明的“{label}”")
    return value


# ---------------------------------------------------------------------- how values are written
def day(value: Any) -> str:
    """ "2022年8月1日" (GB/T 9704: Arabic digits, no leading zero) of an ISO date or instant; other text stays as it is."""
    found = _instant(value)
    return f"{found.year}年{found.month}月{found.day}日" if found is not None else "" if value is None else str(value)


def moment(value: Any) -> str:
    """ "2022年8月1日10时30分" of an ISO instant; a date alone as `day`."""
    found = _instant(value)
    if found is None or len(str(value)) <= 10:
        return day(value)
    return f"{day(value)}{found.hour}时{found.minute:02d}分"


def lines(value: Any) -> list[str]:
    """A fact as lines for people: lists line by line, instants as dates, yes and no in Chinese."""
    if isinstance(value, list | tuple):
        return [line for item in value for line in lines(item)]
    if isinstance(value, Mapping):
        return ["，".join(f"{key}：{'、'.join(lines(item))}" for key, item in value.items() if item not in (None, "", []))]
    if isinstance(value, bool):
        return ["是" if value else "否"]
    return [day(value)] if _instant(value) is not None else [str(value)]


def paragraphs(value: Any) -> list[str]:
    """A long text as paragraphs, one for each line that is not empty."""
    return [line.strip() for text in lines(value) for line in text.splitlines() if line.strip()]


def clause(value: Any) -> str:
    """A text that goes on in the middle of a sentence: without the stop at its end."""
    return str(value).strip().rstrip("。；;.")


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str) or not (10 <= len(value) <= 40) or value[4:5] != "-":
        return None
    try:
        found = datetime.fromisoformat(value.split("[")[0])
    except ValueError:
        return None
    return found.astimezone(CHINA) if found.tzinfo is not None else found


def qr(text: str) -> Markup:
    """A QR code as an inline image."""
    address = segno.make(text, error="m", micro=False).svg_data_uri(border=1, scale=4)
    return Markup('<img class="qr" alt="" src="{}">').format(address)
