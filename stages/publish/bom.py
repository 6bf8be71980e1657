"""CycloneDX ML-BOM: the models, what they were made of, and the packages that made them."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.models.base_models import Base, FolderBase, PackagedBase
from stages.publish.facts import Facts, ModelFacts, SplitFacts
from stages.publish.licenses.expressions import conjunction

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from cyclonedx.model.dependency import Dependency

_SERIALS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:exemplars:mlbom")
"""The namespace of serial numbers."""
METRICS: Final = ("exact_match", "skill_accuracy", "argument_f1", "invented_skills")
"""The figures of a model that documents tell."""


def ml_bom(facts: Facts) -> dict[str, Any]:
    """The document as JSON of CycloneDX 1.6, without a clock: its time is the day of the release.

    The library builds and serializes it. Only `modelCard` and `data`, which the library does not know yet
    (11.12), are put into its JSON afterwards, as the schema of CycloneDX 1.6 has them.
    """
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    about = facts.about
    whole = Component(
        name=about.name,
        version=about.version,
        type=ComponentType.DATA,
        bom_ref=about.name,
        description=about.description,
        licenses=_licences(*facts.licences),
    )
    components, dependencies = _parts(facts)
    midnight = datetime.datetime.combine(about.released, datetime.time(), datetime.UTC)
    bom = Bom(
        components=components,
        dependencies=dependencies,
        metadata=BomMetaData(component=whole, timestamp=midnight),
        serial_number=_serial(facts),
    )
    document: dict[str, Any] = msgspec.json.decode(JsonV1Dot6(bom).output_as_string())
    return _completed(document, facts)


def _parts(facts: Facts) -> tuple[list[Component], list[Dependency]]:
    """Splits, models, bases and packages, once each, and which is made of which."""
    from cyclonedx.model.dependency import Dependency

    found = {split.name: _data(facts, split) for split in facts.splits}
    edges: dict[str, list[str]] = {facts.about.name: [split.name for split in facts.splits]}
    for model in facts.models:
        base = _base(model)
        packages = [_package(name, version) for name, version in model.manifest.packages.items()]
        for one in (base, *packages, _model(model)):
            found.setdefault(str(one.bom_ref.value), one)
        edges[model.manifest.run] = [*(_ref(one) for one in (base, *packages)), *model.manifest.data_hashes]
    dependencies = [
        Dependency(
            _bom_ref(ref),
            dependencies=[Dependency(_bom_ref(one)) for one in edges.get(ref, ()) if one in found],
        )
        for ref in (facts.about.name, *found)
    ]
    return list(found.values()), dependencies


def _data(facts: Facts, split: SplitFacts) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        name=f"{facts.about.name}/{split.name}",
        version=facts.about.version,
        type=ComponentType.DATA,
        bom_ref=split.name,
        description=f"{split.rows} exemplars of {split.groups} groups: {split.file.path}",
        hashes=[_sha256(split.file.sha256)],
        licenses=_licences(*sorted({one.expression for one in split.declared})),
        properties=_properties({"exemplars:data_hash": split.data_hash, "exemplars:path": split.file.path}),
    )


def _model(model: ModelFacts) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    manifest = model.manifest
    return Component(
        name=manifest.recipe,
        version=manifest.run,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=manifest.run,
        description=f"A run of the recipe {manifest.recipe} from {base_name(manifest.base)}.",
        hashes=[_sha256(manifest.weights_sha256)],
        properties=_properties(
            {
                "exemplars:code": manifest.code or "unknown",
                "exemplars:rows_sha256": manifest.rows_sha256,
                "exemplars:seed": str(manifest.seed),
                **{f"exemplars:data_hash:{name}": one for name, one in manifest.data_hashes.items()},
            }
        ),
    )


def _base(model: ModelFacts) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    manifest = model.manifest
    return Component(
        name=base_name(manifest.base),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"base-{manifest.base_sha256}",
        description="The model that training starts from.",
        hashes=[_sha256(manifest.base_sha256)],
        licenses=_licences(manifest.base_license),
    )


def _package(name: str, version: str) -> Component:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    purl = PackageURL("pypi", name=name, version=version)
    return Component(
        name=name, version=version, type=ComponentType.LIBRARY, bom_ref=purl.to_string(), purl=purl
    )


def base_name(base: Base) -> str:
    """What a base model is called: its file's name, its folder, or its id on the hub."""
    if isinstance(base, PackagedBase):
        return base.file.rpartition(".")[0]
    return base.path if isinstance(base, FolderBase) else base.id


def _completed(document: dict[str, Any], facts: Facts) -> dict[str, Any]:
    """The document with what the library does not know: a model card a run, the kind of data of a split."""
    cards = {one.manifest.run: _model_card(one, facts) for one in facts.models}
    data = {one.name: _data_card(one, facts) for one in facts.splits}
    for component in document.get("components", ()):
        if component["bom-ref"] in cards:
            component["modelCard"] = cards[component["bom-ref"]]
        if component["bom-ref"] in data:
            component["data"] = [data[component["bom-ref"]]]
    first = ("$schema", "bomFormat", "specVersion")
    return {name: document[name] for name in (*first, *(one for one in document if one not in first))}


def _model_card(model: ModelFacts, facts: Facts) -> dict[str, Any]:
    figures = [
        {
            "type": figure,
            "value": str(one[figure]["value"]),
            "slice": f"test, {system}",
            "confidenceInterval": {
                "lowerBound": str(one[figure]["low"]),
                "upperBound": str(one[figure]["high"]),
            },
        }
        for system, one in model.systems.items()
        for figure in METRICS
        if one.get(figure, {}).get("value") is not None
    ]
    seen = [split.name for split in facts.splits if split.name in model.manifest.data_hashes]
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "function calling",
            "datasets": [{"ref": name} for name in seen],
        },
        **({"quantitativeAnalysis": {"performanceMetrics": figures}} if figures else {}),
        "considerations": {
            "useCases": list(facts.about.intended_use),
            "technicalLimitations": list(facts.about.limits),
        },
    }


def _data_card(split: SplitFacts, facts: Facts) -> dict[str, Any]:
    personal = [
        f"{kind}: {count} in all splits together"
        for kind, count in facts.findings.unlabelled_personal.items()
    ]
    return {
        "type": "dataset",
        "name": split.name,
        "contents": {"url": split.file.path},
        **({"sensitiveData": personal} if personal else {}),
        "governance": {"owners": [{"organization": {"name": facts.about.publisher.name}}]},
    }


def _serial(facts: Facts) -> uuid.UUID:
    hashes = [one.file.sha256 for one in facts.splits] + [one.manifest.weights_sha256 for one in facts.models]
    return uuid.uuid5(_SERIALS, "\n".join([facts.about.name, facts.about.version, *hashes]))


def _licences(*expressions: str) -> list[Any]:
    """SPDX expressions, all of which apply, as the library has them; a text that is none becomes a name."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import is_supported_id

    if not expressions:
        return []
    try:
        joined = conjunction(expressions)
    except ValueError:
        return [DisjunctiveLicense(name=" ".join(expressions))]
    return [DisjunctiveLicense(id=joined) if is_supported_id(joined) else LicenseExpression(joined)]


def _sha256(digest: str) -> Any:
    from cyclonedx.model import HashAlgorithm, HashType

    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def _properties(values: dict[str, str]) -> list[Any]:
    from cyclonedx.model import Property

    return [Property(name=name, value=value) for name, value in values.items()]


def _bom_ref(name: str) -> Any:
    from cyclonedx.model.bom_ref import BomRef

    return BomRef(name)


def _ref(component: Component) -> str:
    return str(component.bom_ref.value)
