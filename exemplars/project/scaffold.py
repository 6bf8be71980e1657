"""The files of a new project, and how they get to the disk: all of them or none, and never over another file."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from exemplars.audit.git_history import run_git
from exemplars.core import layout
from exemplars.core.code_version import CODE, PIPELINE, get_version
from exemplars.core.errors import Diagnostic, UserError, quote_text, summarize_names
from exemplars.core.files import encode_json, format_path, write_bytes
from exemplars.core.folders import replace_folder
from exemplars.core.names import NAME_RULE, is_name
from exemplars.export.plot_templates import build_plot_templates
from exemplars.export.plots_page import TEMPLATE, build_plots_template
from exemplars.project.code_file import EMPTY_LOG, build_code_file
from exemplars.project.example_sources import BUILDERS, FORMATS
from exemplars.project.pipeline import build_project_pipeline
from exemplars.project.rendering import read_template, render_template
from exemplars.project.skill_drafts import SkillDraft

_SKILL: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_KEPT: Final = ("README.md", ".gitignore", ".dvcignore", ".github/workflows/ci.yml")
"""Files that stay as they are in a folder that has them."""
_DVC: Final = (".dvc/config", ".dvc/.gitignore")


def build_project(
    name: str, skills: Sequence[str], form: str, today: datetime.date, drafts: Sequence[SkillDraft] = ()
) -> dict[str, bytes]:
    """Build the files of a project, by path.

    name: of the project and of its source. skills: names of skills. form: one of `FORMATS`. today: the date of
    release. drafts: the skill files of the first source, if there are any, instead of `skills` in `form`.
    Raises `UserError` if a name cannot be used.
    """
    _check_names(name, skills)
    values = {
        "name": name,
        "title": name.replace("_", " ").replace("-", " ").capitalize(),
        "format": form,
        "formats": FORMATS,
        "today": today.isoformat(),
        "version": get_version(),
    }
    pipeline = build_project_pipeline(PIPELINE.read_text("utf-8"))
    texts = {
        "dvc.yaml": pipeline,
        str(CODE): build_code_file(pipeline),
        "params.yaml": render_template("params.yaml.jinja", **values),
        "README.md": render_template("README.md.jinja", **values),
        ".gitignore": read_template("gitignore"),
        ".dvcignore": read_template("dvcignore"),
        ".github/workflows/ci.yml": read_template("ci.yml"),
        f"{layout.SCHEMAS}/README.md": read_template("schemas.md"),
        f"{layout.AGAINST.as_posix()}/README.md": read_template("against.md"),
        **dict.fromkeys((path.as_posix() for path in layout.LOGS), EMPTY_LOG),
        ".dvc/config": read_template("dvc_config"),
        ".dvc/.gitignore": read_template("dvc_gitignore"),
    }
    built = (
        BUILDERS[form](name, skills)
        if not drafts
        else {f"{draft.name}.md": draft.text.encode() for draft in drafts}
    )
    source = {f"data/raw/{name}/{path}": data for path, data in built.items()}
    return {**{path: text.encode() for path, text in texts.items()}, **_build_plot_files(), **source}


def _build_plot_files() -> dict[str, bytes]:
    """Build the templates of plots that work offline."""
    templates = {
        TEMPLATE.with_name(f"{plot}.json").as_posix(): encode_json(template)
        for plot, template in build_plot_templates().items()
    }
    return {TEMPLATE.as_posix(): build_plots_template().encode(), **templates}


def write_project(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write the files of a project into a folder, which need not exist; return those that it had and kept.

    A new folder appears with all files in it, or not at all. Raises `UserError` if the folder has a file that would
    be replaced.
    """
    if not folder.exists():
        with replace_folder(folder) as partial:
            for path, data in files.items():
                write_bytes(partial / path, data)
        return []
    kept = [path for path in files if path in _KEPT and (folder / path).exists()]
    if (folder / ".dvc").exists():
        kept += [path for path in files if path in _DVC]
    _check_free(folder, [path for path in files if path not in kept])
    written: list[Path] = []
    try:
        for path, data in files.items():
            if path not in kept:
                write_bytes(folder / path, data)
                written.append(folder / path)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise
    return kept


def init_git(folder: Path) -> bool:
    """Make a git repository of a folder that is in none, as DVC needs one. Returns whether there is one now."""
    if run_git(folder, "rev-parse", "--is-inside-work-tree"):
        return True
    return run_git(folder, "init", "--quiet") is not None


def _check_names(name: str, skills: Iterable[str]) -> None:
    problems = []
    if not is_name(name):
        problems.append(_problem(format_path(name), "bad_name", f"the name {quote_text(name)}", NAME_RULE))
    seen: set[str] = set()
    for skill in skills:
        if not _SKILL.fullmatch(skill):
            expected = "a name of a function: letters, digits, _ and -, and no digit at the beginning"
            problems.append(_problem("--skills", "bad_skill", f"the skill {quote_text(skill)}", expected))
        elif skill.casefold() in seen:
            problems.append(_problem("--skills", "repeated_skill", f"{skill!r} twice", "each skill once"))
        seen.add(skill.casefold())
    if problems:
        raise UserError(problems)


def _check_free(folder: Path, paths: Iterable[str]) -> None:
    taken = sorted(path for path in paths if (folder / path).exists() or (folder / path).is_symlink())
    if taken:
        fix = "name another folder, or move them away: nothing is overwritten"
        found = f"{summarize_names(taken)} there already"
        raise UserError([_problem(format_path(folder), "folder_in_use", found, "a new project", fix)])


def _problem(path: str, code: str, found: str, expected: str, fix: str = "choose another name") -> Diagnostic:
    return Diagnostic(path=path, code=code, found=found, expected=expected, fix=fix)
