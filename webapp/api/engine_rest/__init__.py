"""The part of Camunda 7's REST API that its Modeler and its external task clients use, for old diagrams and their workers."""

from webapp.api.operation import Api
from webapp.api.types import RestException

engine_rest = Api("engine_rest", "/engine-rest", RestException, "application/json")
"""All operations below /engine-rest; the modules of this package add theirs when they are imported."""

VERSION = "7.24.0"
