"""Entry point of the stage `publish`: `python -m stages.publish`."""

from __future__ import annotations

import sys

from exemplars.core.code_version import run_stage
from exemplars.core.files import write_bytes
from exemplars.core.params import load_section
from exemplars.core.terminal import print_errors, print_line
from stages.publish.documents import add_publish_run, build_documents
from stages.publish.facts import gather_facts
from stages.publish.inputs import read_artifacts, read_inputs
from stages.publish.openlineage import build_lineage_events, encode_lineage_events, send_events
from stages.publish.page import build_dataset_page
from stages.publish.params import PublishParams
from stages.publish.paths import OPENLINEAGE


def main() -> str:
    """Read reports, tables and files; write the page and the documents; send the lineage events."""
    params = load_section("publish", PublishParams)
    inputs = read_inputs()
    artifacts = read_artifacts(inputs.manifest)
    facts = gather_facts(params, inputs, artifacts)
    page = build_dataset_page(facts, inputs)
    documents = build_documents(facts, page.html)
    events = build_lineage_events(add_publish_run(facts, artifacts.stages, documents))
    for path, data in {**documents, OPENLINEAGE: encode_lineage_events(events)}.items():
        write_bytes(path, data)
    if params.openlineage_url and (problem := send_events(events, params.openlineage_url)):
        print_errors([f"warning: {problem}"])
    for line in page.summary[:-1]:
        print_line(line)
    return page.summary[-1]


if __name__ == "__main__":
    sys.exit(run_stage("publish", main))
