"""Check names and English in code, docs and messages: `python tests/style/check_style.py [PATH ...]`.

Part of `make check`. What it holds:

- No variable is called `one`; no name has a word that says less than the field's own.
- The name of a public function begins with a verb (at least 80 % do).
- The docstring of a public function or method begins with an imperative.
- No function is longer than 40 lines, and no entry point of a stage longer than 40.
- Docstrings, comments, messages and docs avoid words that say less than the field's own.
- US spelling.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

PROJECT: Final = Path(__file__).parents[2]
STYLE: Final = Path(__file__).parent
SAMPLE: Final = PROJECT / "tests/sample/data"
"""What people say to a machine is data."""
CODE: Final = ("exemplars", "stages")
TESTS: Final = ("tests",)
PROSE: Final = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs", "params.yaml", "dvc.yaml", "Makefile")
MAX_LINES: Final = 40
MIN_VERB_SHARE: Final = 0.8

VERBS: Final = frozenset((Path(__file__).with_name("verbs.txt")).read_text("utf-8").split())
"""What names of functions and docstrings may begin with."""

BANNED: Final = {
    r"\bstands?\b(?! (for|in for|alone)\b)": "is, appears, comes",
    r"\b(told|tells|tell of)\b": "says, reports, logged",
    r"\banew\b": "again",
    r"\bso many\b": "n, a number of",
    r"\bthe least\b": "the minimum, at least",
    r"\banother one\b": "a different one",
    r"\bnot to be had\b": "unavailable",
    r"\b(there|that|it|which|where it) is none\b": "does not exist, is missing, `None`",
    r"\bbeside\b": "next to, in addition to, besides",
    r"\bbehind\b": "after",
    r"\black(s|ed|ing)?\b": "does not have, is missing",
    r"\bin vain\b": "without use",
    r"\bsightings?\b|\bmakings?\b": "membership, provenance",
    r"\bladder\b|\brungs?\b": "cascade, match tier",
    r"\bthe shell of\b": "the entry point of",
    r"\bgoes? out\b": "is rejected",
    r"\blicen[c]e(s|d)?\b": "license (US)",
    r"\bdata[ ]set(s?)\b": "dataset",
    r"\b(un)?label[l](ed|ing)\b(?<!raw/labelled)(?<!`labelled)(?<!@labelled)(?!:| \d| *[:,\]]| \w+\.parquet)": "labeled (US)",
    r"\b(neigh|behavi|col|fav|flav|hon|lab|vap)our(s|ed|ing|able|ite)?\b": "-or (US)",
    r"\b(normal|serial|organ|recogn|optim|token|summar|random|initial|minim|maxim|general|util)is(e|es|ed|ing|ation)\b": "-ize (US)",
    r"\b(judgement|artefact|catalogue|centre|grey|analyse|modelling|cancelled|fulfil|towards|whilst)\b": "US spelling",
}
NULL: Final = re.compile(r"(?<![`\w\"'])null(?![`\w\"'])")
"""In docstrings and comments of Python code it is called `None`; those of `params.py` and `recipe_params.py` are comments of YAML."""


BANNED_NAMES: Final = frozenset(
    {"told", "anew", "beside", "behind", "lacks", "stands", "licence", "licences"}
)
"""Words that no name has, as parts between underscores."""


class Finding(NamedTuple):
    """One thing to change."""

    path: Path
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        path = self.path.relative_to(PROJECT) if self.path.is_relative_to(PROJECT) else self.path
        return f"{path}:{self.line}: {self.rule}: {self.text}"


class Names(NamedTuple):
    """The public functions of some files."""

    verbs: list[str]
    others: list[str]


def check_prose(path: Path, line: int, text: str) -> Iterator[Finding]:
    """Find words in a text that the style avoids."""
    for number, part in enumerate(text.splitlines(), line):
        for pattern, better in BANNED.items():
            for found in re.finditer(pattern, part, re.IGNORECASE):
                yield Finding(path, number, "word", f"{found[0]!r}: {better}: {part.strip()[:90]}")


def check_code_text(path: Path, source: str) -> Iterator[Finding]:
    """Find words in the comments, docstrings and messages of a Python file that the style avoids.

    Other texts of tests are data, and are not checked.
    """
    docstrings = {node.lineno for node in _find_docstrings(ast.parse(source))}
    is_test = path.relative_to(PROJECT).parts[0] in TESTS
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_prose = token.type == tokenize.COMMENT or token.start[0] in docstrings
        if token.type not in (tokenize.COMMENT, tokenize.STRING) or (is_test and not is_prose):
            continue
        text = token.string
        if token.type == tokenize.STRING and " " not in text.strip():
            continue  # A key or a word of data.
        yield from check_prose(path, token.start[0], text)
        for number, part in enumerate(text.splitlines() if is_prose else (), token.start[0]):
            if NULL.search(part) and path.name not in ("params.py", "recipe_params.py"):
                yield Finding(path, number, "word", f"'null': `None`: {part.strip()[:90]}")


def _find_docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the texts that are statements of their own: docstrings, also those of constants and fields."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.value


def check_names(path: Path, tree: ast.Module) -> Iterator[Finding]:
    """Find variables and parameters that are called `one`, and names with words that the style avoids."""
    for node in ast.walk(tree):
        name = ""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        if name == "one":
            yield Finding(path, node.lineno, "name", "`one` is not a name: use the noun of what it holds")
        for word in sorted(BANNED_NAMES & set(name.lower().split("_"))):
            yield Finding(path, node.lineno, "name", f"{name} has the word {word!r}")


def check_functions(path: Path, tree: ast.Module, names: Names) -> Iterator[Finding]:
    """Find long functions, and docstrings of public ones that do not begin with an imperative."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > MAX_LINES:
            yield Finding(path, node.lineno, "length", f"{node.name} has {lines} lines, at most {MAX_LINES}")
    for function in _public_functions(tree):
        (names.verbs if function.name.split("_")[0] in VERBS else names.others).append(
            f"{path.relative_to(PROJECT)}:{function.lineno} {function.name}"
        )
        first = (ast.get_docstring(function) or "").split(maxsplit=1)
        word = first[0].strip(".,:`").lower() if first else ""
        if word not in VERBS:
            yield Finding(
                path, function.lineno, "docstring", f"{function.name} begins with {word!r}, no verb"
            )


def _public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield public functions, and public methods of public classes that are not properties."""
    for node in tree.body:
        members = [node]
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            members = list(node.body)
        for member in members:
            if not isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) or member.name.startswith("_"):
                continue
            decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in member.decorator_list}
            if not decorators & {"property", "cached_property", "setter"} and ast.get_docstring(member):
                yield member


def check_python(path: Path, names: Names) -> Iterator[Finding]:
    """Check one Python file."""
    source = path.read_text("utf-8")
    tree = ast.parse(source)
    yield from check_code_text(path, source)
    yield from check_names(path, tree)
    if path.relative_to(PROJECT).parts[0] in CODE:
        yield from check_functions(path, tree, names)
        if path.name == "__main__.py" and source.count("\n") > MAX_LINES:
            yield Finding(path, 1, "length", f"an entry point of {source.count(chr(10))} lines")


def find_files(paths: list[Path]) -> list[Path]:
    """List the Python, Markdown and YAML files at some paths."""
    files = [
        file
        for path in paths
        for file in (path.rglob("*") if path.is_dir() else [path])
        if (file.suffix in (".py", ".md", ".yaml", ".jinja") or file.name == "Makefile")
        and not file.is_relative_to(SAMPLE)
    ]
    return sorted({file for file in files if STYLE not in file.parents and "__pycache__" not in file.parts})


def check_files(files: list[Path]) -> tuple[list[Finding], Names]:
    """Check files; return what is to change, and the public functions by their names."""
    names = Names([], [])
    findings: list[Finding] = []
    for file in files:
        if file.suffix == ".py":
            findings += check_python(file, names)
        else:
            findings += check_prose(file, 1, file.read_text("utf-8"))
    return findings, names


def main() -> int:
    """Check the given paths, or all of the project; return the exit status."""
    paths = [Path(argument).resolve() for argument in sys.argv[1:]]
    defaults = [PROJECT / name for name in (*CODE, *TESTS, *PROSE) if (PROJECT / name).exists()]
    findings, names = check_files(find_files(paths or defaults))
    for finding in findings:
        print(finding)
    total = len(names.verbs) + len(names.others)
    share = len(names.verbs) / total if total else 1.0
    if paths or share < MIN_VERB_SHARE:
        print("\n".join(f"no verb: {name}" for name in names.others))
    print(f"{len(findings)} finding(s); {len(names.verbs)} of {total} public functions begin with a verb")
    return 1 if findings or share < MIN_VERB_SHARE else 0


if __name__ == "__main__":
    sys.exit(main())
