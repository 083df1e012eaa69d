"""Terminate end event (BPMN 2.0.2 §10.5.3).

Every other token of its scope is cancelled, with everything inside them, waiting event subprocesses too; then the scope completes as if
its last token had ended: a subprocess goes on behind, a called instance is completed for its caller. Scopes around it go on.
"""

from __future__ import annotations

from engine.bpmn.kernel.token import Token


def terminate(token: Token) -> None:
    """Cancel everything in the token's scope but the token."""
    token.workflow.cancel_all(keep=token)
