"""Skill files from OpenAI tools, MCP's tools/list and OpenAPI documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.project.skill_drafts import draft_skill, read_tool_drafts
from stages.ingest.reading import SourceInfo
from stages.ingest.skills import parse_skill_file

PETS = """\
openapi: 3.1.0
paths:
  /pets/{petId}:
    parameters:
      - {name: petId, in: path, required: true, schema: {type: integer}}
    get:
      operationId: getPet
      summary: Shows a pet.
      parameters:
        - $ref: '#/components/parameters/Verbose'
    Post:
      description: Changes a pet.
      requestBody:
        content:
          application/merge-patch+json:
            schema: {$ref: '#/components/schemas/Pet'}
  /ping:
    put: {operationId: ping, requestBody: {required: true, content: {application/json: {schema: {type: string}}}}}
components:
  parameters:
    Verbose: {name: X-Verbose, in: header, schema: {type: boolean, default: false}, description: 'say "more" [or less]'}
  schemas:
    Pet:
      type: object
      required: [name]
      properties:
        name: {type: string}
        kind: {type: string, enum: [cat, dog]}
        tags: {type: array, items: {type: string}}
        parent: {$ref: '#/components/schemas/Pet'}
        owner: {$ref: 'other.yaml#/Owner'}
"""


def test_every_operation_of_an_openapi_document_gets_a_skill_file(tmp_path: Path) -> None:
    path = tmp_path / "pets.yaml"
    path.write_text(PETS)
    get, post, ping = read_tool_drafts(path, is_openapi=True)
    assert (get.name, get.text) == (
        "getPet",
        """\
#### Prompt:
getPet(petId=[petId], X_Verbose=[say 'more' 'or less'])
Shows a pet.

#### Parameters:
petId: integer, required
X_Verbose: boolean, optional, default=False

#### Examples:
""",
    )
    assert (post.name, post.text) == (
        "post_pets__petId",
        """\
#### Prompt:
post_pets__petId(petId=[petId], name="[name]", kind="cat|dog", tags=[tags], parent=[parent], owner=[owner])
Changes a pet.

#### Parameters:
petId: integer, required
name: string, required
kind: string, optional
tags: {"type": "array", "items": {"type": "string"}}, optional
parent: {"x-cycle": "#/components/schemas/Pet"}, optional
owner: {"x-unresolved": "other.yaml#/Owner"}, optional

#### Examples:
""",
    )
    assert post.remarks == (
        "post_pets/{petId} is called post_pets__petId",
        "post_pets__petId.parent leads back to #/components/schemas/Pet, a schema that it is part of: what is nested there "
        "is not checked",
        "post_pets__petId.owner refers to other.yaml#/Owner, which is not in the file: any value is accepted there",
    )
    assert "ping(body=" in ping.text


@pytest.mark.parametrize("text", [PETS, json.dumps({"openapi": "3.0.3", "paths": {"/a": {"get": {}}}})])
def test_drafts_are_valid_skill_files(tmp_path: Path, text: str) -> None:
    path = tmp_path / "api"
    path.write_text(text)
    for draft in read_tool_drafts(path, is_openapi=True):
        reading, diagnostics = parse_skill_file(SourceInfo("s", "MIT"), "a.md", draft.text.encode(), None)
        assert [skill.name for skill in reading.skills] == [draft.name]
        assert diagnostics == ()


TOOL = {
    "name": "ring",
    "description": "Rings\nsomebody.",
    "parameters": {"properties": {"who": {"type": "string"}}},
}


@pytest.mark.parametrize(
    "document",
    [
        [{"type": "function", "function": TOOL}],
        [TOOL],
        {"tools": [{"name": "ring", "description": "Rings somebody.", "inputSchema": TOOL["parameters"]}]},
        {"jsonrpc": "2.0", "result": {"tools": [TOOL], "nextCursor": "x"}},
    ],
)
def test_openai_and_mcp_tools_give_the_same_skill_file(tmp_path: Path, document: object) -> None:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(document))
    [draft] = read_tool_drafts(path, is_openapi=False)
    assert draft.text.startswith('#### Prompt:\nring(who="[who]")\nRings somebody.\n')
    assert draft.remarks == ()


@pytest.mark.parametrize(
    ("text", "is_openapi", "message"),
    [
        (
            "{",
            False,
            "bad_tools: not a list of tool definitions: input data was truncated; name another file",
        ),
        ("[]", False, "bad_tools: found no tool, expected at least one"),
        (
            '[{"type": "function"}]',
            False,
            "bad_tools: not a list of tool definitions: object missing required field `function` - at `$[0]`",
        ),
        ('[{"name": "a"}, {"name": "A"}]', False, "bad_tools: found A, a twice, expected each tool once"),
        ("swagger: '2.0'", True, "bad_openapi: found no document of OpenAPI 3"),
        ("openapi: 3.0.0", True, "bad_openapi: found no operation under paths"),
        ("openapi: [", True, "bad_openapi: found"),
    ],
)
def test_what_is_no_list_of_tools_is_one_sentence(
    tmp_path: Path, text: str, is_openapi: bool, message: str
) -> None:
    path = tmp_path / "tools"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_tool_drafts(path, is_openapi=is_openapi)
    assert message in str(error.value)


def test_names_that_are_no_identifiers_are_changed_and_said() -> None:
    draft = draft_skill(
        {"name": "2 go", "parameters": {"properties": {"a.b": {"type": "number", "default": 1.5}}}}
    )
    assert draft.name == "_2_go"
    assert "a_b: number, optional, default=1.5" in draft.text
    assert draft.remarks == ("2 go is called _2_go", "the parameter a.b of _2_go is called a_b")


def test_what_is_no_json_schema_is_said_and_the_rest_of_the_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    properties = {"n": {"type": "integr"}, "ok": {"type": "integer", "x-filled-by": "composed"}}
    schema = {"type": "object", "properties": properties, "required": ["ok"]}
    body = {"content": {"application/json": {"schema": schema}}}
    path.write_text(
        json.dumps(
            {"openapi": "3.1.0", "paths": {"/a": {"POST": {"operationId": "add", "requestBody": body}}}}
        )
    )
    [draft] = read_tool_drafts(path, is_openapi=True)
    assert draft.text == (
        "#### Prompt:\nadd(n=[n], ok=[ok])\nSays what add does.\n\n"
        "#### Parameters:\nn: {}, optional\nok: integer, required, composed\n\n#### Examples:\n"
    )
    assert draft.remarks == ("add.n.type has the type 'integr': any value is accepted there",)
