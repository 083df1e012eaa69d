"""Forms on the server: re-validation of form-js submissions, lint of form schemas, the expressions of a schema.

The browser shows form-js; nothing that it sends is trusted. Semantics follow form-js 2.0 (schemaVersion up to 19); our additions live in
the custom `properties` of a component: `check` (identifiers with check digits), `rule`/`message` (cross-field rules, also rule2/message2),
`minRows`/`maxRows` (dynamic lists).
"""

from engine.forms.lint import FormExpression, form_expressions, lint_form
from engine.forms.submission import validate_submission

__all__ = ["FormExpression", "form_expressions", "lint_form", "validate_submission"]
