"""A trained retriever: the skills that an utterance may ask for, and its files. Imports torch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_weights
from safetensors.torch import save_file as save_weights

from exemplars.core.files import hash_file, write_bytes, write_json
from exemplars.core.records import Exemplar, Template
from exemplars.dataset.catalog import Skill, encode_catalog, read_catalog
from exemplars.models.base_models import BaseFiles, hash_model
from exemplars.models.encoder_runs import CATALOG, check_skills, make_unusable_error, read_settings
from exemplars.models.questions import Question
from exemplars.models.retriever.encoder import (
    Prompts,
    count_tokens,
    encode_documents,
    encode_queries,
    load_sentence_encoder,
    save_encoder,
    set_window,
)
from exemplars.models.retriever.index import (
    Index,
    IndexEntry,
    Vectors,
    add_skills,
    build_index,
    list_entries,
    list_excluded,
)
from exemplars.models.retriever.light_encoder import load_light_sentence_encoder
from exemplars.models.retriever.ranking import RankedSkill, View, rank_views, score_by_entries
from exemplars.models.retriever.texts import fit_turns
from exemplars.models.run_manifest import WEIGHTS, read_manifest

if TYPE_CHECKING:  # The import of sentence_transformers takes two seconds.
    from exemplars.models.retriever.encoder import Encoder

SETTINGS: Final = "retriever.json"
"""What a retriever needs in addition to its encoder, index and catalog."""
_ENTRIES: Final = "index.json"
_VECTORS: Final = "index.safetensors"
_ENCODER: Final = "model.safetensors"
_DOCUMENTS: Final = "documents.safetensors"
"""The weights of the encoder of documents, if questions have one of their own."""
_BLOCK: Final = 256
"""Questions that are compared with the index together."""


class Settings(msgspec.Struct, frozen=True):
    """What a retriever needs in addition to its weights."""

    max_tokens: int
    context_turns: int
    tools: int = 1
    """The smallest k whose hit@k on the validation rows is at least 0.99."""
    prompts: Prompts = Prompts()
    dimensions: int | None = None
    """The width of the vectors; `None`: that of the encoder."""


class _StoredIndex(msgspec.Struct, frozen=True):
    """The part of an index that is text."""

    encoder_sha256: str
    """Of the weights that made the vectors."""
    entries: tuple[IndexEntry, ...]
    skills: tuple[str, ...]


class Retriever:
    """A retriever, ready to rank skills and to find examples."""

    def __init__(
        self,
        encoder: Encoder,
        index: Index,
        settings: Settings,
        skills: Iterable[Skill],
        documents: Encoder | None = None,
    ) -> None:
        """skills: the catalog that it was trained for. documents: the encoder that made the index, if it is another."""
        self.encoder = encoder
        self.documents = documents
        self.index = index
        self.settings = settings
        self.skills = {skill.name: skill for skill in skills}
        for model in (encoder, *([] if documents is None else [documents])):
            set_window(model, settings.max_tokens, settings.prompts, settings.dimensions)

    @property
    def tools(self) -> int:
        """The smallest k whose hit@k on the validation rows is at least 0.99."""
        return self.settings.tools

    def rank_skills(
        self,
        questions: Sequence[Question],
        limit: int | None = None,
        excluded: Sequence[Collection[str]] | None = None,
    ) -> list[list[RankedSkill]]:
        """Rank the skills for questions, the best first: by both views, fused by reciprocal rank.

        limit: skills of a question, at most. excluded: the groups whose entries do not count, for each question; with
        the group of a train row, neither the row nor its near duplicates are found. Rows without a call count for no
        skill: whether anything is called is for others to decide.
        """
        return list(self.rank_by_view(questions, limit, excluded)[View.FUSED])

    def rank_by_view(
        self,
        questions: Sequence[Question],
        limit: int | None = None,
        excluded: Sequence[Collection[str]] | None = None,
    ) -> Mapping[View, list[list[RankedSkill]]]:
        """Rank the skills for questions by each view; arguments as for `rank_skills`."""
        rankings: dict[View, list[list[RankedSkill]]] = {view: [] for view in View}
        for similarities, vectors in self._compare(questions, excluded):
            examples = score_by_entries(similarities, self.index.entries, self.index.skills)
            descriptions = (vectors @ self.index.descriptions.T).astype(np.float64)
            for view, ranked in rank_views(examples, descriptions, self.index.skills, limit).items():
                rankings[view].extend(ranked)
        return rankings

    def find_examples(
        self, questions: Sequence[Question], count: int, excluded: Sequence[Collection[str]] | None = None
    ) -> list[list[IndexEntry]]:
        """Find the rows and templates that are most like questions, the best first, each row once.

        count: of a question, at most. excluded: as for `rank_skills`. Rows without a call are found, too.
        """
        places = self.find_places(questions, count, excluded)
        return [[self.index.entries[place] for place in found] for found in places]

    def find_places(
        self,
        questions: Sequence[Question],
        count: int,
        excluded: Sequence[Collection[str]] | None = None,
        rows_only: bool = False,
    ) -> list[list[int]]:
        """Find the places of such entries in the index. rows_only: leave out templates that are no rows."""
        found = []
        for similarities, _ in self._compare(questions, excluded):
            found += [self._select_best(row, count, rows_only) for row in similarities]
        return found

    def _select_best(self, similarities: Vectors, count: int, rows_only: bool) -> list[int]:
        best: dict[str, int] = {}
        for place in np.argsort(-similarities, kind="stable"):
            if len(best) == count or not np.isfinite(similarities[place]):
                break
            entry = self.index.entries[place]
            if entry.digest or not rows_only:
                best.setdefault(entry.id, int(place))
        return list(best.values())

    def _compare(
        self, questions: Sequence[Question], excluded: Sequence[Collection[str]] | None
    ) -> Iterable[tuple[Vectors, Vectors]]:
        """Yield the similarities of questions to all entries, and their vectors, in blocks."""
        list_places = list_excluded(self.index.entries, excluded)
        vectors = self.encode_questions(questions)
        for start in range(0, len(questions), _BLOCK):
            block = vectors[start : start + _BLOCK]
            similarities = block @ self.index.vectors.T
            for row in range(len(block)):
                similarities[row, list_places(start + row)] = -np.inf
            yield similarities, block

    def encode_questions(self, questions: Sequence[Question]) -> Vectors:
        """Encode questions with the turns before them."""
        return encode_queries(self.encoder, [self.join_context(question) for question in questions])

    def encode_documents(self, texts: Sequence[str]) -> Vectors:
        """Encode documents as those of the index."""
        return encode_documents(self.documents or self.encoder, texts)

    def join_context(self, question: Question) -> str:
        """Join a question and the turns before it that fit into the window.

        Of an utterance that alone does not fit, only the beginning is read.
        """
        return join_question(self.encoder, self.settings, question.utterance, question)


def join_question(
    encoder: Encoder, settings: Settings, text: str, row: Question | Exemplar | Template
) -> str:
    """Join a text and the turns before it that fit into the window. text: what is said, or its template."""
    return fit_turns(
        text,
        row.context,
        settings.context_turns,
        settings.max_tokens,
        lambda joined: count_tokens(encoder, joined),
    )


def build_retriever(
    encoder: Encoder,
    settings: Settings,
    rows: Iterable[Exemplar],
    templates: Iterable[Template],
    skills: Sequence[Skill],
) -> Retriever:
    """Build a retriever: index train rows, templates and the descriptions of all skills."""
    set_window(encoder, settings.max_tokens, settings.prompts, settings.dimensions)
    entries = list_entries(rows, templates, lambda text, row: join_question(encoder, settings, text, row))
    index = build_index(entries, skills, lambda texts: encode_documents(encoder, texts))
    return Retriever(encoder, index, settings, skills)


def save_retriever(retriever: Retriever, folder: Path) -> None:
    """Save a retriever into a folder, as `load_retriever` reads it; sentence-transformers can load it, too."""
    save_encoder(retriever.encoder, folder)
    index = retriever.index
    save_file({"entries": index.vectors, "descriptions": index.descriptions}, folder / _VECTORS)
    documents: Any = retriever.documents
    if documents is not None:
        save_weights(documents.state_dict(), folder / _DOCUMENTS)
    encoder_sha256 = hash_file(_find_document_weights(folder))
    stored = _StoredIndex(encoder_sha256, tuple(index.entries), tuple(index.skills))
    write_json(folder / _ENTRIES, msgspec.to_builtins(stored))
    write_json(folder / SETTINGS, msgspec.to_builtins(retriever.settings))
    write_bytes(folder / CATALOG, encode_catalog(retriever.skills.values()))


def load_retriever(folder: Path, skills: Sequence[Skill] | None = None) -> Retriever:
    """Load the retriever of a run. skills: the catalog that it is to rank; `None`: that of its training.

    A new skill of the catalog is ranked by its description. Raises `UserError` if a file is missing or changed, if the
    index is that of another run, or if a skill is not what it was when the retriever was trained.
    """
    manifest, weights = read_manifest(folder), folder / WEIGHTS
    if not weights.is_dir():
        raise make_unusable_error(weights, "no weights", "those of its manifest")
    stored: _StoredIndex = read_settings(weights / _ENTRIES, _StoredIndex, "a retriever")
    if stored.encoder_sha256 != hash_file(_find_document_weights(weights)):
        raise make_unusable_error(weights, "an index of another run", "the index that its encoder made")
    if hash_model(weights) != manifest.weights_sha256:
        raise make_unusable_error(weights, "other weights", "those of its manifest")
    settings: Settings = read_settings(weights / SETTINGS, Settings, "a retriever")
    trained = read_catalog(weights / CATALOG)
    if skills is not None:
        check_skills(folder, trained, skills)
    files = BaseFiles(folder.name, str(weights), {}, manifest.weights_sha256, manifest.base_license)
    encoder, documents = _load_encoders(files, weights)
    vectors = load_file(weights / _VECTORS)
    index = Index(stored.entries, vectors["entries"], stored.skills, vectors["descriptions"])
    retriever = Retriever(encoder, index, settings, trained if skills is None else skills, documents)
    retriever.index = add_skills(index, retriever.skills.values(), retriever.encode_documents)
    return retriever


def _load_encoders(files: BaseFiles, folder: Path) -> tuple[Encoder, Encoder | None]:
    """Load the encoder of questions, and that of documents if it is another; by lighter code if that is possible."""
    if not (folder / _DOCUMENTS).is_file():
        return load_light_sentence_encoder(folder) or load_sentence_encoder(files), None
    documents = load_sentence_encoder(files)
    documents.load_state_dict(load_weights(folder / _DOCUMENTS))
    return load_sentence_encoder(files), documents


def _find_document_weights(folder: Path) -> Path:
    """Return the path of the weights that made the index."""
    own = folder / _DOCUMENTS
    return own if own.is_file() else folder / _ENCODER
