"""What FastAPI cannot know of the API, put into its OpenAPI document: the form of problems, and how tokens come."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_PROBLEM = "#/components/schemas/ProblemView"
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token of the shop's, or a share token",
}


def install(app: FastAPI) -> None:
    """Has the application describe itself whole."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(made())
        return made()

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI has it done


def _complete(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {"bearer": _BEARER}
    for methods in document["paths"].values():
        for operation in methods.values():
            responses = operation["responses"]
            for response in responses.values():
                content = response.get("content", {})
                if content.get("application/json", {}).get("schema", {}).get("$ref") == _PROBLEM:
                    content["application/problem+json"] = content.pop("application/json")
            if "content" in responses.get("401", {}):  # only where a token is asked for
                operation["security"] = [{"bearer": []}]
