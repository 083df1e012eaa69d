"""Camunda 8's REST API v2, as of server 8.9, with every field that clients of 8.10 insist on."""

from webapp.api.operation import Api

v2 = Api("v2", "/v2")
"""All operations below /v2; the modules of this package add theirs when they are imported."""

GATEWAY_VERSION = "8.9.0"
"""What Camunda Modeler compares with the version a diagram was made for."""
