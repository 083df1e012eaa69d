"""Documents and permits: issued once with a number and the facts their text is made of, printed after the commit, served with a receipt.

The only import allowed from outside. issuing.py: issue and look up; numbers.py: 文号; templates.py: wording; production.py: printing;
receipts.py: 送达; bundle.py: the case file in one piece; verification.py: what the public may check.
"""

from handlers.documents import bundle, receipts, templates
from handlers.documents.issuing import (
    Document,
    DocumentFile,
    Production,
    document,
    documents_of,
    failed_documents,
    file_of,
    files_of,
    grouped,
    is_unchanged,
    issue,
    open_file,
    production,
    stored_document,
)
from handlers.documents.numbers import category_of, take_number
from handlers.documents.printer import DocumentNotPrinted
from handlers.documents.samples import sample_facts
from handlers.documents.verification import Verification, normal_code, sha256_of, verify

__all__ = [
    "Document",
    "DocumentFile",
    "DocumentNotPrinted",
    "Production",
    "Verification",
    "bundle",
    "category_of",
    "document",
    "documents_of",
    "failed_documents",
    "file_of",
    "files_of",
    "grouped",
    "is_unchanged",
    "issue",
    "normal_code",
    "open_file",
    "production",
    "receipts",
    "sample_facts",
    "sha256_of",
    "stored_document",
    "take_number",
    "templates",
    "verify",
]
