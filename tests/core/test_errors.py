from __future__ import annotations

import pickle
import time

from exemplars.core.errors import Diagnostic, UserError, suggest_name


def test_an_error_keeps_its_diagnostics_on_the_way_from_a_worker() -> None:
    error = UserError([Diagnostic(path="a", code="b", found="c", expected="d", fix="e")])
    assert pickle.loads(pickle.dumps(error)).diagnostics == error.diagnostics


def test_a_name_of_a_megabyte_is_compared_with_nothing() -> None:
    start = time.process_time()
    assert suggest_name("x" * 1_000_000, ["y" * 1_000_000, "name"]) == ""
    assert suggest_name("nmae", ["y" * 1_000_000, "name"]) == "did you mean 'name'?"
    assert time.process_time() - start < 10
