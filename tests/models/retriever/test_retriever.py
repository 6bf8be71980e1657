"""A trained retriever: its answers, and its files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from exemplars.core.errors import UserError
from exemplars.core.records import Mode, Origin, Template
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from exemplars.models.questions import Question
from tests.models.tagger.rows import ROWS, SKILLS
from tests.train.retriever.trained import train_tiny

pytest.importorskip("sentence_transformers")
TEMPLATE = Template(
    "s:t#1", "s", "weather", "how warm is <location>", Mode.NORMAL, (), "t", "MIT", Origin("t", "0" * 64, "1")
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is good at its train rows because it has them in its index."""
    root = tmp_path_factory.mktemp("retriever")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        train_tiny(templates=[TEMPLATE], shared={"max_steps": 2})
    return root / "models/retriever"


def test_a_row_finds_itself_unless_its_group_is_excluded(folder: Path) -> None:
    from exemplars.models.retriever.retriever import load_retriever

    retriever = load_retriever(folder, SKILLS)
    questions = [Question(row.utterance, row.context) for row in ROWS]
    found = retriever.find_examples(questions, 2)
    assert [examples[0].digest for examples in found] == [row.digest for row in ROWS]
    assert all(len({example.id for example in examples}) == 2 for examples in found)
    others = retriever.find_examples(questions, 20, [{row.group} for row in ROWS])
    for row, examples in zip(ROWS, others, strict=True):
        assert row.digest not in {example.digest for example in examples}
        assert len(examples) == len(ROWS)  # The other rows, and the template.
    assert "s:t#1" in {example.id for example in others[0]}


def test_all_skills_are_ranked_and_new_ones_by_their_description(folder: Path) -> None:
    from exemplars.models.retriever.retriever import load_retriever

    retriever = load_retriever(folder, [*SKILLS, Skill("sing", "Sing a song")])
    (ranked,) = retriever.rank_skills([Question("sing: Sing a song")])
    assert {skill.name for skill in ranked} == {"call", "set_timer", "weather", "sing"}
    assert ranked[0].name == "sing"
    assert [skill.score for skill in ranked] == sorted((skill.score for skill in ranked), reverse=True)
    (best,) = retriever.rank_skills([Question("ring mum")], limit=1)
    assert len(best) == 1
    assert 1 <= retriever.tools <= 3


def test_sentence_transformers_loads_the_weights(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(folder / "weights"), local_files_only=True)
    assert encoder.encode_query("ring mum").shape == (32,)


def test_a_catalog_that_changed_since_the_training_is_refused_with_its_skills(folder: Path) -> None:
    from exemplars.models.retriever.retriever import load_retriever

    changed = [Skill("call", parameters=(Parameter("contact"),)), SKILLS[1], Skill("sing")]
    with pytest.raises(
        UserError, match="found skills that changed since the training: call, weather, expected"
    ):
        load_retriever(folder, changed)


def test_an_index_of_another_run_and_other_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    from exemplars.models.retriever.retriever import load_retriever

    copy = shutil.copytree(folder, tmp_path / "copy")
    index = json.loads((copy / "weights/index.json").read_bytes())
    (copy / "weights/index.json").write_text(json.dumps({**index, "encoder_sha256": "0" * 64}))
    with pytest.raises(
        UserError, match="found an index of another run, expected the index that its encoder made"
    ):
        load_retriever(copy)
    copy = shutil.copytree(folder, tmp_path / "other")
    pooling = copy / "weights/1_Pooling/config.json"
    pooling.write_text(pooling.read_text().replace("mean", "cls"))
    with pytest.raises(UserError, match="found other weights, expected those of its manifest"):
        load_retriever(copy)
