"""All handlers of the domain in one registry: what `open_engine` is given."""

from __future__ import annotations

from engine.jobs import HandlerRegistry
from handlers.calendar import models as _calendar_tables  # noqa: F401 - no job of its own; its tables belong to the schema
from handlers.cases.jobs import registry as cases
from handlers.clock import models as _clock_tables  # noqa: F401 - likewise
from handlers.documents.jobs import registry as documents
from handlers.licences.jobs import registry as licences
from handlers.materials import models as _material_tables  # noqa: F401 - no job of its own; its table belongs to the schema
from handlers.notices.jobs import registry as notices
from handlers.oneform import models as _one_form_tables  # noqa: F401 - likewise
from handlers.policies import models as _policy_tables  # noqa: F401 - likewise
from handlers.projects.jobs import registry as projects
from handlers.promises.jobs import registry as promises
from handlers.sanctions import models as _sanction_tables  # noqa: F401 - likewise
from handlers.special.jobs import registry as special
from handlers.visits import models as _visit_tables  # noqa: F401 - likewise

PRINTING = "document.render"


def registry(*, printing: bool = True) -> HandlerRegistry:
    """Every job type that diagrams may name; importing this module also makes every table of the domain known.

    Without `printing` this process leaves the printing of documents to those who have it (a server or worker): its jobs wait for them.
    """
    whole = HandlerRegistry()
    for part in (projects, cases, promises, licences, special, documents, notices):
        whole.include(part)
    if not printing:
        del whole.handlers[PRINTING]
    return whole
