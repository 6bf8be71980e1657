"""A trained tagger: what it says about an utterance, and its files. Imports torch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import torch
from safetensors.torch import load_file, save_file

from exemplars.core.files import write_bytes, write_json
from exemplars.core.ledger import Problem
from exemplars.core.records import Speaker
from exemplars.dataset.catalog import Skill, encode_catalog, read_catalog
from exemplars.models.base_models import BaseFiles, hash_model, load_encoder, load_tokenizer
from exemplars.models.encoder_runs import CATALOG, check_skills, make_unusable_error, read_settings
from exemplars.models.questions import Question
from exemplars.models.run_manifest import WEIGHTS, read_manifest
from exemplars.models.tagger.calibration import HAND_OVER, Calibration
from exemplars.models.tagger.calls import UNCERTAIN, TaggedTurn, assemble_turn, raise_service
from exemplars.models.tagger.features import EncodedText, encode_text
from exemplars.models.tagger.light_encoder import load_light_encoder
from exemplars.models.tagger.matches import Matcher
from exemplars.models.tagger.network import TaggerNetwork
from exemplars.models.tagger.slot_filling import Logits
from exemplars.models.tagger.tensors import collate
from exemplars.models.tagger.vocabulary import Vocabulary

SETTINGS: Final = "tagger.json"
"""What a tagger needs in addition to its weights, tokenizer and catalog."""
_HEADS: Final = "heads.safetensors"
_ENCODER: Final = "encoder."
_BATCH: Final = 32
_TRACED: Final = 8
"""Turns of the user before a question that are answered to find its service, at most."""
_REMEMBERED: Final = 4096
"""Answers that are kept from one call of a tagger to the next, about: the next turn of a dialogue needs them."""


class Settings(msgspec.Struct, frozen=True):
    """What a tagger needs in addition to its weights."""

    vocabulary: Vocabulary
    max_tokens: int
    context_turns: int
    calibration: Calibration = Calibration()


class Tagger:
    """A tagger, ready to answer."""

    def __init__(
        self, network: TaggerNetwork, tokenizer: Any, settings: Settings, skills: Iterable[Skill]
    ) -> None:
        """skills: the catalog that it was trained for."""
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.settings = settings
        self.skills = {skill.name: skill for skill in skills}
        self.matcher = Matcher(settings.vocabulary, self.skills)
        self._known: dict[tuple[Question, str | None], TaggedTurn] = {}

    def answer(
        self, questions: Sequence[Question], shown: Sequence[Collection[str]] | None = None
    ) -> list[TaggedTurn]:
        """Answer questions, in their order. shown: the skills that each may call; `None`: all.

        What the user said before is answered first, since a dialogue stays with its service more often than not.
        An answer to a question that does not fit into the window has a problem, and no call.
        """
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        asked = [question._replace(context=tuple(question.context)) for question in questions]
        traced = list(zip(asked, self._trace_services(asked), strict=True))
        return self._recall(traced) if shown is None else self._answer(traced, shown)

    def _trace_services(self, questions: Sequence[Question]) -> list[str | None]:
        """Trace the service of the last call before each question: `None` without one."""
        services: list[str | None] = [None] * len(questions)
        if not any(skill.service for skill in self.skills.values()):
            return services
        paths = [_list_earlier(question) for question in questions]
        for depth in range(max(map(len, paths), default=0)):
            places = [place for place, path in enumerate(paths) if depth < len(path)]
            answers = self._recall([(paths[place][depth], services[place]) for place in places])
            for place, answer in zip(places, answers, strict=True):
                if answer.calls:
                    services[place] = self.skills[answer.calls[0].skill].service
        return services

    def _recall(self, asked: Sequence[tuple[Question, str | None]]) -> list[TaggedTurn]:
        """Answer questions, each with the service before it; those that were answered before are remembered."""
        # Another thread may clear what is remembered meanwhile.
        known = {key: self._known.get(key) for key in asked}
        new = [key for key, answer in known.items() if answer is None]
        answers = dict(zip(new, self._answer(new, None), strict=True))
        self._known.update(answers)
        return [known[key] or answers[key] for key in asked]

    def rank_skills(self, questions: Sequence[Question]) -> list[list[str]]:
        """Rank the names of all skills for questions, the likeliest first.

        Skills that nothing is known of come last, by name; for a question that does not fit into the window, all do.
        """
        asked = [question._replace(context=tuple(question.context)) for question in questions]
        known = [skill.name for skill in self.settings.vocabulary.skills]
        ranked = [sorted(self.skills)] * len(questions)
        encoded = self._encode(asked)
        services = self._trace_services(asked)
        for place, logits in self._score_all(encoded):
            scores = raise_service(logits.skills, self.settings.vocabulary, self.skills, services[place])[1:]
            order = sorted(range(len(known)), key=lambda number: (-scores[number], number))
            ranked[place] = list(dict.fromkeys((*(known[number] for number in order), *ranked[place])))
        return ranked

    def _answer(
        self, asked: Sequence[tuple[Question, str | None]], shown: Sequence[Collection[str]] | None
    ) -> list[TaggedTurn]:
        encoded = self._encode([question for question, _ in asked])
        answers = {
            place: TaggedTurn((), UNCERTAIN, text.sentence)
            for place, text in enumerate(encoded)
            if isinstance(text, Problem)
        }
        for place, logits in self._score_all(encoded):
            (question, service), text = asked[place], encoded[place]
            assert not isinstance(text, Problem)  # Such a text has no scores.
            answers[place] = assemble_turn(
                logits,
                text,
                self.settings.vocabulary,
                self.skills,
                None if shown is None else shown[place],
                question.today,
                service,
            )
        return [answers[place] for place in range(len(asked))]

    def _encode(self, questions: Sequence[Question]) -> list[EncodedText | Problem]:
        return [
            encode_text(
                self.tokenizer,
                question.utterance,
                question.speaker,
                question.context,
                self.settings.max_tokens,
                self.settings.context_turns,
            )
            for question in questions
        ]

    def _score_all(self, encoded: Sequence[EncodedText | Problem]) -> Iterator[tuple[int, Logits]]:
        """Yield the scores of texts with their places, batch by batch; those that do not fit have none."""
        texts = {place: text for place, text in enumerate(encoded) if not isinstance(text, Problem)}
        # Texts of about the same length go together, which saves padding.
        order = sorted(texts, key=lambda place: (len(texts[place].input_ids), place))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            yield from zip(places, self._score([texts[place] for place in places]), strict=True)

    def rate(self, answer: TaggedTurn) -> float:
        """Rate an answer: the calibrated probability that all of it is right."""
        return self.settings.calibration.rate(answer.score)

    def abstains(self, answer: TaggedTurn) -> bool:
        """Return whether an answer is too uncertain to be given."""
        return answer.problem is not None or self.rate(answer) < self.settings.calibration.threshold

    def hands_over(self, answer: TaggedTurn) -> bool:
        """Return whether another system should be asked, because an answer is more likely wrong than right."""
        return answer.problem is not None or self.rate(answer) < HAND_OVER

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def _score(self, texts: Sequence[EncodedText]) -> Iterator[Logits]:
        batch = collate(texts, int(self.tokenizer.pad_token_id or 0), self.matcher)
        scores = [part.double().numpy() for part in self.network(batch)]
        for row, text in enumerate(texts):
            skills, several, tags, choices = (part[row] for part in scores)
            yield Logits(skills, float(several), tags[: len(text.input_ids)], choices)


def _list_earlier(question: Question) -> list[Question]:
    """List what the user said before a question, as questions, the oldest first."""
    said = [place for place, turn in enumerate(question.context) if turn.speaker is Speaker.USER]
    return [
        Question(question.context[place].utterance, tuple(question.context[:place]))
        for place in said[-_TRACED:]
    ]


def save_tagger(tagger: Tagger, folder: Path) -> None:
    """Save a tagger into a folder, as `load_tagger` reads it."""
    tagger.network.encoder.save_pretrained(str(folder))
    tagger.tokenizer.save_pretrained(str(folder))
    heads = {
        name: weights
        for name, weights in tagger.network.state_dict().items()
        if not name.startswith(_ENCODER)
    }
    save_file(heads, folder / _HEADS)
    write_json(folder / SETTINGS, msgspec.to_builtins(tagger.settings))
    write_bytes(folder / CATALOG, encode_catalog(tagger.skills.values()))


def load_tagger(folder: Path, skills: Sequence[Skill] | None = None) -> Tagger:
    """Load the tagger of a run. skills: the catalog that it is to answer for; `None`: that of its training.

    Raises `UserError` if a file is missing or changed, or if a skill is not what it was when it was trained.
    """
    manifest, weights = read_manifest(folder), folder / WEIGHTS
    if not weights.is_dir() or hash_model(weights) != manifest.weights_sha256:
        found = "other weights" if weights.is_dir() else "no weights"
        raise make_unusable_error(weights, found, "those of its manifest")
    settings: Settings = read_settings(weights / SETTINGS, Settings, "a tagger")
    trained = read_catalog(weights / CATALOG)
    if skills is not None:
        known = {skill.name for skill in settings.vocabulary.skills}
        check_skills(folder, [skill for skill in trained if skill.name in known], skills)
    files = BaseFiles(folder.name, str(weights), {}, manifest.weights_sha256, manifest.base_license)
    encoder, tokenizer = load_light_encoder(weights) or (load_encoder(files), load_tokenizer(files))
    network = TaggerNetwork(encoder, settings.vocabulary, dropout=0.0)
    network.load_state_dict(load_file(weights / _HEADS), strict=False)
    return Tagger(network, tokenizer, settings, trained)
