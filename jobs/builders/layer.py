"""The ``layer`` builder: files onto a base image, without a daemon, without root, without running anything.

Reproducible: the same files on the same base give the same digest. It takes ``image.files`` or a Containerfile that
runs no commands. Nothing outside of the build's context is ever read, whatever links the checkout contains.
"""

from __future__ import annotations

import json
import posixpath
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ghapp.registry import Reference, parse
from ghapp.registry.client import DOCKER_LIST, INDEX, MANIFEST, digest_of
from jobs.builders import containerfile
from jobs.builders.archive import Entry, Layer, write
from jobs.builders.containerfile import Copy, NotSimple, Recipe
from jobs.builders.ignore import ignored
from jobs.builders.interface import Build, BuildError, Built
from jobs.pipeline.files import Outside, inside, plain_files
from policies import globs

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_EPOCH = "1970-01-01T00:00:00Z"


class LayerBuilder:
    name = "layer"

    def available(self) -> str:
        return ""

    def refuses(self, build: Build) -> str:
        try:
            _recipe(build)
        except NotSimple as e:
            return f"{build.containerfile} needs more than files on a base image ({e})"
        return ""

    def build(self, build: Build) -> Built:
        try:
            recipe = _recipe(build)
        except NotSimple as e:
            raise BuildError(
                f"the layer builder only puts files onto a base image; {build.containerfile}, {e}, needs the builder "
                "buildah, buildkit or docker"
            ) from None
        root = inside(build.workspace, build.context)
        entries = dict(_entries(recipe, root, build))
        layer = write(entries, build.scratch / "layer.tar.gz") if entries else None
        build.say(f"{len(entries)} files" + (f" in one layer of {layer.size} bytes, {layer.digest}" if layer else ""))
        platforms = build.image.platforms or ("linux/amd64",)
        bases: dict[str, str] = {}
        made = [_manifest(recipe, platform, layer, build, bases) for platform in platforms]
        if len(made) == 1:
            data, media_type = made[0][0], MANIFEST
        else:
            media_type = INDEX
            descriptors = [
                {
                    "mediaType": MANIFEST,
                    "digest": digest_of(m),
                    "size": len(m),
                    "platform": _platform(p),
                }
                for p, (m, _) in zip(platforms, made, strict=True)
            ]
            data = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors})
        if build.push:
            registry = build.registry(build.target.host)
            for manifest, config in made:
                registry.put_blob(build.target.path, config, digest_of(config))
                if layer:
                    registry.put_blob(build.target.path, layer.path, layer.digest)
                registry.put_manifest(build.target.path, manifest, MANIFEST)
            registry.put_manifest(build.target.path, data, media_type)
        return Built(digest_of(data), self.name, bases)


def _recipe(build: Build) -> Recipe:
    """What to build: as ``image.files`` says, else as the Containerfile says; the configuration's own words win."""
    image = build.image
    if image.files:
        copies = [Copy((source,), target, "/") for target, source in sorted(image.files.items())]
        recipe = Recipe(base="" if image.base in ("", "scratch") else image.base, copies=copies)
    else:
        if not build.containerfile:
            raise BuildError("there is nothing to build: give `image.files`, or add a Containerfile")
        text = inside(build.workspace, build.containerfile).read_text("utf-8", "replace")
        recipe = containerfile.read(text, build.args)
    recipe.env |= image.env
    recipe.ports += [f"{port}/tcp" for port in image.ports]
    recipe.entrypoint = list(image.entrypoint) or recipe.entrypoint
    recipe.command = list(image.command) or recipe.command
    recipe.user, recipe.workdir = image.user or recipe.user, image.workdir or recipe.workdir
    return recipe


# --- files ------------------------------------------------------------------------------------------
def _entries(recipe: Recipe, root: Path, build: Build) -> Iterator[tuple[str, Entry]]:
    hidden = ignored(root, build.containerfile) if not build.image.files else ()
    for copy in recipe.copies:
        found = False
        for path, entry in _copied(copy, root, hidden):
            found = True
            yield path, entry
        if not found:
            raise BuildError(f"{', '.join(copy.sources)} is not in the build's context {build.context!r}")
    if recipe.workdir:
        yield recipe.workdir.strip("/"), Entry(None, 0o755, folder=True)


def _copied(copy: Copy, root: Path, hidden: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
    target = posixpath.normpath(posixpath.join("/", copy.workdir, copy.target)).lstrip("/")
    into_folder = copy.target.endswith(("/", "/.")) or copy.target == "." or len(copy.sources) > 1
    for source in copy.sources:
        for top in _tops(source, root):
            real = _inside(root, top)
            if real.is_dir() and not (root / top).is_symlink():
                for path in plain_files(root, top):
                    if not globs.matches_any(hidden, path):
                        below = posixpath.relpath(path, top)
                        yield posixpath.join(target, below), _file(root / path, copy)
            elif not globs.matches_any(hidden, top):
                name = posixpath.basename(top)
                yield (posixpath.join(target, name) if into_folder else target), _file(real, copy)


def _tops(source: str, root: Path) -> list[str]:
    """What a source names, relative to the context: itself, or what its wildcards fit."""
    wanted = posixpath.normpath(source.lstrip("/")) if source.strip("/.") else "."
    if not any(c in wanted for c in "*?["):
        return [wanted] if _inside(root, wanted).exists() else []
    depth = wanted.count("/")
    tops = {"/".join(path.split("/")[: depth + 1]) for path in plain_files(root)}
    return sorted(path for path in tops if globs.matches(wanted, path))


def _inside(root: Path, path: str) -> Path:
    try:
        return inside(root, path)
    except Outside as e:
        raise BuildError(f"COPY: {e}") from None


def _file(path: Path, copy: Copy) -> Entry:
    executable = path.stat().st_mode & stat.S_IXUSR
    return Entry(path, copy.mode if copy.mode is not None else 0o755 if executable else 0o644, copy.owner)


# --- manifests --------------------------------------------------------------------------------------
def _manifest(
    recipe: Recipe, platform: str, layer: Layer | None, build: Build, bases: dict[str, str]
) -> tuple[bytes, bytes]:
    """The manifest and configuration of one platform; the base's layers are brought along."""
    base_layers, config = _base(recipe, platform, build, bases)
    settings: dict[str, Any] = config.setdefault("config", {})
    env = dict(pair.partition("=")[::2] for pair in settings.get("Env") or ())
    settings["Env"] = [f"{k}={v}" for k, v in {**env, **recipe.env}.items()]
    if recipe.entrypoint:
        settings["Entrypoint"] = recipe.entrypoint
        settings.pop("Cmd", None)
    simple = {
        "User": recipe.user,
        "WorkingDir": recipe.workdir,
        "Cmd": recipe.command,
        "StopSignal": recipe.stop_signal,
    }
    settings |= {key: value for key, value in simple.items() if value}
    for key, names in (("ExposedPorts", recipe.ports), ("Volumes", recipe.volumes)):
        if names:
            settings[key] = {**(settings.get(key) or {}), **{name: {} for name in names}}
    if recipe.labels:
        settings["Labels"] = {**(settings.get("Labels") or {}), **recipe.labels}
    if layer:
        config["rootfs"]["diff_ids"] = [*config["rootfs"]["diff_ids"], layer.diff_id]
        config["history"] = [*(config.get("history") or ()), {"created": _EPOCH, "created_by": "ghapp layer"}]
        base_layers = [*base_layers, {"mediaType": _LAYER, "digest": layer.digest, "size": layer.size}]
    packed = _json(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": _CONFIG, "digest": digest_of(packed), "size": len(packed)},
        "layers": base_layers,
    }
    return _json(manifest), packed


def _base(
    recipe: Recipe, platform: str, build: Build, bases: dict[str, str]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The base image's layers (as descriptors, their blobs copied to the target) and configuration."""
    if not recipe.base:
        empty = {"created": _EPOCH, **_platform(platform), "rootfs": {"type": "layers", "diff_ids": []}, "history": []}
        return [], empty
    reference = parse(recipe.base)
    registry = build.registry(reference.host)
    found = registry.manifest(reference)
    if found is None:
        raise BuildError(f"the base image {recipe.base} does not exist in {reference.host}")
    bases[recipe.base] = found.digest
    data = json.loads(found.data)
    if found.media_type in (INDEX, DOCKER_LIST):
        chosen = _choose(data["manifests"], platform, recipe.base)
        one = registry.manifest(Reference(reference.host, reference.path, digest=chosen))
        if one is None:
            raise BuildError(f"the base image {recipe.base} lacks its own manifest {chosen}")
        data = json.loads(one.data)
    config: dict[str, Any] = json.loads(registry.blob(reference.path, data["config"]["digest"]))
    layers = [{**layer, "mediaType": _oci(layer["mediaType"])} for layer in data["layers"]]
    if build.push:
        for layer in layers:
            _copy_blob(reference, layer["digest"], build)
    return layers, config


def _copy_blob(source: Reference, digest: str, build: Build) -> None:
    target = build.registry(build.target.host)
    if target.has_blob(build.target.path, digest):
        return
    build.say(f"copying {digest} from {source.repository}")
    if source.host == build.target.host and target.mount_blob(build.target.path, digest, source.path):
        return
    file = build.scratch / digest.replace(":", "-")
    build.registry(source.host).save_blob(source.path, digest, file)
    target.put_blob(build.target.path, file, digest)
    file.unlink()


def _choose(manifests: list[dict[str, Any]], platform: str, name: str) -> str:
    wanted = _platform(platform)
    for manifest in manifests:
        has = manifest.get("platform") or {}
        if all(has.get(key) == value for key, value in wanted.items()):
            return str(manifest["digest"])
    raise BuildError(f"the base image {name} is not made for {platform}")


def _platform(platform: str) -> Mapping[str, str]:
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    return {"os": system, "architecture": architecture, **({"variant": variant} if variant else {})}


def _oci(media_type: str) -> str:
    return _LAYER if media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip" else media_type


def _json(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


builder = LayerBuilder()
