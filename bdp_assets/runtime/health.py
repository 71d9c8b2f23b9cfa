"""Does a server answer. No function raises for a silent server."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection, HTTPException
from typing import Any

from bdp_assets.settings import LOOPBACK

_PATIENCE_S = 2.0


def get(port: int, path: str, patience_s: float = _PATIENCE_S) -> tuple[int, bytes]:
    """Status and body of GET on loopback; (0, b"") when there is no answer."""
    connection = HTTPConnection(LOOPBACK, port, timeout=patience_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException):
        return 0, b""
    finally:
        connection.close()


def http_ok(port: int, path: str, patience_s: float = _PATIENCE_S) -> bool:
    """Whether GET on loopback answers 200."""
    return get(port, path, patience_s)[0] == 200


def json_answer(port: int, path: str) -> Any:
    """The decoded JSON of a 200 answer; None for any other."""
    status, body = get(port, path)
    return json.loads(body) if status == 200 else None


def exchange(port: int, request: bytes) -> bytes:
    """First bytes of the answer to `request` over TCP on loopback; empty when there is none."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_PATIENCE_S) as connection:
            connection.sendall(request)
            return connection.recv(64)
    except OSError:
        return b""


def grpc_ok(port: int, service: str) -> bool:
    """Whether the gRPC health check of a service on loopback says that it serves."""
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    with grpc.insecure_channel(f"{LOOPBACK}:{port}") as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service=service), timeout=_PATIENCE_S)
        except grpc.RpcError:
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)
