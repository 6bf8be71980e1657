"""Two bots of the forms that opendu's examples have, with texts of their own."""

from __future__ import annotations

import json
from typing import Any

PLANT = {
    "type": "object",
    "description": "A plant that somebody orders",
    "required": ["species", "count"],
    "properties": {
        "species": {"type": "string", "description": "Which plant"},
        "pot": {"$ref": "#/components/schemas/PotSize"},
        "count": {"type": "integer", "description": "How many"},
        "labels": {"type": "array", "items": {"type": "string"}, "description": "What the labels say"},
    },
}
NURSERY: dict[str, Any] = {
    "schemas.json": {
        "openapi": "3.1.0",
        "paths": {"/skills": {"get": {"description": "Nursery", "responses": {}}}},
        "components": {
            "schemas": {
                "OrderPlants": {
                    "type": "object",
                    "description": "Order plants",
                    "properties": {
                        "plants": {"type": "array", "items": {"$ref": "#/components/schemas/Plant"}},
                        "pickup": {"type": "string", "description": "When they are picked up"},
                    },
                },
                "Plant": PLANT,
                "PotSize": {"type": "string", "description": "Size of the pot"},
            }
        },
    },
    "exemplars.json": {
        "OrderPlants": [
            {"template": "I need something green"},
            {"template": "some <species> please"},
            {"template": "put <count> <species> in a <pot> pot"},
            {"template": "<count> <species> and <count> <species>"},
            {"template": "reserve <species> until <pickup>"},
            {"template": "write <labels> and <labels> on the <species>"},
        ]
    },
    "recognizers.json": {
        "recognizers": {
            "PlantName": {"instances": [{"label": "fern", "expressions": ["fern", "ferns"]}, {"label": "ivy", "expressions": ["ivy"]}]},
            "potsize": {"instances": [{"label": "L", "expressions": ["large"]}]},
            "Count": {"instances": [{"label": "3", "expressions": ["three"]}]},
        },
        "slots": {"species": "PlantName"},
    },
}  # fmt: skip
GARAGE: dict[str, Any] = {
    "schemas.json": {
        "openapi": "3.0.3",
        "paths": {
            "/BookService": {"Post": {"summary": "Book a service", "operationId": "BookService"}},
            "/ShowPrices": {
                "parameters": [
                    {"name": "part", "in": "query", "schema": {"type": "string"}, "example": "clutch"}
                ],
                "GET": {"summary": "Show prices", "operationId": "ShowPrices"},
            },
        },
        "components": {
            "schemas": {
                "BookService": {
                    "type": "object",
                    "required": ["kind", "day"],
                    "properties": {
                        "kind": {"type": "string", "enum": ["oil change", "inspection"]},
                        "wheels": {"type": "integer", "examples": [2, 4]},
                        "day": {"type": "string"},
                    },
                }
            }
        },
    },
    "exemplars.json": {
        "BookService": [
            {"template": "my car needs an <kind>"},
            {"template": "change <wheels> wheels"},
            {"template": "can you see me on <day>?"},
            {
                "template": "<day>",
                "owner_mode": "extended",
                "context_frame": "BookService",
                "context_slot": "day",
            },
        ],
        "ShowPrices": [{"template": "what is a new <part>?"}],
    },
    "recognizers.json": {"recognizers": {}},
}


def write_bot(bot: dict[str, Any]) -> dict[str, bytes]:
    """Write the files of a bot."""
    return {name: json.dumps(document).encode() for name, document in bot.items()}
