"""The shell of the stage `publish`: `python -m stages.publish`."""

from __future__ import annotations

import sys

import vl_convert

from exemplars.core.errors import run_main
from exemplars.core.files import write_bytes
from exemplars.core.params import load_section
from stages.publish import paths
from stages.publish.documents import documents_of, published
from stages.publish.facts import facts_of
from stages.publish.inputs import read_inputs, read_material
from stages.publish.openlineage import lineage_events, lineage_file, send_events
from stages.publish.page import dataset_page
from stages.publish.params import PublishParams

SNIPPET = "window.vegaEmbed = vegaEmbed;"


def main() -> None:
    """Read reports, tables and files, write the page and the documents, send the events of lineage."""
    params = load_section("publish", PublishParams)
    inputs = read_inputs()
    material = read_material(inputs.manifest)
    facts = facts_of(params, inputs, material)
    documents = documents_of(facts, dataset_page(inputs, vl_convert.javascript_bundle(SNIPPET)))
    events = lineage_events(published(facts, material.steps, documents))
    for path, data in {**documents, paths.OPENLINEAGE: lineage_file(events)}.items():
        write_bytes(path, data)
    # A server that is down does not fail the stage: its outputs are the same with it and without.
    if params.openlineage_url and (problem := send_events(events, params.openlineage_url)):
        print(f"warning: {problem}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run_main(main))
