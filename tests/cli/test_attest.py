"""A signed statement finds every consistent change; a statement that is not signed by the key is refused."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exemplars.audit.attestation import check_attestation, open_attestation
from exemplars.audit.revisions import open_revision
from exemplars.cli.main import main
from tests.cli.hidden_changes import HIDDEN
from tests.cli.small_project import SmallProject
from tests.cli.test_verify import _fork_stages, built, list_project_files, project

pytest.importorskip("trl")
__all__ = ["_fork_stages", "built", "project"]


def make_keys(folder: Path) -> None:
    """Make key pairs with the tools that the documentation names."""
    for command in (
        "openssl genpkey -algorithm ed25519 -out key.pem",
        "openssl pkey -in key.pem -pubout -out key.pub",
        "openssl genpkey -algorithm ed25519 -aes-256-cbc -pass pass:secret -out encrypted.pem",
        "openssl pkey -in encrypted.pem -passin pass:secret -pubout -out encrypted.pub",
        "openssl ecparam -name prime256v1 -genkey -noout -out ec.pem",
        "openssl pkey -in ec.pem -pubout -out ec.pub",
        "ssh-keygen -q -t ed25519 -f ssh -N ",
    ):
        words = command.split(" ")
        subprocess.run(words, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None or shutil.which("ssh-keygen") is None:
        pytest.skip("needs openssl and ssh-keygen")
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture(scope="module")
def signed(built: SmallProject, keys: Path) -> Iterator[Path]:
    """A statement about the small project as the stages made it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(built.root)
        path = keys / "attestation.json"
        assert main(["attest", "--key", str(keys / "key.pem"), "--output", str(path)]) == 0
    return path


def find_unattested(root: Path, signed: Path, keys: Path) -> list[str]:
    """Compare the project with the statement; return what the problems name."""
    attestation = open_attestation(signed, keys / "key.pub")
    return [problem.path for problem in check_attestation(attestation, open_revision(root), root).problems]


@pytest.mark.parametrize("kind", HIDDEN)
def test_every_consistent_change_is_named_by_a_signed_statement(
    kind: str, project: SmallProject, signed: Path, keys: Path
) -> None:
    assert find_unattested(project.root, signed, keys) == []
    change = HIDDEN[kind]
    change.make(project)
    named = find_unattested(project.root, signed, keys)
    assert set(change.edits) <= set(named)
    if change.lock is not None:
        assert [name for name in named if name.startswith("dvc.lock: ")] != []


def test_the_statement_is_in_toto_with_slsa_provenance(signed: Path, built: SmallProject) -> None:
    envelope = json.loads(signed.read_bytes())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {subject["name"]: subject["digest"] for subject in statement["subject"]}
    done = subprocess.run(
        ["sha256sum", "dvc.lock"], cwd=built.root, capture_output=True, text=True, check=True
    )
    assert subjects["dvc.lock"] == {"sha256": done.stdout.split()[0]}
    assert {"models/lora/manifest.json", "data/splits/manifest.json", "reports/details/evaluate.json"} <= set(
        subjects
    )
    definition = statement["predicate"]["buildDefinition"]
    dependencies = {entry.get("name"): entry for entry in definition["resolvedDependencies"]}
    assert {"data/raw/skills/call.md", "stages/curate/curation.py"} <= set(dependencies)
    assert dependencies[None] == {
        "uri": "git+file:.",
        "digest": {"gitCommit": built.git("rev-parse", "HEAD").strip()},
    }
    assert definition["externalParameters"]["split"]["command"] == "python -m stages.split"


def test_the_signature_is_over_the_pre_authentication_encoding_of_dsse(signed: Path, keys: Path) -> None:
    """Checked by OpenSSL, not by the library that signed."""
    envelope = json.loads(signed.read_bytes())
    payload = base64.b64decode(envelope["payload"])
    message = b"DSSEv1 28 application/vnd.in-toto+json " + str(len(payload)).encode() + b" " + payload
    (keys / "message").write_bytes(message)
    (keys / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    command = "openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in message -sigfile signature"
    done = subprocess.run(command.split(), cwd=keys, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Signature Verified Successfully"


def test_verify_prints_the_attestation_as_a_check(
    project: SmallProject, signed: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["verify", "--recompute", "none", "--attestation", str(signed), "--key", str(keys / "key.pub")]
    assert main(command) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "attestation" in line)
    assert line.split()[0] == "attestation"
    assert line.endswith(" ok")
    HIDDEN["changed weights with their manifest"].make(project)
    assert main(command) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": unattested: ")[0] for line in lines if ": unattested: " in line] == [
        "dvc.lock: evaluate",
        "dvc.lock: publish",
        "dvc.lock: train@lora",
        "models/lora/manifest.json",
        "models/lora/weights/adapter_model.safetensors",
    ]


def test_a_commit_is_attested_and_verified(
    project: SmallProject, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "head.json")
    assert main(["attest", "--key", str(keys / "ec.pem"), "--rev", "HEAD", "--output", output]) == 0
    command = ["verify", "--recompute", "none", "--attestation", output, "--key", str(keys / "ec.pub")]
    assert main([*command, "--rev", "HEAD"]) == 0
    assert main(command) == 0


def test_keys_of_openssh_and_encrypted_keys_sign(
    project: SmallProject, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXEMPLARS_KEY_PASSWORD", "secret")
    for private, public in (("ssh", "ssh.pub"), ("encrypted.pem", "encrypted.pub")):
        output = tmp_path / f"{private}.json"
        assert main(["attest", "--key", str(keys / private), "--output", str(output)]) == 0
        assert open_attestation(output, keys / public).stages.keys() >= {"train@lora", "evaluate", "publish"}


def test_what_does_not_verify_is_not_attested(
    project: SmallProject, keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    HIDDEN["a figure of the evaluation"].make(project)
    output = tmp_path / "attestation.json"
    assert main(["attest", "--key", str(keys / "key.pem"), "--output", str(output)]) == 1
    assert (
        "reports/details/evaluate.json: conditions.end_to_end.systems.lora.exact_match.value: other_output"
        in capsys.readouterr().err
    )
    assert not output.exists()


def tamper(envelope: Path) -> None:
    """Replace a hash in the payload, and keep the signature."""
    document = json.loads(envelope.read_bytes())
    payload = base64.b64decode(document["payload"]).replace(b'"sha256":"', b'"sha256":"0', 1)
    document["payload"] = base64.b64encode(payload).decode()
    envelope.write_text(json.dumps(document))


BAD: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "another key": (
        lambda path: None,
        "ec.pub",
        "attestation.json: wrong_signature: found no valid signature by this key, expected one by ",
    ),
    "another payload": (
        tamper,
        "key.pub",
        "attestation.json: wrong_signature: found no valid signature by this key",
    ),
    "no envelope": (
        lambda path: path.write_text("{}"),
        "key.pub",
        "attestation.json: unreadable_attestation: found no DSSE envelope ('payload'), expected the file that "
        "`exemplars attest` wrote; run `exemplars attest` again",
    ),
    "no signature": (
        lambda path: path.write_text(json.dumps({**json.loads(path.read_bytes()), "signatures": []})),
        "key.pub",
        "attestation.json: wrong_signature: found no valid signature by this key",
    ),
    "no JSON": (
        lambda path: path.write_bytes(b"\xff"),
        "key.pub",
        "attestation.json: unreadable_attestation: found no DSSE envelope",
    ),
    "no file": (
        lambda path: path.unlink(),
        "key.pub",
        "attestation.json: unreadable_file: found No such file or directory, expected a readable file; check the path",
    ),
    "no public key": (lambda path: None, "key.pem", "key.pem: unusable_key: found "),
    "no key": (lambda path: None, "message", "message: unreadable_file: found No such file or directory"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_statement_that_cannot_be_trusted_is_refused_in_one_sentence(
    kind: str,
    project: SmallProject,
    signed: Path,
    keys: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant, key, expected = BAD[kind]
    copy = tmp_path / "attestation.json"
    shutil.copy(signed, copy)
    (keys / "message").unlink(missing_ok=True)
    plant(copy)
    assert main(["verify", "--attestation", str(copy), "--key", str(keys / key)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "error: 1 problem(s) found"
    assert expected in lines[1]
    assert len(lines) == 2


def test_an_encrypted_key_without_a_password_is_one_sentence(
    project: SmallProject, keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXEMPLARS_KEY_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["attest", "--key", str(keys / "encrypted.pem"), "--output", "a.json"]) == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[1]
        .endswith(
            "encrypted.pem: unusable_key: found an encrypted key, expected a password; set EXEMPLARS_KEY_PASSWORD, "
            "or run the command at a terminal"
        )
    )


def test_an_order_of_stages_that_dvc_may_choose_is_no_problem(
    project: SmallProject, signed: Path, keys: Path
) -> None:
    project.edit_lock(lambda lock: lock.update(stages=dict(reversed(lock["stages"].items()))))
    assert find_unattested(project.root, signed, keys) == []
    assert list_project_files(project.root) != []


@pytest.mark.parametrize(
    "command",
    ["verify", "trace call.md:1", "diff HEAD workspace", "erase --plan", "runs", "attest --key k.pem"],
)
def test_every_command_that_reads_an_empty_lock_names_it_with_its_remedy(
    command: str, project: SmallProject, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("dvc.lock").write_text("")
    Path("k.pem").write_bytes((keys / "key.pem").read_bytes())
    status = main(command.split())
    Path("k.pem").unlink()
    assert status == 1
    assert (
        "dvc.lock: unusable_revision: found an empty dvc.lock, expected the file as `dvc repro` wrote it; run "
        "`git checkout dvc.lock`, then `dvc repro`"
    ) in capsys.readouterr().err
