"""The expectation suites, run by Great Expectations as one checkpoint, with its Data Docs.

API: docs.greatexpectations.io, version 1.
"""

from __future__ import annotations

import datetime
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import great_expectations as gx
import pandas as pd
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.store.tuple_store_backend import TupleFilesystemStoreBackend
from great_expectations.data_context.types.base import ProgressBarsConfig

from exemplars.core.errors import Diagnostic

SHOWN: Final = 5
"""How many rows a failed expectation shows."""
_RUN: Final = RunIdentifier(run_name="validate", run_time=datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))
"""A fixed time: the pages must not change when the data does not."""
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CLOCK: Final = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


class SortedPages(TupleFilesystemStoreBackend):
    """Pages on disk, indexed in the order of their names and not of the file system."""

    def list_keys(self, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        """The names of the pages, sorted."""
        return sorted(super().list_keys(prefix))


class Failure(NamedTuple):
    """An expectation that the data does not meet."""

    suite: str
    critical: bool
    diagnostic: Diagnostic


class Verdict(NamedTuple):
    """What the checkpoint found."""

    expectations: dict[str, int]
    """How many each suite has."""
    failures: tuple[Failure, ...]


def run_checkpoint(
    suites: Mapping[str, dict[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    bounds: Mapping[str, Any],
    docs: Path,
) -> Verdict:
    """Judge the tables by the suites of the same names.

    suites: as Great Expectations writes them to JSON. tables: their first column names a row.
    bounds: the values of the suites' `$PARAMETER`s. docs: the folder to build the Data Docs in.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "False")
    os.environ["TZ"] = "UTC"  # The pages tell times in the zone of the machine.
    time.tzset()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    _add_docs(context, docs)
    source = context.data_sources.add_pandas("data set")
    failures: list[Failure] = []
    for name, suite in suites.items():
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(
                name=name, data=batch, suite=context.suites.add(gx.ExpectationSuite(**suite))
            )
        )
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(
                name=name,
                validation_definitions=[definition],
                result_format={
                    "result_format": "SUMMARY",
                    "partial_unexpected_count": SHOWN,
                    "unexpected_index_column_names": [tables[name].columns[0]],
                },
            )
        )
        result = checkpoint.run(
            batch_parameters={"dataframe": tables[name]}, expectation_parameters=dict(bounds), run_id=_RUN
        )
        for run in result.run_results.values():
            failures += [_failure(name, one) for one in run.results if not one.success]
    context.build_data_docs()
    return Verdict({name: len(suite["expectations"]) for name, suite in suites.items()}, tuple(failures))


def stable_page(page: str) -> str:
    """A page of the Data Docs with a fixed time for the clock's, and numbered ids for random ones."""
    numbers: dict[str, str] = {}
    page = _CLOCK.sub("20000101T000000.000000Z", page)
    return _UUID.sub(lambda match: numbers.setdefault(match[0], f"id-{len(numbers) + 1}"), page)


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


def _failure(suite: str, result: Any) -> Failure:
    config = result.expectation_config
    column = config.kwargs.get("column", "table")
    return Failure(
        suite,
        str(getattr(config.severity, "value", config.severity)) == "critical",
        Diagnostic(
            path=f"schemas/expectations/{suite}.json",
            code=f"{config.type}({column})",
            found=_found(result),
            expected=str((config.meta or {}).get("notes") or _bounds(config.kwargs)),
            fix="correct these rows at their origin, or change the bound in params.yaml (validate)",
        ),
    )


def _found(result: Any) -> str:
    if errors := _errors(result.exception_info or {}):
        return f"an error: {'; '.join(errors)}"
    facts = result.result or {}
    rows = [
        ", ".join(f"{key}={value}" for key, value in row.items())
        for row in facts.get("partial_unexpected_index_list") or ()
    ]
    if rows:
        return f"{facts['unexpected_count']} row(s), such as {'; '.join(rows[:SHOWN])}"
    return f"{facts.get('observed_value')}"


def _errors(told: Mapping[str, Any]) -> list[str]:
    """What was raised: Great Expectations tells it once, or once for each metric that it computes."""
    each = [told] if "raised_exception" in told else list(told.values())
    return sorted({str(one["exception_message"]) for one in each if one["raised_exception"]})


def _bounds(kwargs: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key}={value}"
        for key, value in kwargs.items()
        if key not in ("column", "batch_id") and value is not None
    )
