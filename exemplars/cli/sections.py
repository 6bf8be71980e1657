"""The types of the sections of `params.yaml`, imported only by the commands that need them."""

from __future__ import annotations

import msgspec

from exemplars.core.params import SECTIONS


def load_section_types() -> dict[str, type[msgspec.Struct]]:
    """Import the type of each section, in the order of `SECTIONS`."""
    # Imported here: the sections' types would slow down every other command.
    from stages.compile.params import CompileParams
    from stages.curate.params import CurateParams
    from stages.evaluate.params import EvaluateParams
    from stages.ingest.params import IngestParams
    from stages.publish.params import PublishParams
    from stages.render.params import RenderParams
    from stages.split.params import SplitParams
    from stages.train.params import TrainParams
    from stages.validate.params import ValidateParams

    types: tuple[type[msgspec.Struct], ...] = (
        IngestParams,
        CompileParams,
        CurateParams,
        ValidateParams,
        SplitParams,
        RenderParams,
        TrainParams,
        EvaluateParams,
        PublishParams,
    )
    return dict(zip(SECTIONS, types, strict=True))
