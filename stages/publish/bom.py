"""CycloneDX ML-BOM: the splits, the models, their base models, and the packages that trained them."""

from __future__ import annotations

import datetime
import uuid
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exemplars.core.licenses import join_expressions
from stages.publish.facts import METRICS, ModelSummary, ReleaseFacts, SplitSummary, name_base

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from cyclonedx.model.dependency import Dependency

_SERIALS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:exemplars:mlbom")
"""The namespace of serial numbers."""


def build_ml_bom(facts: ReleaseFacts) -> dict[str, Any]:
    """Build the document as JSON of CycloneDX 1.6, without a clock: its time is the day of the release.

    The library builds and serializes it. Version 11.12 does not have `modelCard` and `data` yet, so these
    are added to its JSON, in the form of the schema of CycloneDX 1.6.
    """
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    params = facts.params
    dataset = Component(
        name=params.name,
        version=params.version,
        type=ComponentType.DATA,
        bom_ref=params.name,
        description=params.description,
        licenses=_build_licenses(*facts.licenses),
    )
    components, dependencies = _build_components(facts)
    midnight = datetime.datetime.combine(params.released, datetime.time(), datetime.UTC)
    bom = Bom(
        components=components,
        dependencies=dependencies,
        metadata=BomMetaData(component=dataset, timestamp=midnight),
        serial_number=_make_serial_number(facts),
    )
    document: dict[str, Any] = msgspec.json.decode(JsonV1Dot6(bom).output_as_string())
    return _add_cards(document, facts)


def _build_components(facts: ReleaseFacts) -> tuple[list[Component], list[Dependency]]:
    """Build splits, models, bases and packages, once each, and what each is made from."""
    from cyclonedx.model.dependency import Dependency

    components = {split.name: _build_split(facts, split) for split in facts.splits}
    edges: dict[str, list[str]] = {facts.params.name: [split.name for split in facts.splits]}
    for model in facts.models:
        base = _build_base(model)
        packages = [_build_package(name, version) for name, version in model.manifest.packages.items()]
        for component in (base, *packages, _build_model(model)):
            components.setdefault(_get_ref(component), component)
        edges[model.manifest.run] = [
            *(_get_ref(component) for component in (base, *packages)),
            *model.manifest.data_hashes,
        ]
    dependencies = [
        Dependency(
            _make_bom_ref(ref),
            dependencies=[
                Dependency(_make_bom_ref(part)) for part in edges.get(ref, ()) if part in components
            ],
        )
        for ref in (facts.params.name, *components)
    ]
    return list(components.values()), dependencies


def _build_split(facts: ReleaseFacts, split: SplitSummary) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    return Component(
        name=f"{facts.params.name}/{split.name}",
        version=facts.params.version,
        type=ComponentType.DATA,
        bom_ref=split.name,
        description=f"{split.rows} exemplars of {split.groups} groups: {split.file.path}",
        hashes=[_build_sha256(split.file.sha256)],
        licenses=_build_licenses(*sorted({declared.expression for declared in split.declared})),
        properties=_build_properties(
            {"exemplars:data_hash": split.data_hash, "exemplars:path": split.file.path}
        ),
    )


def _build_model(model: ModelSummary) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    manifest = model.manifest
    return Component(
        name=manifest.recipe,
        version=manifest.run,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=manifest.run,
        description=f"A run of the recipe {manifest.recipe} from {name_base(manifest.base)}.",
        hashes=[_build_sha256(manifest.weights_sha256)],
        properties=_build_properties(
            {
                "exemplars:code": manifest.code or "unknown",
                "exemplars:rows_sha256": manifest.rows_sha256,
                "exemplars:seed": str(manifest.seed),
                **{f"exemplars:data_hash:{name}": digest for name, digest in manifest.data_hashes.items()},
            }
        ),
    )


def _build_base(model: ModelSummary) -> Component:
    from cyclonedx.model.component import Component, ComponentType

    manifest = model.manifest
    return Component(
        name=name_base(manifest.base),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"base-{manifest.base_sha256}",
        description="The model that training starts from.",
        hashes=[_build_sha256(manifest.base_sha256)],
        licenses=_build_licenses(manifest.base_license),
    )


def _build_package(name: str, version: str) -> Component:
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    purl = PackageURL("pypi", name=name, version=version)
    return Component(
        name=name, version=version, type=ComponentType.LIBRARY, bom_ref=purl.to_string(), purl=purl
    )


def _add_cards(document: dict[str, Any], facts: ReleaseFacts) -> dict[str, Any]:
    """Add what the library does not have: the model card of each run, and the kind of data of each split."""
    models = {model.manifest.run: _build_model_card(model, facts) for model in facts.models}
    splits = {split.name: _build_data_card(split, facts) for split in facts.splits}
    for component in document.get("components", ()):
        ref = component["bom-ref"]
        if ref in models:
            component["modelCard"] = models[ref]
        if ref in splits:
            component["data"] = [splits[ref]]
    first = ("$schema", "bomFormat", "specVersion")
    return {key: document[key] for key in (*first, *(key for key in document if key not in first))}


def _build_model_card(model: ModelSummary, facts: ReleaseFacts) -> dict[str, Any]:
    figures = [
        {
            "type": metric,
            "value": str(metrics[metric]["value"]),
            "slice": f"test, {system}",
            "confidenceInterval": {
                "lowerBound": str(metrics[metric]["low"]),
                "upperBound": str(metrics[metric]["high"]),
            },
        }
        for system, metrics in model.systems.items()
        for metric in METRICS
        if metrics.get(metric, {}).get("value") is not None
    ]
    trained_on = [split.name for split in facts.splits if split.name in model.manifest.data_hashes]
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "function calling",
            "datasets": [{"ref": name} for name in trained_on],
        },
        **({"quantitativeAnalysis": {"performanceMetrics": figures}} if figures else {}),
        "considerations": {
            "useCases": list(facts.params.intended_use),
            "technicalLimitations": list(facts.params.limits),
        },
    }


def _build_data_card(split: SplitSummary, facts: ReleaseFacts) -> dict[str, Any]:
    personal_data = [
        f"{kind}: {count} in all splits together"
        for kind, count in facts.findings.unlabeled_personal_data.items()
    ]
    return {
        "type": "dataset",
        "name": split.name,
        "contents": {"url": split.file.path},
        **({"sensitiveData": personal_data} if personal_data else {}),
        "governance": {"owners": [{"organization": {"name": facts.params.publisher.name}}]},
    }


def _make_serial_number(facts: ReleaseFacts) -> uuid.UUID:
    """Derive the serial number from the name, the version and the content hashes."""
    hashes = [split.file.sha256 for split in facts.splits]
    hashes += [model.manifest.weights_sha256 for model in facts.models]
    return uuid.uuid5(_SERIALS, "\n".join([facts.params.name, facts.params.version, *hashes]))


def _build_licenses(*expressions: str) -> list[Any]:
    """Build the licenses of SPDX expressions that all apply; a text that is not an expression becomes a name."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import is_supported_id

    if not expressions:
        return []
    try:
        joined = join_expressions(expressions)
    except ValueError:
        return [DisjunctiveLicense(name=" ".join(expressions))]
    return [DisjunctiveLicense(id=joined) if is_supported_id(joined) else LicenseExpression(joined)]


def _build_sha256(digest: str) -> Any:
    from cyclonedx.model import HashAlgorithm, HashType

    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def _build_properties(values: dict[str, str]) -> list[Any]:
    from cyclonedx.model import Property

    return [Property(name=name, value=value) for name, value in values.items()]


def _make_bom_ref(name: str) -> Any:
    from cyclonedx.model.bom_ref import BomRef

    return BomRef(name)


def _get_ref(component: Component) -> str:
    return str(component.bom_ref.value)
