"""Stages as processes that start in milliseconds: forked from a process that has imported what they import.

A stage's own work takes a fraction of a second on a small project, and its imports (Great Expectations, torch)
take several. A `StageServer` imports them once for all tests of a worker and forks for each run, so that every
run is still a process of its own, with its own folder, environment, limit of file sizes, output and exit status;
if its client is killed, so is the run. Its `python` is a program that hands `python -m` of a stage, of `dvc` or of
`exemplars` to the server, and any other command to the real Python.

What must not be forked (a test that replaces Python's own functions by `sitecustomize`, or depends on the hash
seed) runs `sys.executable` instead.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pkgutil
import resource
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
COMMANDS: Final = ("exemplars.cli.main", "dvc")
STAGES: Final = ("ingest", "compile", "curate", "split", "validate", "publish")
MODEL_STAGES: Final = ("render", "train", "evaluate")
"""Those that import torch, which takes several seconds more."""
LIBRARIES: Final = (
    "great_expectations",
    "sklearn.feature_extraction.text",
    "sklearn.model_selection",
    "sklearn.naive_bayes",
    "sklearn.pipeline",
    "scipy.stats",
    "py3langid",
    "rensa",
    "spellchecker",
    "openlineage.client",
    "cyclonedx.model.bom",
    "exemplars.generation.project",
    "exemplars.generation.session",
    "openai.resources.chat.completions",
)
"""What stages import inside functions."""
MODEL_LIBRARIES: Final = (
    "accelerate",
    "bitsandbytes",
    "dvclive",
    "peft",
    "safetensors.torch",
    "torch.distributed.run",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
    "trl",
)
DVC_LIBRARIES: Final = (
    "dvc.cachemgr",
    "dvc.cli.parser",
    "dvc.data_cloud",
    "dvc.commands.experiments.run",
    "dvc.fs",
    "dvc.parsing",
    "dvc.render",
    "dvc.repo.commit",
    "dvc.repo.experiments.queue.celery",
    "dvc.repo.experiments.run",
    "dvc.repo.metrics.show",
    "dvc.repo.params.diff",
    "dvc.repo.push",
    "dvc.repo.reproduce",
    "dvc.repo.status",
    "dvc.rwlock",
    "dvc.stage.cache",
    "dvc.stage.run",
    "dvc_data.index.checkout",
    "dvc_data.index.push",
    "networkx.algorithms",
    "scmrepo.git",
)
CLIENT: Final = """\
#!{python} -ISs
import json, os, resource, socket, sys
words = [word for word in sys.argv[1:] if word != "-u"]
if words[:1] != ["-m"] or words[1] not in {modules!r}:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
request = {{"argv": words[1:], "cwd": os.getcwd(), "env": dict(os.environ)}}
request = json.dumps({{**request, "limit": resource.getrlimit(resource.RLIMIT_FSIZE)}}).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(request)
    status = int(server.recv(16) or b"255")
os._exit(status)
"""


class StageServer:
    """The server's process, and the folder with its `python`."""

    def __init__(self, models: bool = False) -> None:
        """Start the server; it is ready when its imports are done. models: it runs all stages, `torchrun`, too."""
        self._folder = tempfile.TemporaryDirectory(prefix="stages-")
        self.bin = Path(self._folder.name) / "bin"
        self.bin.mkdir()
        address = str(Path(self._folder.name) / "socket")
        names = (*STAGES, *(MODEL_STAGES if models else ()))
        modules = [*(f"stages.{name}" for name in names), *COMMANDS]
        modules += ["torch.distributed.run"] if models else []
        client = CLIENT.format(python=sys.executable, modules=modules, address=address)
        self.python.write_text(client, "utf-8")
        self.python.chmod(0o755)
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, address, *(["models"] if models else [])]
        self._process = subprocess.Popen(command, env=environment)

    @property
    def python(self) -> Path:
        """The program that runs a stage in the server."""
        return self.bin / "python"

    @property
    def pid(self) -> int:
        """The process of the server; the stages are its descendants."""
        return self._process.pid

    def wait(self) -> None:
        """Wait until the server listens."""
        while not (self.bin.parent / "socket").exists():
            assert self._process.poll() is None, "the stage server has stopped"
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def serve(address: str, models: bool) -> None:
    """Import what the stages need, then run a stage for each connection."""
    gc.disable()
    _import_all()
    if models:
        _import_models()
    gc.freeze()  # Otherwise each process's first collection copies the memory that it shares with the server.
    gc.enable()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{address}.new")
        listener.listen()
        os.rename(f"{address}.new", address)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for the processes that answer.
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _answer(connection)
                os._exit(0)
            connection.close()


def _import_all() -> None:
    from exemplars.core.imports import hide_packages
    from stages.curate.english import load_blank_english

    for name in STAGES:
        import_module(f"stages.{name}.__main__")
        del sys.modules[f"stages.{name}.__main__"]  # It runs as `__main__` later.
    with hide_packages("torch", "transformers"):
        load_blank_english()
        import_module("presidio_analyzer.predefined_recognizers")
    _import_each(LIBRARIES)
    _import_each((*DVC_LIBRARIES, *COMMANDS[:1]))
    del sys.modules["exemplars.cli.main"]  # It runs as `__main__` later.


def _import_models() -> None:
    for stage in MODEL_STAGES:
        package = import_module(f"stages.{stage}")
        names = [module.name for module in pkgutil.iter_modules(package.__path__, f"stages.{stage}.")]
        _import_each(name for name in names if not name.endswith(".__main__"))
    _import_each(MODEL_LIBRARIES)


def _import_each(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(ImportError):
            import_module(name)


def _answer(connection: socket.socket) -> None:
    size, descriptors, _, _ = socket.recv_fds(connection, 8, 3)
    data = b""
    while len(data) < int.from_bytes(size, "big"):
        data += connection.recv(65536)
    request = json.loads(data)
    child = os.fork()
    if child == 0:
        connection.close()
        resource.setrlimit(resource.RLIMIT_FSIZE, tuple(request["limit"]))
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
        os._exit(_run_stage(request["argv"], request["cwd"], request["env"]))
    process = os.pidfd_open(child)
    ready, _, _ = select.select([process, connection], [], [])
    if process not in ready:  # The client is gone.
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(str(code if code >= 0 else 128 - code).encode())


def _run_stage(argv: list[str], folder: str, environment: dict[str, str]) -> int:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
    sys.argv = argv
    try:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    serve(sys.argv[1], "models" in sys.argv[2:])
