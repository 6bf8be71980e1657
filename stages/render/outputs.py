"""What the stage writes: chat rows, preferences, their ledgers and manifest, and the report."""

from __future__ import annotations

from collections.abc import Mapping

from exemplars.core import layout
from exemplars.core.files import write_json, write_report
from exemplars.core.ids import SplitName
from exemplars.core.tables import rows_to_table, write_table
from exemplars.dataset.row_tables import rejections_to_table
from exemplars.models.preference_rows import PreferenceRow
from exemplars.models.render_manifest import RenderManifest, attach_manifest
from exemplars.models.rows import TrainingRow
from stages.render.preferences import RenderedPreferences
from stages.render.report import build_render_metrics, build_render_report, list_length_bins
from stages.render.training_rows import RenderedSplit, collect_rejections


def write_ledger(splits: Mapping[SplitName, RenderedSplit]) -> None:
    """Write what cannot be rendered, of all splits."""
    write_table(layout.ledger_path(layout.TRAINING_BASE), collect_rejections(splits))


def write_rows(
    splits: Mapping[SplitName, RenderedSplit], preferences: RenderedPreferences, manifest: RenderManifest
) -> None:
    """Write the rows of all splits, and the preferences with their ledger."""
    write_json(layout.TRAINING_BASE, manifest)
    for name, split in splits.items():
        write_table(layout.training(name), attach_manifest(rows_to_table(split.rows, TrainingRow), manifest))
    for name, rows in (("train", preferences.rows), ("validation", preferences.validation)):
        path = layout.preferences(name)
        write_table(path, attach_manifest(rows_to_table(rows, PreferenceRow), manifest))
    write_table(layout.PREFERENCE_REJECTIONS, rejections_to_table(preferences.rejections))


def write_reports(splits: Mapping[SplitName, RenderedSplit], preferences: RenderedPreferences) -> None:
    """Write the report, its metrics, and the data of its plot."""
    write_json(layout.plot("render", "lengths"), list_length_bins(splits))
    write_report("render", report := build_render_report(splits, preferences), build_render_metrics(report))
