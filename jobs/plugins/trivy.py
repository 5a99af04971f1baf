"""``trivy``: vulnerabilities, misconfigurations, secrets and licences, of the checkout or of the image just built.

Vulnerabilities need trivy's database. Where the workers cannot download it, and none was put into their cache, the step
is an error that says so: no database is no clean bill.
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from jobs.pipeline.files import read_plain
from jobs.pipeline.result import Ended
from jobs.plugins.images import pull_built
from jobs.plugins.interface import Place, PluginError
from jobs.plugins.scan import ScanInputs, checked, checkout, folder, judged
from jobs.scanners import trivy

_FILES = ("trivy.db", "metadata.json")

Scanner = Literal["vuln", "misconfig", "secret", "license"]


class TrivyInputs(ScanInputs):
    scanners: tuple[Scanner, ...] = Field(("vuln", "misconfig", "secret"), description="what to look for", min_length=1)
    path: str = Field(".", description="the folder to look through")
    image: bool = Field(False, description="look at the image that the pipeline has built instead of at files")
    offline: bool = Field(False, description="do not look for a newer database: use the one in the workers' cache")


class Trivy:
    name = "trivy"
    version = "1.0.0"
    description = "Vulnerabilities, misconfigurations, secrets and licences, by trivy."
    inputs = TrivyInputs

    def run(self, inputs: TrivyInputs, at: Place) -> Ended:
        cache = at.scratch / "cache"
        cache.mkdir()
        common = [f"--cache-dir={at.scratch_inside}/cache", "--disable-telemetry", "--skip-version-check", "--quiet"]
        arguments = [
            *common,
            f"--scanners={','.join(inputs.scanners)}",
            f"--output={at.scratch_inside}/trivy.json",
            *("--format=json", "--skip-check-update", "--skip-db-update", "--skip-java-db-update", "--offline-scan"),
        ]
        database_at = _database(inputs, at, cache, common) if "vuln" in inputs.scanners else None
        images: dict[str, str] = {}
        if inputs.image:
            images = pull_built(at)
            done = at.tool("trivy", "image", *arguments, f"--input={at.scratch_inside}/image", network=False)
        else:
            done = at.tool("trivy", "fs", *arguments, folder(at, inputs.path), network=False)
        checked(done.status, (0,), "trivy")
        found = trivy.read(at.result("trivy.json"), checkout(at), database_at=database_at)
        return judged(found, inputs, target="image" if inputs.image else "repository", image=images)


def _database(inputs: TrivyInputs, at: Place, cache: Path, common: list[str]) -> datetime:
    """Put the vulnerability database where trivy looks for it, newer if there is one; returns its date."""
    kept = at.data_dir / "cache" / "trivy" / "db"
    if not inputs.offline and _stale(kept):
        done = at.tool("trivy", "image", "--download-db-only", *common)
        if done.status == 0 and _date(cache / "db") is not None:
            kept.mkdir(parents=True, exist_ok=True)
            for name in _FILES:
                (kept / f".{name}").write_bytes(read_plain(cache / "db" / name, 4 * 2**30) or b"")
                (kept / f".{name}").replace(kept / name)
        else:
            at.say("trivy could not download a newer vulnerability database")
    date = _date(kept)
    if date is None:
        raise PluginError(
            "trivy has no vulnerability database and could not download one: allow the workers to reach its registry, "
            f"or put one into {kept} (`trivy image --download-db-only`), or leave `vuln` out of `scanners`"
        )
    (cache / "db").mkdir(exist_ok=True)
    for name in _FILES:
        shutil.copyfile(kept / name, cache / "db" / name)
    return date


def _stale(folder: Path) -> bool:
    moment = _moment(_metadata(folder).get("NextUpdate"))
    return moment is None or moment <= datetime.now(UTC)


def _date(folder: Path) -> datetime | None:
    return _moment(_metadata(folder).get("UpdatedAt")) if (folder / "trivy.db").is_file() else None


def _metadata(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads(read_plain(folder / "metadata.json", 100_000) or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _moment(text: Any) -> datetime | None:
    """A time as Go writes it, with nanoseconds."""
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(text)).replace("Z", "+00:00"))
    except ValueError:
        return None


plugin = Trivy()
