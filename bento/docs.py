"""`/docs`: our OpenAPI document in the Swagger UI that BentoML installs; no network needed."""

from __future__ import annotations

from pathlib import Path

import bentoml
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

SWAGGER_UI = Path(bentoml.__file__).parent / "_internal" / "server" / "static_content"

_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Fraud prediction API</title>
    <link rel="icon" type="image/png" href="/docs/static/favicon-light-32x32.png">
    <link rel="stylesheet" href="/docs/static/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/static/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
"""
_START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", validatorUrl: null});\n'


def docs_routes(openapi: bytes) -> list[BaseRoute]:
    """Routes of the document (JSON bytes), of the page that shows it, and from `/` to there."""

    async def document(_: Request) -> Response:
        return Response(openapi, media_type="application/json")

    async def page(_: Request) -> Response:
        return HTMLResponse(_PAGE)

    async def start(_: Request) -> Response:
        return Response(_START, media_type="text/javascript")

    async def to_docs(_: Request) -> Response:
        return RedirectResponse("/docs")

    return [
        Route("/", to_docs),
        Route("/openapi.json", document),
        Route("/docs", page),
        Route("/docs/start.js", start),
        Mount("/docs/static", StaticFiles(directory=SWAGGER_UI)),
    ]
