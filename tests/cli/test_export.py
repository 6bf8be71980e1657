"""Every export is read back in the way its consumer reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exemplars.cli.main import main
from exemplars.core import layout
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.row_tables import exemplars_to_table
from exemplars.export.formats import FORMATS
from exemplars.models.base_models import FolderBase, find_base, load_tokenizer
from exemplars.models.prompt_style import ToolForm
from exemplars.models.rows import TrainingRow
from stages.render.training_rows import render_split
from tests.export.turns import export_turn
from tests.render.rows import SKILLS, argument, exemplar, params
from tests.tiny import save_tiny

datasets = pytest.importorskip("datasets")
ROWS = [
    exemplar(
        "ring mum at work", "call", argument("contact", "mum", "mum"), argument("device", "work", "work")
    ),
    exemplar("ten minutes for the tea", "set_timer", argument("minutes", "10", "ten", "normalized")),
    exemplar("Oslo", "weather", argument("location", "Oslo", "Oslo"), before=("hi", "which city?")),
    exemplar("Bergen", "weather", argument("location", "Bergen", "Bergen"), before=("which city?",)),
    exemplar("thanks", None, mode="none"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a rendered train split."""
    root = tmp_path_factory.mktemp("project")
    (root / ".dvc").mkdir()
    tokenizer = load_tokenizer(find_base(FolderBase(path=str(save_tiny(root / "base")), license="MIT")))
    split = render_split(ROWS, "train", SKILLS, tokenizer, params(), 400)
    assert len(split.rows) == 5
    write_table(root / layout.training("train"), rows_to_table(split.rows, TrainingRow))
    write_table(root / layout.split("train"), exemplars_to_table(ROWS))
    return root


def exported(project: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    output = project / f"{form}.jsonl"
    assert main(["export", "--format", form, "--output", str(output)]) == 0
    return output


def lines(path: Path) -> dict[str, Any]:
    """Read the rows, by what the user says last."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    utterances = ("ring mum at work", "ten minutes for the tea", "Oslo", "Bergen", "thanks")
    return {next(text for text in utterances if text in json.dumps(row)): row for row in rows}


@pytest.mark.parametrize("form", FORMATS)
def test_datasets_loads_every_line(form: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = exported(project, form, monkeypatch)
    loaded = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(project / "cache")
    )
    assert loaded.num_rows == 5


def test_openai_messages_end_with_a_tool_call_of_a_shown_tool(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = lines(exported(project, "openai", monkeypatch))
    row = rows["ten minutes for the tea"]
    function = row["messages"][-1]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("set_timer", {"minutes": 10})
    assert "set_timer" in {tool["function"]["name"] for tool in row["tools"]}
    assert rows["thanks"]["messages"][-1] == {"role": "assistant", "content": "None"}
    assert [message["role"] for message in rows["Oslo"]["messages"]] == [
        "user",
        "assistant",
        "user",
        "assistant",
    ]


def test_trl_learns_exactly_the_call_and_its_end(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    path = exported(project, "trl", monkeypatch)
    tokenizer = load_tokenizer(find_base(FolderBase(path=str(project / "base"), license="MIT")))
    rendered = {
        row["id"]: tokenizer.decode(row["input_ids"])
        for row in pq.read_table(project / layout.training("train")).to_pylist()
    }
    for text, row in lines(path).items():
        assert data_utils.is_conversational(row)
        prepared = data_utils.apply_chat_template(row, tokenizer)
        assert prepared["prompt"] + prepared["completion"] == rendered[f"s:{text}"]
        assert prepared["completion"] == row["completion"][0]["content"] + tokenizer.eos_token


def test_alpaca_has_what_was_said_before_as_history(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = lines(exported(project, "alpaca", monkeypatch))["Oslo"]
    assert (row["instruction"], row["history"]) == ("Oslo", [["hi", "which city?"]])
    assert row["output"] == 'weather(location="Oslo")'


def test_sharegpt_turns_alternate_and_end_with_a_function_call(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = lines(exported(project, "sharegpt", monkeypatch))["Oslo"]
    assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt", "human", "function_call"]
    assert json.loads(row["conversations"][-1]["value"]) == {
        "name": "weather",
        "arguments": {"location": "Oslo"},
    }
    assert "weather" in {tool["name"] for tool in json.loads(row["tools"])}


def test_sharegpt_rows_begin_with_a_human_and_have_an_even_number_of_turns(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for row in lines(exported(project, "sharegpt", monkeypatch)).values():
        speakers = [turn["from"] for turn in row["conversations"]]
        assert set(speakers[::2]) == {"human"}
        assert set(speakers[1::2]) <= {"gpt", "function_call"}
        assert len(speakers) % 2 == 0


def test_an_export_without_calls_is_an_error_and_writes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(project / layout.training("train"))
    views = pa.array(["skill"] * table.num_rows)
    place = table.schema.get_field_index("view")
    write_table(project / layout.training("test"), table.set_column(place, table.schema.field(place), views))
    monkeypatch.chdir(project)
    assert main(["export", "--format", "trl", "--split", "test", "--output", "none.jsonl"]) == 1
    assert "data/training/test.parquet: nothing_to_export: found views skill, expected rows" in (
        capsys.readouterr().err
    )
    assert not (project / "none.jsonl").exists()


def test_xlam_answers_name_parameters_of_its_tools(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lines(exported(project, "xlam", monkeypatch))
    row = rows["ring mum at work"]
    tools = {tool["name"]: tool["parameters"] for tool in json.loads(row["tools"])}
    (answer,) = json.loads(row["answers"])
    assert answer == {"name": "call", "arguments": {"contact": "mum", "device": "work"}}
    assert set(answer["arguments"]) <= set(tools["call"])
    assert json.loads(rows["thanks"]["answers"]) == []


def test_bfcl_truth_lists_all_right_values(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = lines(exported(project, "bfcl", monkeypatch))
    row = rows["ten minutes for the tea"]
    assert row["ground_truth"] == [{"set_timer": {"minutes": [10]}}]
    assert row["question"] == [[{"role": "user", "content": "ten minutes for the tea"}]]
    assert all(function["parameters"]["type"] == "dict" for function in row["function"])
    assert rows["thanks"]["ground_truth"] == []


def test_opendu_is_read_by_the_reader_of_opencui_bots(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.ingest.opencui.bot import TemplateEntry

    document = msgspec.json.decode(exported(project, "opendu", monkeypatch).read_bytes())
    templates = msgspec.convert(document, dict[str, list[TemplateEntry]])
    assert templates["weather"] == [
        TemplateEntry(template="Oslo", owner_mode="normal"),
        TemplateEntry(template="Bergen", owner_mode="normal"),
    ]
    assert sorted(templates) == ["call", "set_timer", "weather"]


def test_export_without_rendered_rows_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--format", "openai"]) == 1
    assert "run `dvc repro render`, which trains no model" in capsys.readouterr().err


def test_tools_that_no_message_shows_are_added_in_trl_and_alpaca() -> None:
    turn = export_turn([ROWS[4]], SKILLS, ["weather"], tools=ToolForm.TEMPLATE, instruction="Call one.")
    parameters = (
        '{"type": "object", "properties": {"location": {"type": "string", "description": ""}, '
        '"day": {"type": "string", "description": ""}}, "required": []}'
    )
    function = f'{{"name": "weather", "description": "", "parameters": {parameters}}}'
    assert FORMATS["trl"](turn)["tools"] == [{"type": "function", "function": json.loads(function)}]
    assert FORMATS["alpaca"](turn)["system"] == f'Call one.\n{{"type": "function", "function": {function}}}'


@pytest.mark.parametrize("form", FORMATS)
def test_labels_can_be_left_out(form: str, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled = [
        json.loads(line) for line in exported(project, form, monkeypatch).read_text("utf-8").splitlines()
    ]
    output = project / "plain.jsonl"
    assert main(["export", "--format", form, "--no-labels", "--output", str(output)]) == 0
    plain = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert plain == [{key: value for key, value in row.items() if key != "exemplars"} for row in labelled]
    assert all(("exemplars" in row) == (form != "trl") for row in labelled)


def test_chat_rows_of_other_exemplars_are_an_error(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    write_table(project / layout.training("validation"), pq.read_table(project / layout.training("train")))
    write_table(project / layout.split("validation"), exemplars_to_table(ROWS[1:]))
    assert main(["export", "--format", "openai", "--split", "validation"]) == 1
    assert (
        "data/training/validation.parquet: other_rows: found the row s:ring mum at work, which is not in "
        "data/splits/validation.parquet, expected chat rows of the split; run `dvc repro render`"
    ) in capsys.readouterr().err
