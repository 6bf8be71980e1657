"""`schema.json`: the services, as skills of the catalog.

A skill's name is `<service>_<intent>`: several services have an intent of the same name, and a
function's name must be unique.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

import msgspec

from exemplars.core.documents import decode_with
from exemplars.core.errors import Diagnostic, UserError
from exemplars.dataset.catalog import Skill
from exemplars.dataset.parameters import Parameter
from stages.ingest.reading import decode_text, describe_json_error

NO_INTENT: Final = "NONE"
"""The active intent of a user who wants nothing from the service."""
BOOLEANS: Final = frozenset({"True", "False"})


class SchemaSlot(msgspec.Struct, frozen=True):
    """A slot of a service."""

    name: str
    description: str = ""
    is_categorical: bool = False
    possible_values: tuple[str, ...] = ()

    @property
    def is_boolean(self) -> bool:
        """Whether its only values are True and False."""
        return self.is_categorical and bool(self.possible_values) and set(self.possible_values) <= BOOLEANS


class Intent(msgspec.Struct, frozen=True):
    """Something that a service can do."""

    name: str
    description: str = ""
    required_slots: tuple[str, ...] = ()
    optional_slots: dict[str, str] = {}
    result_slots: tuple[str, ...] = ()


class Service(msgspec.Struct, frozen=True, dict=True):
    """An API family."""

    service_name: str
    description: str = ""
    slots: tuple[SchemaSlot, ...] = ()
    intents: tuple[Intent, ...] = ()

    @cached_property
    def slot_by_name(self) -> dict[str, SchemaSlot]:
        """The slots by their names."""
        return {slot.name: slot for slot in self.slots}

    @cached_property
    def intent_names(self) -> frozenset[str]:
        """The names of the intents."""
        return frozenset(intent.name for intent in self.intents)


_decode = msgspec.json.Decoder(list[Service]).decode


def decode_schema(path: str, data: bytes) -> tuple[Service, ...]:
    """Decode the services of a `schema.json`. Raises `UserError` if the file is something else."""
    text = decode_text(path, data)
    try:
        return tuple(decode_with(_decode, text))
    except msgspec.DecodeError as error:
        raise UserError([describe_json_error(path, data, error, "a list of services")]) from None


def merge_services(schemas: Mapping[str, Iterable[Service]]) -> dict[str, Service]:
    """Merge the services of several schemas, by name.

    schemas: the services of each `schema.json`, by its path.
    Raises `UserError` with every service that two of them define differently.
    """
    services: dict[str, Service] = {}
    first_paths: dict[str, str] = {}
    clashes = []
    for path, path_services in schemas.items():
        for service in path_services:
            name = service.service_name
            if services.setdefault(name, service) != service:
                clashes.append(
                    Diagnostic(
                        path=path,
                        code="clashing_service",
                        found=f"service {name!r}, which {first_paths[name]} defines differently",
                        expected="one definition of a service in all splits",
                        fix="read the splits as two sources, or make the definitions equal",
                    )
                )
            first_paths.setdefault(name, path)
    if clashes:
        raise UserError(clashes)
    return services


def make_skill_name(service: str, intent: str) -> str:
    """Build the name of an intent's skill in the catalog."""
    return f"{service}_{intent}"


def make_skills(service: Service, recognizer: str | None) -> tuple[Skill, ...]:
    """Make the skills of a service: its intents, with its slots as their parameters.

    A turn gives some of the required slots, and the dialogue asks for the others: the service needs them, but no
    call must have them. `dontcare` is a value of every slot.

    Besides the slots that the intent asks for, a skill has optional parameters for those of its results that
    another intent of the service asks for: accepting an offer ("the second one, please") fills them while
    the search is still the active intent.
    recognizer: the name of the recognizer for the values of free slots.
    """
    return tuple(
        Skill(
            name=make_skill_name(service.service_name, intent.name),
            description=f"{service.description}: {intent.description}",
            service=service.service_name,
            parameters=tuple(
                _make_parameter(slot, slot.name in intent.required_slots, recognizer)
                for slot in _list_slots(service, intent)
            ),
        )
        for intent in service.intents
    )


def _list_slots(service: Service, intent: Intent) -> list[SchemaSlot]:
    asked_for = {name for other in service.intents for name in (*other.required_slots, *other.optional_slots)}
    accepted = [name for name in intent.result_slots if name in asked_for]
    names = dict.fromkeys([*intent.required_slots, *intent.optional_slots, *accepted])
    return [service.slot_by_name[name] for name in names if name in service.slot_by_name]


def _make_parameter(slot: SchemaSlot, needed: bool, recognizer: str | None) -> Parameter:
    return Parameter(
        name=slot.name,
        description=slot.description,
        type="boolean" if slot.is_boolean else "string",
        enum=slot.possible_values if slot.is_categorical and not slot.is_boolean else (),
        recognizer=None if slot.is_categorical else recognizer,
        needed=needed,
        dontcare=slot.is_categorical,
    )
