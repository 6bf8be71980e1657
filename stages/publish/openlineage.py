"""OpenLineage events: a START and a COMPLETE event for each stage that ran, with what it read and wrote."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from exemplars.core.errors import Diagnostic
from stages.publish.facts import ReleaseFacts
from stages.publish.paths import OPENLINEAGE
from stages.publish.pipeline import HashedFile, StageRun

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

PRODUCER: Final = "urn:exemplars:publish"
_RUNS: Final = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)
"""The namespace of run ids."""
_TIMEOUT: Final = 5.0
"""Seconds to wait for an answer of the server."""


def make_run_uuid(run: StageRun) -> uuid.UUID:
    """Make the id of a run: UUIDv5 of the stage's name and the content hashes of what it read and wrote."""
    hashes = [f"in {file.path} {file.sha256}" for file in run.inputs]
    hashes += [f"out {file.path} {file.sha256}" for file in run.outputs]
    return uuid.uuid5(_RUNS, "\n".join([run.name, *sorted(hashes)]))


def build_lineage_events(facts: ReleaseFacts) -> list[RunEvent]:
    """Build the events, in the order of the pipeline. The namespace is the dataset's name.

    The time of all events is the day of the release, at midnight UTC, because outputs do not depend on a
    clock: the order of the events, not their time, says what came first.
    """
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.generated.documentation_job import DocumentationJobFacet
    from openlineage.client.generated.job_type_job import JobTypeJobFacet

    namespace = facts.params.name
    time = f"{facts.params.released.isoformat()}T00:00:00Z"
    events = []
    for stage in facts.pipeline:
        run = Run(runId=str(make_run_uuid(stage)))
        job = Job(
            namespace=namespace,
            name=stage.name,
            facets={
                "documentation": DocumentationJobFacet(description=stage.description, producer=PRODUCER),
                "jobType": JobTypeJobFacet("BATCH", "DVC", "STAGE", producer=PRODUCER),
            },
        )
        common: dict[str, Any] = {"eventTime": time, "producer": PRODUCER, "run": run, "job": job}
        inputs = [_build_input(namespace, file) for file in stage.inputs]
        outputs = [_build_output(namespace, file) for file in stage.outputs]
        events.append(RunEvent(eventType=RunState.START, **common))
        events.append(RunEvent(eventType=RunState.COMPLETE, inputs=inputs, outputs=outputs, **common))
    return events


def encode_lineage_events(events: Iterable[RunEvent]) -> bytes:
    """Encode the events as the client does, one JSON object per line."""
    from openlineage.client.serde import Serde

    return "".join(f"{Serde.to_json(event)}\n" for event in events).encode()


def send_events(events: Sequence[RunEvent], url: str) -> Diagnostic | None:
    """Send the events to a server until one fails; return the problem, or `None` if all were sent.

    url: of the server, without `api/v1/lineage`. Nothing is tried twice: the file has all events.
    """
    from openlineage.client.transport.http import HttpConfig, HttpTransport
    from requests import RequestException

    transport = HttpTransport(HttpConfig(url=url, timeout=_TIMEOUT, retry={"total": 0}))
    try:
        for number, event in enumerate(events):
            try:
                transport.emit(event)
            except RequestException as error:
                return _describe_failure(url, number, len(events), error)
    finally:
        transport.close()
    return None


def _describe_failure(url: str, sent: int, events: int, error: Any) -> Diagnostic:
    response = getattr(error, "response", None)
    reason = type(error).__name__ if response is None else f"HTTP status {response.status_code}"
    return Diagnostic(
        path=url,
        code="lineage_not_sent",
        summary=f"the server took {sent} of {events} lineage events, then failed ({reason})",
        found=f"{reason} after {sent} of {events} events",
        expected="an OpenLineage server that answers",
        fix=f"{OPENLINEAGE} has all events; run `dvc repro -f -s publish` to send them again",
    )


def _build_facets(file: HashedFile) -> dict[str, Any]:
    from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
    from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields

    # The standard has no facet for a checksum, so the content hash serves as the version.
    facets: dict[str, Any] = {
        "version": DatasetVersionDatasetFacet(f"sha256:{file.sha256}", producer=PRODUCER)
    }
    if file.columns:
        fields = [SchemaDatasetFacetFields(name, type_) for name, type_ in file.columns]
        facets["schema"] = SchemaDatasetFacet(fields, producer=PRODUCER)
    return facets


def _build_input(namespace: str, file: HashedFile) -> Any:
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet

    counts = InputStatisticsInputDatasetFacet(file.rows, file.length, file.files, producer=PRODUCER)
    return InputDataset(
        namespace, file.path, facets=_build_facets(file), inputFacets={"inputStatistics": counts}
    )


def _build_output(namespace: str, file: HashedFile) -> Any:
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.generated.output_statistics_output_dataset import (
        OutputStatisticsOutputDatasetFacet,
    )

    counts = OutputStatisticsOutputDatasetFacet(file.rows, file.length, file.files, producer=PRODUCER)
    return OutputDataset(
        namespace, file.path, facets=_build_facets(file), outputFacets={"outputStatistics": counts}
    )
