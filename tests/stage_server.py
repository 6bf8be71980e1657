"""Stages as processes that start in milliseconds: forked from a process that has imported what they import.

A stage's own work takes a fraction of a second on a small project, and its imports (Great Expectations, torch)
take several. A `ServerProcess` imports them once for all workers of the tests, at the first run, and forks for each
run, so that every run is still a process of its own, with its own folder, environment, limit of file sizes, output
and exit status; if its client is killed, so is the run. The `python` of a `StageServer` is a program that hands
`python -m` of a stage, of `dvc` or of `exemplars` to the server, and any other command to the real Python.

What must not be forked
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
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).parents[1]
COMMANDS: Final = ("exemplars.cli.main", "dvc")
STAGES: Final = ("ingest", "compile", "curate", "split", "validate", "publish")
MODEL_STAGES: Final = ("render", "train", "evaluate")
"""Those that import torch, which takes several seconds more."""
LAUNCHER: Final = "torch.distributed.run"
"""What `torchrun` runs."""
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
    LAUNCHER,
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
KILLED_AT: Final = "EXEMPLARS_KILLED_AT"
"""The variable that names a file: a run is killed when it writes the file for the second time."""
CLIENT: Final = """\
#!{python} -ISs
import json, os, resource, socket, sys
words = [word for word in sys.argv[1:] if word != "-u"]
address = {addresses!r}.get(words[1]) if words[:1] == ["-m"] else None
if address is None:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
request = {{"argv": words[1:], "cwd": os.getcwd(), "env": dict(os.environ)}}
request = json.dumps({{**request, "limit": resource.getrlimit(resource.RLIMIT_FSIZE)}}).encode()
with socket.socket(socket.AF_UNIX) as server:
    server.connect(address)
    socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
    server.sendall(request)
    status = int(server.recv(16) or b"255")
os._exit(status)
"""


class StageServer:
    """What runs stages in the server."""

    def __init__(self, folder: Path) -> None:
        """folder: of a `ServerProcess`."""
        self.bin = folder / "bin"

    @property
    def python(self) -> Path:
        """The program that runs a stage in the server."""
        return self.bin / "python"


class ServerProcess:
    """The server: it ends with this process, or when it is stopped."""

    def __init__(self) -> None:
        """Start the server; it imports what stages need at the first run of one that needs it."""
        self._folder = tempfile.TemporaryDirectory(prefix="stages-")
        self.folder = Path(self._folder.name)
        stages, models = self.folder / "stages", self.folder / "models"
        addresses = {
            **{name: str(stages) for name in (*(f"stages.{name}" for name in STAGES), *COMMANDS)},
            **{name: str(models) for name in (*(f"stages.{name}" for name in MODEL_STAGES), LAUNCHER)},
        }
        program = StageServer(self.folder).python
        program.parent.mkdir()
        program.write_text(CLIENT.format(python=sys.executable, addresses=addresses), "utf-8")
        program.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as stage_listener, socket.socket(socket.AF_UNIX) as model_listener:
            for listener, address in ((stage_listener, stages), (model_listener, models)):
                listener.bind(str(address))
                listener.listen()
            numbers = (stage_listener.fileno(), model_listener.fileno())
            self._process = subprocess.Popen(
                [sys.executable, __file__, *map(str, numbers)],
                env={**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                pass_fds=numbers,
            )

    @property
    def pid(self) -> int:
        """The process of the server; the stages are its descendants."""
        return self._process.pid

    def stop(self) -> None:
        """End the server."""
        self._process.communicate()
        self._folder.cleanup()


def serve(stages: socket.socket, models: socket.socket) -> None:
    """Run a stage for each connection, until the standard input ends.

    What needs torch runs in a second process, which is forked from the first, and so has its imports, too.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for the processes that answer.
    for listener in (stages, models):
        listener.set_inheritable(False)
    if _wait_for_connections(stages, models):
        _import(_import_all)
    while ready := _wait_for_connections(stages, models):
        if models in ready and os.fork() == 0:
            stages.close()
            _import(_import_models)
            while _wait_for_connections(models):
                _accept(models)
            return
        if models in ready:
            models.close()
            break
        _accept(stages)
    while _wait_for_connections(stages):
        _accept(stages)


def _wait_for_connections(*listeners: socket.socket) -> list[socket.socket]:
    """Wait; return the sockets that somebody connects to: none if the standard input ends."""
    ready, _, _ = select.select([sys.stdin, *listeners], [], [])
    return [] if sys.stdin in ready else ready


def _accept(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _answer(connection)
        os._exit(0)
    connection.close()


def _import(import_modules: Callable[[], None]) -> None:
    gc.disable()
    import_modules()
    gc.freeze()  # Otherwise each process's first collection copies the memory that it shares with the server.
    gc.enable()


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
    if KILLED_AT in environment:
        _kill_at_second_write(environment[KILLED_AT])
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


def _kill_at_second_write(name: str) -> None:
    count = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        written = arguments[0] if event == "open" and "w" in (arguments[1] or "") else None
        written = arguments[1] if event == "os.rename" else written
        if isinstance(written, str | os.PathLike) and Path(written).name == name:
            count += 1
            if count == 2:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    serve(*(socket.socket(fileno=int(number)) for number in sys.argv[1:]))
    os._exit(0)  # Without the complaints of libraries about what is left.
