"""The doors for programs: Camunda 8's REST API v2 and the part of Camunda 7's that old diagrams and their workers use.

Every operation parses, calls a command or a query of the engine, and renders; what it takes and gives is written down once, in pydantic
models and typed dictionaries, and served as OpenAPI at /v2/openapi.json.
"""
