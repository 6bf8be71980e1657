"""Shapes of weights, read from the headers of safetensors and GGUF files; no weight is loaded."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from exemplars.models.base_models import Base, FolderBase, HubBase, PackagedBase, locate_packaged_base

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each weight by its name; of a matrix (outputs, inputs)."""
_MAX_HEADER: Final = 100 * 2**20
"""Bytes of a safetensors header, at most: the limit of the format."""
_MAX_NAME: Final = 2**16
_GGUF_FORMATS: Final = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
"""The scalar types of GGUF metadata, as `struct` writes them."""
_GGUF_TEXT: Final = 8
_GGUF_ARRAY: Final = 9


class _Tensor(msgspec.Struct):
    """An entry of a safetensors header."""

    shape: tuple[int, ...] = ()


def list_weight_files(base: Base) -> list[Path]:
    """List the files with the weights of a base model on this machine; none if it is not here."""
    match base:
        case PackagedBase():
            path = locate_packaged_base(base)
            return [path] if path is not None and path.is_file() else []
        case FolderBase():
            return sorted(Path(base.path).glob("*.safetensors"))
        case HubBase():
            return _list_downloaded(base)


def read_shapes(files: Iterable[Path]) -> Shapes:
    """Read the shapes of the weights in files; none if one of them is damaged."""
    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        try:
            shapes |= _read_gguf(path) if path.suffix == ".gguf" else _read_safetensors(path)
        except (OSError, ValueError, KeyError, struct.error, msgspec.DecodeError):
            return {}
    return shapes


def _list_downloaded(base: HubBase) -> list[Path]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(base.id, revision=base.revision, local_files_only=True)
    except (LocalEntryNotFoundError, OSError, ValueError):
        return []
    return sorted(Path(folder).glob("*.safetensors"))


def _read_safetensors(path: Path) -> dict[str, tuple[int, ...]]:
    """Read a header: its length in 8 bytes, and a JSON object. Raises `ValueError` or `DecodeError`."""
    with path.open("rb") as file:
        [length] = struct.unpack("<Q", file.read(8))
        if length > _MAX_HEADER:
            raise ValueError("the header is too long")
        header = msgspec.json.decode(file.read(length), type=dict[str, _Tensor])
    return {name: tensor.shape for name, tensor in header.items() if name != "__metadata__"}


def _read_gguf(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the list of tensors of a GGUF file, as github.com/ggml-org/ggml specifies the format.

    The reader of the package `gguf` would take seconds: it decodes the vocabulary. Raises `ValueError`.
    """
    with path.open("rb") as file:
        magic, _, tensors, entries = _unpack(file, "<4sIQQ")
        if magic != b"GGUF":
            raise ValueError("the file has no GGUF header")
        for _ in range(entries):
            _read_text(file)
            _skip_value(file, _unpack(file, "<I")[0])
        shapes = {}
        for _ in range(tensors):
            name, [dimensions] = _read_text(file), _unpack(file, "<I")
            shape = _unpack(file, f"<{dimensions}Q")
            _unpack(file, "<IQ")  # The type and the place of the weights.
            shapes[name] = tuple(reversed(shape))  # GGUF has the fastest dimension first.
    return shapes


def _unpack(file: BinaryIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _read_text(file: BinaryIO) -> str:
    [length] = _unpack(file, "<Q")
    if length > _MAX_NAME:
        raise ValueError("a name is too long")
    return file.read(length).decode("utf-8")


def _skip_value(file: BinaryIO, kind: int) -> None:
    if kind == _GGUF_TEXT:
        file.seek(_unpack(file, "<Q")[0], 1)
    elif kind == _GGUF_ARRAY:
        inner, count = _unpack(file, "<IQ")
        if inner in _GGUF_FORMATS:
            file.seek(count * struct.calcsize(_GGUF_FORMATS[inner]), 1)
        else:
            for _ in range(count):
                _skip_value(file, inner)
    else:
        file.seek(struct.calcsize(_GGUF_FORMATS[kind]), 1)
