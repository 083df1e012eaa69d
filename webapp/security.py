"""What protects every page: the check against cross-site requests, response headers, and clear error pages instead of stack traces.

Cross-site requests are refused by what the browser itself says of them (Sec-Fetch-Site, else Origin); the session cookie is
SameSite=Lax on top. No token is needed in forms. Programs that send neither header are no browsers and carry no cookie by accident.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from engine.errors import Conflict, DeploymentRefused, Forbidden, FormInvalid, Invalid, LianbanError
from handlers.directory import service as directory
from webapp.api import problems
from webapp.context import engine, is_fragment, wants_json

log = structlog.get_logger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROBLEM_JSON = "application/problem+json"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)

HTTP_TEXTS = {
    400: lazy_gettext("请求的格式不正确"),
    401: lazy_gettext("请先登录"),
    403: lazy_gettext("无权查看或办理"),
    404: lazy_gettext("没有找到这个页面"),
    405: lazy_gettext("这个地址不支持这种操作"),
    409: lazy_gettext("状态已经改变"),
    413: lazy_gettext("文件或内容太大"),
    415: lazy_gettext("文件类型不符合要求"),
    422: lazy_gettext("提交的内容有误"),
    429: lazy_gettext("尝试次数太多"),
    500: lazy_gettext("系统出了故障"),
    503: lazy_gettext("系统暂时不可用"),
}
HTTP_ADVICE = {
    403: lazy_gettext("这项内容属于其他部门或其他申请人。需要查阅的，请与牵头部门联系。"),
    404: lazy_gettext("地址可能有误，或者内容已经不在这里。可以用上方的搜索按名称、代码或办件号查找。"),
    409: lazy_gettext("可能有人刚刚办理过。返回后页面会显示最新状态，您填写的内容已存为草稿。"),
    413: lazy_gettext("请压缩或拆分后重新上传，其他已填写的内容不受影响。"),
    422: lazy_gettext("请返回修改后重新提交，已填写的内容仍然保留。"),
    503: lazy_gettext("数据库暂时没有应答，没有改变任何数据，填写的内容还在页面上。请过一会儿再提交；一直如此请联系系统管理员。"),
    500: lazy_gettext("故障已经记录，没有改变任何数据。请稍后重试；仍然出错请联系系统管理员。"),
}


class CrossSite(Forbidden):
    """请求来自其他网站，已拒绝。

    The request came from another site and was refused.
    """

    code = "cross_site"


class HostRefused(Invalid):
    """请用 http://localhost 或本机的 IP 地址访问演示系统，“{host}”已拒绝。

    Open the demo as http://localhost or by the machine's IP address; "{host}" was refused.
    """

    code = "host_refused"
    status = 421


class ValueRefused(Invalid):
    """内容中有过大的数字、过长的文字或无法保存的字符。

    The request holds a number or a text that is too large, or a character that cannot be stored.
    """

    code = "value_refused"
    status = 400


class Unavailable(LianbanError):
    """系统暂时不可用，没有改变任何数据，请稍后再试。

    The system is not available at the moment; nothing was changed. Please try again in a while.
    """

    code = "unavailable"
    status = 503


class TextRefused(Invalid):
    """内容含有无法保存的字符（NUL）。

    The request holds a character that cannot be stored (NUL).
    """

    code = "text_refused"
    status = 400


def install(app: Flask) -> None:
    app.before_request(prepare_nonce)
    app.before_request(refuse_foreign_host)
    app.before_request(refuse_cross_site)
    app.before_request(refuse_unstorable_text)
    app.after_request(add_headers)
    app.register_error_handler(LianbanError, answer_refusal)
    app.register_error_handler(DataError, answer_data_error)
    app.register_error_handler(IntegrityError, answer_integrity_error)
    app.register_error_handler(OperationalError, answer_database_fault)
    app.register_error_handler(PoolTimeoutError, answer_database_fault)
    app.register_error_handler(HTTPException, answer_http_error)
    app.context_processor(lambda: {"nonce": g.get("nonce", "")})


def prepare_nonce() -> None:
    """A fresh number that only our own inline script and style elements carry."""
    g.nonce = secrets.token_urlsafe(16)


def refuse_cross_site() -> None:
    """Raise CrossSite for a changing request that a browser sends on behalf of another site."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise CrossSite
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise CrossSite


def refuse_foreign_host() -> None:
    """Raise HostRefused in the demo for a host that is neither localhost nor an IP address.

    The demo lets anybody on this machine become anybody. A foreign page whose name is made to resolve to 127.0.0.1 (DNS rebinding) would be
    "same-origin" to the browser, but cannot hide its name.
    """
    opened = current_app.extensions.get("lianban")
    if opened is None or not opened.settings.demo:
        return
    name = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdecimal() else request.host
    if name in {"localhost", opened.settings.host} or name.endswith(".localhost") or _is_address(name):
        return
    raise HostRefused(host=request.host[:100])


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def refuse_unstorable_text() -> None:
    """Raise TextRefused for NUL in the path, the query or an ordinary form: PostgreSQL cannot take it, and no person types it."""
    pairs = list(request.args.items(multi=True))
    if request.mimetype == "application/x-www-form-urlencoded":
        pairs += request.form.items(multi=True)
    if "\0" in request.path or any("\0" in text for pair in pairs for text in pair):
        raise TextRefused


def add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(nonce=g.get("nonce", "")))
    given = {name.lower() for name, _value in headers}
    for name, value in ALWAYS:
        if name.lower() not in given:
            headers.add(name, value)
    if response.mimetype == "text/html":
        headers.setdefault("Cache-Control", "no-store")
    return response


def answer_refusal(error: LianbanError) -> Response:
    """A refused command: its status, its message in the visitor's language, and the fields or findings that it names."""
    if problems.is_api(request.path):
        return problems.refused(error)
    _name_the_person(error)
    message = error.message(g.get("language", "zh"))
    extra: dict[str, object] = {}
    if isinstance(error, FormInvalid):
        extra["errors"] = error.errors
    if isinstance(error, DeploymentRefused):
        extra["findings"] = [str(finding) for finding in error.findings]
    return _answer(error.status, error.code, message, extra)


def _name_the_person(error: LianbanError) -> None:
    """People read names; user names are for programs."""
    username = error.details.get("person")
    if username:
        with engine().reading() as session:
            error.details["person"] = directory.called(session, g.get("actor"), str(username))


def answer_data_error(error: DataError) -> Response:
    """What the database cannot hold (a number, a text or a character that no check before caught): nothing was changed."""
    log.warning("the database refused a value", exc_info=error)
    return answer_refusal(ValueRefused())


def answer_integrity_error(error: IntegrityError) -> Response:
    """Two people did at the same moment what only one can do (the same code, the same name): the second one is told."""
    log.warning("the database refused a second one", exc_info=error)
    return answer_refusal(Conflict(reason="有人刚刚提交了同样的内容，请刷新后再试"))


def answer_database_fault(error: OperationalError | PoolTimeoutError) -> Response:
    """The database is gone, full or overwhelmed: the transaction was rolled back, the next request starts on a new connection.

    The page is shown as to a stranger, because its header would ask the database again.
    """
    log.error("the database failed", exc_info=error)
    g.user = g.actor = None
    response = answer_refusal(Unavailable())
    response.headers["Retry-After"] = "5"
    return response


def answer_http_error(error: HTTPException) -> Response:
    """404, 405, 413 and the like; a crash arrives here as 500 after Flask has logged it."""
    if error.response is not None:
        return make_response(error.response)
    status = error.code or 500
    if problems.is_api(request.path):
        return problems.failed(status, _in_chinese(status, error.name), error.description or error.name)
    return _answer(status, HTTPStatus(status).name.lower(), str(HTTP_TEXTS.get(status, error.name)), {})


def _in_chinese(status: int, name: str) -> str:
    with force_locale("zh"):
        return str(HTTP_TEXTS.get(status, name))


def _answer(status: int, code: str, message: str, extra: dict[str, object]) -> Response:
    if wants_json():
        return _problem(status, code, message, extra)
    template = "_error.html" if is_fragment() else "error.html"
    advice = HTTP_ADVICE.get(status, "")
    title = HTTP_TEXTS.get(status) or _("操作没有完成")
    html = render_template(template, status=status, code=code, title=title, message=message, advice=advice, **extra)
    return make_response(html, status)


def _problem(status: int, code: str, message: str, extra: dict[str, object]) -> Response:
    """RFC 9457; the title is the reason phrase in capitals and lower case as Camunda Modeler looks for it ("Not Found")."""
    phrase = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": phrase, "status": status, "detail": message, "instance": request.path, "code": code}
    answer = jsonify(body | extra)
    answer.status_code = status
    answer.mimetype = PROBLEM_JSON
    return answer
