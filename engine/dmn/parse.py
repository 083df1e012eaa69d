"""From bytes to a DecisionModel: read, resolve imports, compile, look for mistakes."""

from __future__ import annotations

from collections.abc import Callable

from engine.dmn.compiler import Compiler
from engine.dmn.findings import Findings
from engine.dmn.graph import DecisionModel
from engine.dmn.lint import Lint
from engine.dmn.model import Definitions, Import
from engine.dmn.reader import read_dmn
from engine.dmn.types import TypeTable

ImportResolver = Callable[[str, str], bytes | None]  # (namespace, location as written) -> the imported file, None if unknown
MAX_IMPORT_DEPTH = 10


def parse_dmn(data: bytes, resource: str = "x.dmn", resolve_import: ImportResolver | None = None) -> DecisionModel:
    """Parse and compile a DMN 1.2-1.5 file. Raises DmnInvalid when it is not one; smaller problems are in `.findings`.

    `resource`: file name for findings. `resolve_import`: gives the bytes of imported files; nothing is ever read from disk or network.
    """
    return _parse(data, resource, resolve_import, ())


def _parse(data: bytes, resource: str, resolve_import: ImportResolver | None, above: tuple[str, ...]) -> DecisionModel:
    findings = Findings(resource)
    definitions = read_dmn(data, resource, findings)
    imports: dict[str, DecisionModel] = {}
    for item in definitions.imports:
        model = _imported(item, definitions, resolve_import, (*above, definitions.namespace), findings)
        if model is not None:
            imports[item.name] = model
    tables = {name: model.compiler.types for name, model in imports.items()}
    types = TypeTable(definitions.types, tables, findings)
    return DecisionModel(definitions, imports, Compiler(types, findings, Lint(types, findings)), findings)


def _imported(
    item: Import, definitions: Definitions, resolve_import: ImportResolver | None, above: tuple[str, ...], findings: Findings
) -> DecisionModel | None:
    if "/DMN/" not in item.kind or not item.name:
        return None  # reported by the reader
    if item.namespace in above or len(above) > MAX_IMPORT_DEPTH:
        findings.error("import-cycle", item.where, f"导入“{item.name}”形成循环", f'import "{item.name}" is cyclic')
        return None
    data = resolve_import(item.namespace, item.location) if resolve_import is not None else None
    if data is None:
        message = f"找不到导入的模型“{item.name}”（{item.namespace}）"
        findings.error("unknown-import", item.where, message, f'imported model "{item.name}" ({item.namespace}) was not found')
        return None
    model = _parse(data, f"{findings.resource}#{item.name}", resolve_import, above)
    if model.namespace != item.namespace:
        message = f"导入“{item.name}”的命名空间不符：{model.namespace}"
        findings.error("unknown-import", item.where, message, f'import "{item.name}" has another namespace: {model.namespace}')
        return None
    findings.items.extend(finding for finding in model.findings if finding.severity == "error")
    return model
