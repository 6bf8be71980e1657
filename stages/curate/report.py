"""`reports/curate.json`: the stage in numbers, for `dvc metrics diff`."""

from __future__ import annotations

from typing import Any

from exemplars.core.reports import count_sorted
from stages.curate.curation import Curated, Representativeness
from stages.curate.slices import DEMOGRAPHIC

THIN = 3
"""A skill, parameter or value with fewer rows is counted as thin."""


def curate_report(curated: Curated) -> dict[str, Any]:
    """The metrics of the stage."""
    about = curated.representativeness
    skills = [one for one in about.coverage if not one.parameter]
    parameters = [one for one in about.coverage if one.parameter and not one.value]
    values = [one for one in about.coverage if one.value]
    return {
        "exemplars": len(curated.kept) + len(curated.rejections),
        "kept": len(curated.kept),
        "rejected": len(curated.rejections),
        "rejections_by_reason": count_sorted(str(one.reason) for one in curated.rejections),
        "duplicates": {
            "pairs": count_sorted(one.column for one in curated.pairs),
            "clusters": curated.clusters,
            "clustered_rows": curated.clustered_rows,
            "joined_groups": curated.joined_groups,
        },
        "conflicts": curated.conflicts,
        "label_noise": curated.noise,
        "review": count_sorted(one.why for one in curated.review),
        "quality_flags": curated.flags,
        "personal_data": curated.personal,
        "coverage": {
            "skills_without_rows": sum(not one.rows for one in skills),
            "thin_skills": sum(one.rows < THIN for one in skills),
            "thin_parameters": sum(one.rows < THIN for one in parameters),
            "thin_values": sum(one.rows < THIN for one in values),
        },
        "balance": {
            one.name: {"entropy": one.entropy, "ratio": one.ratio}
            for one in about.balance
            if one.name == "skills"
        },
        "associations": {
            one.dimension: {"rows": one.rows, "effect": one.effect, "p_value": one.p_value}
            for one in about.associations
        },
        "mentions": {
            f"{one.dimension}: {one.slice}": one.rows
            for one in about.slices
            if one.dimension in DEMOGRAPHIC and not one.slice.startswith("(")
        },
    }


def as_document(about: Representativeness) -> dict[str, list[dict[str, Any]]]:
    """`data/curated/representativeness.json`: lists of objects, with the fields of their types."""
    return {name: [one._asdict() for one in rows] for name, rows in about._asdict().items()}
