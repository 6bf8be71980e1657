"""OpenLineage: a START and a COMPLETE event for each stage that ran, with what it read and wrote."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from exemplars.core.errors import Diagnostic
from stages.publish.facts import Facts
from stages.publish.pipeline import FileFacts, StageFacts

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

PRODUCER: Final = "urn:exemplars:publish"
_RUNS: Final = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)
"""The namespace of run ids."""
_TIMEOUT: Final = 5.0
"""Seconds that an endpoint has for an answer."""


def run_uuid(stage: StageFacts) -> uuid.UUID:
    """The id of a run: UUIDv5 of the stage's name and the content hashes of what it read and wrote."""
    hashes = [f"{side} {one.path} {one.sha256}" for side, one in _sides(stage)]
    return uuid.uuid5(_RUNS, "\n".join([stage.name, *sorted(hashes)]))


def lineage_events(facts: Facts) -> list[RunEvent]:
    """The events, in the order of the pipeline.

    Their time is the day of the release, at midnight UTC: no clock gets into an output, so the order of the
    events, and not their time, says what came first. The namespace is the data set's name.
    """
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.generated.documentation_job import DocumentationJobFacet
    from openlineage.client.generated.job_type_job import JobTypeJobFacet

    time = f"{facts.about.released.isoformat()}T00:00:00Z"
    events = []
    for stage in facts.pipeline:
        run = Run(runId=str(run_uuid(stage)))
        job = Job(
            namespace=facts.about.name,
            name=stage.name,
            facets={
                "documentation": DocumentationJobFacet(description=stage.description, producer=PRODUCER),
                "jobType": JobTypeJobFacet("BATCH", "DVC", "STAGE", producer=PRODUCER),
            },
        )
        common: dict[str, Any] = {"eventTime": time, "producer": PRODUCER, "run": run, "job": job}
        read = [_input(facts.about.name, one) for one in stage.inputs]
        written = [_output(facts.about.name, one) for one in stage.outputs]
        events.append(RunEvent(eventType=RunState.START, **common))
        events.append(RunEvent(eventType=RunState.COMPLETE, inputs=read, outputs=written, **common))
    return events


def lineage_file(events: Iterable[RunEvent]) -> bytes:
    """The events as the client writes them, one JSON object a line."""
    from openlineage.client.serde import Serde

    return "".join(f"{Serde.to_json(one)}\n" for one in events).encode()


def send_events(events: Sequence[RunEvent], url: str) -> Diagnostic | None:
    """Send the events to an endpoint, until one fails; answer what to tell of it, or null.

    url: of the server, without `api/v1/lineage`. One try: what could not be sent is in the file.
    """
    from openlineage.client.transport.http import HttpConfig, HttpTransport
    from requests import RequestException

    transport = HttpTransport(HttpConfig(url=url, timeout=_TIMEOUT, retry={"total": 0}))
    try:
        for number, event in enumerate(events):
            try:
                transport.emit(event)
            except RequestException as error:
                return _unsent(url, number, len(events), error)
    finally:
        transport.close()
    return None


def _unsent(url: str, sent: int, events: int, error: Any) -> Diagnostic:
    response = getattr(error, "response", None)
    reason = type(error).__name__ if response is None else f"HTTP status {response.status_code}"
    return Diagnostic(
        path=url,
        code="lineage_not_sent",
        found=f"{reason} after {sent} of {events} events",
        expected="an OpenLineage endpoint that answers",
        fix="the events are in reports/openlineage.jsonl; to send them again: `dvc repro -f -s publish`",
    )


def _sides(stage: StageFacts) -> list[tuple[str, FileFacts]]:
    return [*(("in", one) for one in stage.inputs), *(("out", one) for one in stage.outputs)]


def _facets(file: FileFacts) -> dict[str, Any]:
    from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
    from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields

    # The standard has no facet for a checksum; a version that is the content hash says the same.
    facets: dict[str, Any] = {
        "version": DatasetVersionDatasetFacet(f"sha256:{file.sha256}", producer=PRODUCER)
    }
    if file.columns:
        fields = [SchemaDatasetFacetFields(name, type_) for name, type_ in file.columns]
        facets["schema"] = SchemaDatasetFacet(fields, producer=PRODUCER)
    return facets


def _input(namespace: str, file: FileFacts) -> Any:
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet

    counts = InputStatisticsInputDatasetFacet(file.rows, file.length, file.files, producer=PRODUCER)
    return InputDataset(namespace, file.path, facets=_facets(file), inputFacets={"inputStatistics": counts})


def _output(namespace: str, file: FileFacts) -> Any:
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.generated.output_statistics_output_dataset import (
        OutputStatisticsOutputDatasetFacet,
    )

    counts = OutputStatisticsOutputDatasetFacet(file.rows, file.length, file.files, producer=PRODUCER)
    return OutputDataset(
        namespace, file.path, facets=_facets(file), outputFacets={"outputStatistics": counts}
    )
