"""What Camunda Modeler asks first: is there a cluster, and of which version. Open, so that a wrong password is told on Deploy."""

from __future__ import annotations

from typing import Any

from flask import Response
from typing_extensions import TypedDict

from webapp.api.v2 import GATEWAY_VERSION, v2
from webapp.context import engine


class Partition(TypedDict):
    """A part of a cluster; there is one."""

    partitionId: int
    role: str
    health: str
    state: str


class Broker(TypedDict):
    """A server of a cluster; there is one."""

    nodeId: int
    brokerId: str
    host: str
    port: int
    partitions: list[Partition]
    version: str


class Topology(TypedDict):
    """The cluster."""

    brokers: list[Broker]
    clusterId: str | None
    clusterSize: int
    partitionsCount: int
    replicationFactor: int
    gatewayVersion: str
    lastCompletedChangeId: str


class License(TypedDict):
    """Lianban needs none."""

    validLicense: bool
    licenseType: str
    isCommercial: bool
    expiresAt: str | None


@v2.operation("GET", "/topology", tag="cluster", answers={200: Topology}, open=True)
def get_topology() -> Any:
    """集群概况 / the cluster: one broker with one partition."""
    settings = engine().settings
    partition: Partition = {"partitionId": 1, "role": "leader", "health": "healthy", "state": "active"}
    broker: Broker = {
        "nodeId": 0,
        "brokerId": "0",
        "host": settings.host,
        "port": settings.port,
        "partitions": [partition],
        "version": GATEWAY_VERSION,
    }
    return {
        "brokers": [broker],
        "clusterId": "lianban",
        "clusterSize": 1,
        "partitionsCount": 1,
        "replicationFactor": 1,
        "gatewayVersion": GATEWAY_VERSION,
        "lastCompletedChangeId": "-1",
    }


@v2.operation("GET", "/status", tag="cluster", answers={204: None}, open=True)
def get_status() -> Response:
    """集群是否可用 / whether the cluster can be used."""
    return Response(status=204)


@v2.operation("GET", "/license", tag="cluster", answers={200: License}, open=True)
def get_license() -> Any:
    """许可证状态 / the licence: none is needed."""
    return {"validLicense": True, "licenseType": "self-managed", "isCommercial": False, "expiresAt": None}
