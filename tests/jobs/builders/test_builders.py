"""Builders against a real registry: reproducible, complete, nothing from outside of the context, tags never moved."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ghapp.config.model import Image
from ghapp.registry import Reference, RegistryError, TagTaken, parse
from ghapp.registry import Registry as Client
from ghapp.sandbox.registry.server import Registry
from jobs import builders
from jobs.builders import Build, BuildError, Built
from jobs.executors import Stop, Task
from jobs.executors.local import Local

buildah_here = pytest.mark.skipif(shutil.which("buildah") is None, reason="buildah is not installed here")


@dataclass
class Bench:
    """A checkout, a registry, and builds from the one into the other."""

    root: Path
    client: Client
    host: str
    said: list[str] = field(default_factory=list)
    builds: int = 0

    @property
    def workspace(self) -> Path:
        return self.root / "checkout"

    def files(self, contents: dict[str, str]) -> None:
        for name, text in contents.items():
            path = self.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def build(self, builder: str = "auto", *, file: str = "", push: bool = True, **image: Any) -> Built:
        self.builds += 1
        scratch = self.root / f"scratch-{self.builds}"
        scratch.mkdir()
        wanted = Image.model_validate({"repository": f"{self.host}/acme/web", "file": file, **image})
        build = Build(
            image=wanted,
            target=parse(wanted.repository),
            workspace=self.workspace,
            context=wanted.context,
            containerfile=file or ("Containerfile" if (self.workspace / "Containerfile").exists() else ""),
            scratch=scratch,
            push=push,
            registry=lambda _: self.client,
            say=self.said.append,
            tool=lambda *argv, env=None: self._tool(scratch, argv, env or {}),
            plain_http=True,
            args=wanted.args,
        )
        return builders.choose(builder, build).build(build)

    def _tool(self, scratch: Path, argv: tuple[str, ...], env: dict[str, str]) -> int:
        task = Task(argv, self.workspace, scratch, env=env, sandbox=False)
        return Local().run(task, lambda b: self.said.append(b.decode(errors="replace")), Stop()).status

    def image(self, digest: str) -> tuple[dict[str, Any], dict[str, tarfile.TarInfo], dict[str, bytes]]:
        """Configuration, entries and contents of an image, as the registry has it."""
        found = self.client.manifest(Reference(self.host, "acme/web", digest=digest))
        assert found
        manifest = json.loads(found.data)
        config = json.loads(self.client.blob("acme/web", manifest["config"]["digest"]))
        entries, contents = {}, {}
        for layer in manifest["layers"]:
            with tarfile.open(fileobj=io.BytesIO(self.client.blob("acme/web", layer["digest"]))) as tar:
                for member in tar:
                    name = member.name.removeprefix("./").rstrip("/")
                    entries[name] = member
                    if member.isfile():
                        contents[name] = tar.extractfile(member).read()  # type: ignore[union-attr]
        return config, entries, contents


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "checkout").mkdir()
    with Registry(tmp_path / "registry") as running:
        client = Client(running.address)
        yield Bench(tmp_path, client, running.address)
        client.close()


CONTAINERFILE = """\
# a comment
ARG VERSION=1.0
FROM scratch
ARG VERSION
ENV VERSION=$VERSION PORT=8080
LABEL org.opencontainers.image.title="web"
WORKDIR /srv
COPY --chmod=0755 run.sh .
COPY app app/
COPY ["a file.txt", "/etc/"]
EXPOSE $PORT
USER 1000
ENTRYPOINT ["/srv/run.sh"]
CMD ["--port", \\
     "8080"]
"""


def simple(bench: Bench) -> None:
    bench.files(
        {
            "Containerfile": CONTAINERFILE,
            "run.sh": "#!/bin/sh\n",
            "app/main.py": "print(1)\n",
            "app/deep/er.py": "x\n",
            "app/secret.env": "password",
            "a file.txt": "a\n",
            ".dockerignore": "# not this\n**/*.env\n",
        }
    )


def test_a_simple_containerfile_becomes_the_image_it_describes(bench: Bench) -> None:
    simple(bench)
    built = bench.build("layer", args={"VERSION": "2.0"})
    config, entries, contents = bench.image(built.digest)
    assert contents == {
        "srv/run.sh": b"#!/bin/sh\n",
        "srv/app/main.py": b"print(1)\n",
        "srv/app/deep/er.py": b"x\n",
        "etc/a file.txt": b"a\n",
    }
    assert entries["srv/run.sh"].mode == 0o755
    assert {(e.uid, e.gid, e.mtime) for e in entries.values()} == {(0, 0, 0)}
    settings = config["config"]
    assert settings["Env"] == ["VERSION=2.0", "PORT=8080"]
    assert settings["Entrypoint"] == ["/srv/run.sh"]
    assert settings["Cmd"] == ["--port", "8080"]
    assert (settings["WorkingDir"], settings["User"], settings["ExposedPorts"]) == ("/srv", "1000", {"8080/tcp": {}})
    assert settings["Labels"] == {"org.opencontainers.image.title": "web"}


def test_the_same_input_gives_the_same_digest(bench: Bench) -> None:
    simple(bench)
    first = bench.build("layer")
    for path in bench.workspace.rglob("*"):
        os.utime(path, (1, 1))
    (bench.workspace / "app").chmod(0o700)
    assert bench.build("layer").digest == first.digest
    bench.files({"app/main.py": "print(2)\n"})
    assert bench.build("layer").digest != first.digest


def test_files_onto_a_base_image_keep_what_the_base_has(bench: Bench) -> None:
    bench.files({"base/etc/os": "base\n", "app/run": "#!\n"})
    base = bench.build("layer", files={"/etc": "base/etc"}, env={"PATH": "/bin"}, command=["/bin/sh"], user="7")
    name = f"{bench.host}/acme/web@{base.digest}"
    built = bench.build("layer", base=name, files={"/app/run": "app/run"}, entrypoint=["/app/run"], env={"A": "1"})
    config, _, contents = bench.image(built.digest)
    assert contents == {"etc/os": b"base\n", "app/run": b"#!\n"}
    assert config["config"]["Env"] == ["PATH=/bin", "A=1"]
    assert config["config"]["Entrypoint"] == ["/app/run"]
    assert (config["config"]["User"], "Cmd" in config["config"]) == ("7", False)
    assert len(config["rootfs"]["diff_ids"]) == 2
    assert built.bases == {name: base.digest}


def test_several_platforms_make_an_index(bench: Bench) -> None:
    bench.files({"x": "1"})
    built = bench.build("layer", files={"/x": "x"}, platforms=["linux/amd64", "linux/arm64"])
    found = bench.client.manifest(Reference(bench.host, "acme/web", digest=built.digest))
    assert found
    platforms = [m["platform"] for m in json.loads(found.data)["manifests"]]
    assert [p["architecture"] for p in platforms] == ["amd64", "arm64"]


def test_without_pushing_the_digest_is_the_same_and_nothing_is_sent(bench: Bench) -> None:
    bench.files({"x": "1"})
    digest = bench.build("layer", files={"/x": "x"}, push=False).digest
    assert bench.client.manifest(Reference(bench.host, "acme/web", digest=digest)) is None
    assert bench.build("layer", files={"/x": "x"}).digest == digest


@pytest.mark.parametrize("source", ["link", "folder/link", "../outside", "/etc/hostname"])
def test_nothing_outside_of_the_context_gets_into_an_image(bench: Bench, source: str) -> None:
    (bench.root / "outside").write_text("very secret")
    (bench.workspace / "folder").mkdir()
    (bench.workspace / "link").symlink_to(bench.root / "outside")
    (bench.workspace / "folder" / "link").symlink_to("../../outside")
    with pytest.raises(BuildError):
        bench.build("layer", files={"/x": source})
    bench.files({"folder/good": "x"})
    _, _, contents = bench.image(bench.build("layer", files={"/all": "."}).digest)
    assert list(contents) == ["all/folder/good"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FROM scratch\nRUN make\n", "line 2: RUN"),
        ("FROM a AS one\nFROM scratch\nCOPY --from=one /x /x\n", "line 2: a second FROM"),
        ("FROM scratch\nADD https://x.example/y.tgz /\n", "line 2: ADD of an address"),
        ("FROM scratch\nCOPY --chown=app x /\n", "COPY --chown=app"),
        ("FROM scratch\nONBUILD COPY x /\n", "line 2: ONBUILD"),
    ],
)
def test_what_is_not_simple_names_the_line_and_the_builders_that_can(bench: Bench, text: str, words: str) -> None:
    bench.files({"Containerfile": text, "x": "1"})
    with pytest.raises(BuildError) as e:
        bench.build("layer")
    assert words in str(e.value)
    assert "buildah, buildkit or docker" in str(e.value)


def test_a_builder_that_is_not_here_says_what_is_missing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.files({"Containerfile": "FROM scratch\nRUN x\n"})
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("jobs.builders.docker._daemon", lambda: "no Docker daemon answers")
    with pytest.raises(BuildError, match="buildctl is not installed"):
        bench.build("buildkit")
    with pytest.raises(BuildError, match=r"layer: Containerfile needs more.*buildah: .*buildkit: .*docker: no Docker"):
        bench.build("auto")


@buildah_here
def test_buildah_builds_what_needs_commands(bench: Bench) -> None:
    bench.files(
        {"hello.c": "x", "Containerfile": "FROM scratch AS one\nCOPY hello.c /a\nFROM scratch\nCOPY --from=one /a /b\n"}
    )
    built = bench.build("auto")
    assert built.builder == "buildah", bench.said
    config, _, contents = bench.image(built.digest)
    assert contents == {"b": b"x"}
    assert config["architecture"] == "amd64"


@buildah_here
def test_a_containerfile_that_fails_shows_why(bench: Bench) -> None:
    bench.files({"Containerfile": "FROM scratch\nCOPY nothing /x\nRUN false\n"})
    with pytest.raises(BuildError, match="its last lines say why"):
        bench.build("buildah")
    assert "nothing" in "".join(bench.said)


def test_a_tag_is_never_moved(bench: Bench) -> None:
    bench.files({"x": "1"})
    first = bench.build("layer", files={"/x": "x"}).digest
    bench.files({"x": "2"})
    second = bench.build("layer", files={"/x": "x"}).digest
    manifests = {d: bench.client.manifest(Reference(bench.host, "acme/web", digest=d)) for d in (first, second)}
    one, two = manifests[first], manifests[second]
    assert one
    assert two
    bench.client.put_manifest("acme/web", one.data, one.media_type, "v1")
    bench.client.put_manifest("acme/web", one.data, one.media_type, "v1")
    with pytest.raises(TagTaken, match="v1 exists already"):
        bench.client.put_manifest("acme/web", two.data, two.media_type, "v1")
    assert bench.client.digest(Reference(bench.host, "acme/web", tag="v1")) == first


def test_a_registry_that_is_away_is_named() -> None:
    with pytest.raises(RegistryError, match=r"the registry 127\.0\.0\.1:9 cannot be reached"):
        Client("127.0.0.1:9").manifest(parse("127.0.0.1:9/a/b:c"))
