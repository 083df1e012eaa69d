"""The error tree. A class's docstring is its message: Chinese, then English after a blank line; `{name}` fields are filled in.

Every error has a stable `code` (API clients and tests rely on it) and the HTTP `status` a shell answers with.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Said(str):
    """Words for people in both languages, for a field of a message: the text itself is Chinese, and it knows its English."""

    english: str

    def __new__(cls, chinese: str, english: str = "") -> Said:
        said = super().__new__(cls, chinese)
        said.english = english or chinese
        return said


def english(text: str) -> str:
    """The English of a text that has one; any other text (a name, a number) as it is."""
    return text.english if isinstance(text, Said) else text


class LianbanError(Exception):
    """系统拒绝了这个操作。

    The operation was refused.
    """

    # A reason that speaks of somebody writes {person} and gives the user name as `person`: a shell that knows people puts their name there.
    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, **details: Any) -> None:
        self.details = details
        super().__init__(self.message("zh"))

    def message(self, language: str = "zh") -> str:
        """The docstring in one language ("zh" or "en") with its fields filled from `details`."""
        chinese, _, translated = (self.__doc__ or "").strip().partition("\n\n")
        template = " ".join((translated if language == "en" and translated else chinese).split())
        details = {name: english(value) for name, value in self.details.items()} if language == "en" else self.details
        said = template.format_map(_Missing(details))
        return said.replace("{person}", str(self.details["person"])) if "person" in self.details else said


class _Missing(dict[str, Any]):
    """A field that nobody gave is shown as a dash instead of hiding the real error behind a KeyError."""

    def __missing__(self, key: str) -> str:
        return "—"


class NotFound(LianbanError):
    """没有找到{what}：{key}。

    {what} {key} was not found.
    """

    code = "not_found"
    status = 404


class Forbidden(LianbanError):
    """无权进行这个操作：{reason}

    You may not do this: {reason}
    """

    code = "forbidden"
    status = 403


class Conflict(LianbanError):
    """当前状态不允许这个操作：{reason}

    The current state does not allow this: {reason}
    """

    code = "conflict"
    status = 409


class Refused(Conflict):
    """这一步不能进行：{reason}

    This step may not be taken: {reason}
    """

    # Raised by a handler it refuses the whole command of the person who acted: nothing changes and the person reads why. Where nobody acted
    # (a timer, a message) it is an incident like every other failure.
    code = "refused"


class Suspended(Conflict):
    """流程已暂停，恢复之前不能办理。

    The process is suspended; nothing can be done in it until it is resumed.
    """

    code = "suspended"


class Invalid(LianbanError):
    """提交的内容有误：{reason}

    The input is not valid: {reason}
    """

    code = "invalid"
    status = 422


class ExpressionError(LianbanError):
    """表达式“{expression}”出错（第 {position} 个字符）：{reason}

    Expression "{expression}" failed (character {position}): {reason}
    """

    code = "expression_error"
    status = 422


class LimitExceeded(ExpressionError):
    """表达式“{expression}”超出了限制：{reason}

    Expression "{expression}" exceeded a limit: {reason}
    """

    code = "expression_limit"


class DecisionError(LianbanError):
    """决策“{decision}”无法计算：{reason}

    Decision "{decision}" cannot be evaluated: {reason}
    """

    code = "decision_error"
    status = 422


class DecisionNotFound(DecisionError):
    """没有部署决策“{decision}”：{reason}

    Decision "{decision}" is not deployed: {reason}
    """

    code = "decision_not_found"


class FormInvalid(Invalid):
    """表单填写有误，请检查标出的字段。

    The form has errors in the marked fields.
    """

    code = "form_invalid"

    def __init__(self, errors: dict[str, list[str]], **details: Any) -> None:
        """`errors`: dotted field path (as in the submission, e.g. "application.xmmc" or "rows.0.name") -> messages in Chinese."""
        self.errors = errors
        super().__init__(errors=errors, **details)


class DeploymentRefused(Invalid):
    """部署被拒绝，共 {count} 处错误。

    The deployment was refused: {count} error(s).
    """

    code = "deployment_refused"
    status = 400

    def __init__(self, findings: list[Any], **details: Any) -> None:
        """`findings`: list of engine.findings.Finding, errors first."""
        self.findings = findings
        errors = [finding for finding in findings if finding.severity == "error"]
        super().__init__(count=len(errors), **details)  # hints refuse nothing, and are not listed
