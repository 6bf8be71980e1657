"""The expectation suites, run by Great Expectations as one checkpoint, with its Data Docs.

API: docs.greatexpectations.io, version 1.
"""

from __future__ import annotations

import datetime
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import great_expectations as gx
import pandas as pd
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.store.tuple_store_backend import TupleFilesystemStoreBackend
from great_expectations.data_context.types.base import ProgressBarsConfig

from stages.validate.suite_checks import Outcome

MAX_SHOWN: Final = 5
"""The number of rows that the message of a failed expectation shows."""
_RUN: Final = RunIdentifier(run_name="validate", run_time=datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))
"""Has a fixed time: the pages must not change unless the data does."""
_DATASOURCE: Final = "dataset"
"""Part of the file names of the Data Docs: another name would move every page."""
_INDEX: Final = "index"


class SortedPages(TupleFilesystemStoreBackend):
    """Pages on disk, listed in the order of their names instead of that of the file system."""

    def list_keys(self, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        """Return the names of the pages, sorted."""
        return sorted(super().list_keys(prefix))


def run_checkpoint(
    suites: Mapping[str, dict[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    bounds: Mapping[str, Any],
    docs: Path,
) -> tuple[Outcome, ...]:
    """Validate tables against the suites of the same names, and build the Data Docs.

    Returns the outcomes of all expectations, in their order.

    suites: as Great Expectations writes them to JSON. tables: their first column names a row.
    bounds: the values of the suites' `$PARAMETER`s. docs: the folder to build the Data Docs in; its former
    pages are removed.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    os.environ["TZ"] = "UTC"  # The pages give times in the machine's time zone.
    time.tzset()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    shutil.rmtree(docs, ignore_errors=True)
    _add_docs(context, docs)
    source = context.data_sources.add_pandas(_DATASOURCE)
    outcomes: list[Outcome] = []
    for name, suite in suites.items():
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        checkpoint = _add_checkpoint(context, name, suite, batch, tables[name].columns[0])
        result = checkpoint.run(
            batch_parameters={"dataframe": tables[name]}, expectation_parameters=dict(bounds), run_id=_RUN
        )
        for run in result.run_results.values():
            outcomes += [_read_outcome(name, outcome) for outcome in run.results]
    context.build_data_docs()
    order = list(suites)
    return tuple(sorted(outcomes, key=lambda outcome: (order.index(outcome.suite), outcome.number)))


def _add_checkpoint(context: Any, name: str, suite: Mapping[str, Any], batch: Any, id_column: str) -> Any:
    numbered = context.suites.add(gx.ExpectationSuite(**_number_expectations(suite)))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=name, data=batch, suite=numbered)
    )
    return context.checkpoints.add(
        gx.Checkpoint(
            name=name,
            validation_definitions=[definition],
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": MAX_SHOWN,
                "unexpected_index_column_names": [id_column],
            },
        )
    )


def _number_expectations(suite: Mapping[str, Any]) -> dict[str, Any]:
    """Note the index of each expectation, because Great Expectations returns them in another order."""
    expectations = [
        {**expectation, "meta": {**expectation.get("meta", {}), _INDEX: index}}
        for index, expectation in enumerate(suite["expectations"])
    ]
    return {**suite, "expectations": expectations}


def _add_docs(context: Any, docs: Path) -> None:
    context.add_data_docs_site(
        site_name="data_docs",
        site_config={
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "module_name": __name__,
                "class_name": SortedPages.__name__,
                "base_directory": str(docs.absolute()),
            },
        },
    )


def _read_outcome(suite: str, outcome: Any) -> Outcome:
    passed = bool(outcome.success)
    unexpected = (outcome.result or {}).get("unexpected_count")
    return Outcome(
        suite,
        int(outcome.expectation_config.meta[_INDEX]),
        passed,
        "" if passed else _describe_outcome(outcome),
        None if unexpected is None else int(unexpected),
    )


def _describe_outcome(outcome: Any) -> str:
    if messages := _list_exceptions(outcome.exception_info or {}):
        return f"an error: {'; '.join(messages)}"
    details = outcome.result or {}
    rows = [
        ", ".join(f"{key}={value}" for key, value in row.items())
        for row in details.get("partial_unexpected_index_list") or ()
    ]
    if rows:
        count = details["unexpected_count"]
        return f"{count:,} {'row' if count == 1 else 'rows'}, such as {'; '.join(rows[:MAX_SHOWN])}"
    return f"{details.get('observed_value')}"


def _list_exceptions(info: Mapping[str, Any]) -> list[str]:
    """List what was raised: Great Expectations reports it once, or once for each metric that it computes."""
    reports = [info] if "raised_exception" in info else list(info.values())
    return sorted({str(report["exception_message"]) for report in reports if report["raised_exception"]})
