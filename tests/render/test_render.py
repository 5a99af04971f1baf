"""Rendering: what comes out, that it comes out the same, and everything that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ghapp.config.model import Render
from ghapp.render import Options, RenderError, render
from ghapp.render.manifests import Manifest
from ghapp.render.rules import file_name

DIGEST = "sha256:" + "a" * 64
OPTIONS = Options(environment="dev", app="web")

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: init, image: "registry.example:5000/acme/web"}]
      containers:
        - {name: web, image: "registry.example:5000/acme/web:v1"}
        - {name: proxy, image: "registry.example:5000/acme/web-proxy:v1"}
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"


def put(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_kustomize_renders_one_file_an_object_with_images_by_digest(tmp_path: Path) -> None:
    put(
        tmp_path,
        base__all_yaml=f"{DEPLOYMENT}---\n{SERVICE}",
        base__kustomization_yaml="resources: [all.yaml]\n",
        prod__kustomization_yaml="resources: [../base]\nnamePrefix: prod-\n",
    )
    result = render(Render(kustomize="prod"), tmp_path, {"registry.example:5000/acme/web": DIGEST}, OPTIONS)
    assert set(result.files) == {"deployment-prod-web.yaml", "service-prod-web.yaml"}
    spec = yaml.safe_load(result.files["deployment-prod-web.yaml"])["spec"]["template"]["spec"]
    assert spec["initContainers"][0]["image"] == f"registry.example:5000/acme/web@{DIGEST}"
    assert [c["image"] for c in spec["containers"]] == [
        f"registry.example:5000/acme/web@{DIGEST}",
        "registry.example:5000/acme/web-proxy:v1",
    ]
    assert result.unused_images == ()


def test_order_of_keys_and_files_in_the_source_changes_nothing(tmp_path: Path) -> None:
    one = put(tmp_path / "one", m__a_yaml=DEPLOYMENT, m__b_yaml=SERVICE)
    two = put(
        tmp_path / "two",
        m__x_yaml="spec: {ports: [{port: 80}]}\n" + SERVICE.rpartition("spec:")[0],
        m__y_yaml=DEPLOYMENT,
    )
    files = [render(Render(plain="m"), root, {}, OPTIONS).files for root in (one, two)]
    assert files[0] == files[1]


def test_an_image_that_no_pod_names_is_told(tmp_path: Path) -> None:
    put(tmp_path, m__a_yaml=SERVICE)
    assert render(Render(plain="m"), tmp_path, {"acme/web": DIGEST}, OPTIONS).unused_images == ("acme/web",)


def test_cronjobs_and_custom_resources_with_pod_templates_are_pinned(tmp_path: Path) -> None:
    pod = "{spec: {containers: [{name: a, image: 'acme/web:1'}]}}"
    job = f"{{spec: {{template: {pod}}}}}"
    cron = f"apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: c}}\nspec: {{jobTemplate: {job}}}\n"
    rollout = f"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: r}}\nspec: {{template: {pod}}}\n"
    put(tmp_path, m__a_yaml=f"{cron}---\n{rollout}")
    files = render(Render(plain="m"), tmp_path, {"acme/web": DIGEST}, OPTIONS).files
    assert set(files) == {"cronjob-c.yaml", "rollout.argoproj.io-r.yaml"}
    assert all(f"acme/web@{DIGEST}" in text.decode() for text in files.values())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: X\nmetadata: {name: a}\n", "no apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "no kind"),
        ("apiVersion: v1\nkind: ConfigMap\n", "no metadata.name"),
        (f"{SERVICE}---\n{SERVICE}", "rendered 2 times"),
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n",
            "Secret/s carries its data in the open",
        ),
        ("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: Yg==}\n", "SOPS"),
        ("# nothing\n", "empty"),
        ("- a\n", "not a Kubernetes object"),
        ("a: [\n", "not YAML"),
        ("[" * 400_000, "nested more than 200 levels"),
        ("- " * 400_000, "nested more than 200 levels"),
    ],
)
def test_what_must_not_be_deployed_is_refused_with_a_reason(tmp_path: Path, text: str, reason: str) -> None:
    put(tmp_path, m__a_yaml=text)
    with pytest.raises(RenderError, match=reason):
        render(Render(plain="m"), tmp_path, {}, OPTIONS)


def test_an_encrypted_secret_and_an_empty_one_pass(tmp_path: Path) -> None:
    sops = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: ENC}\nsops: {mac: x}\n"
    put(tmp_path, m__a_yaml=f"{sops}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: t}}\n")
    assert len(render(Render(plain="m"), tmp_path, {}, OPTIONS).files) == 2


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    put(tmp_path, m__a_yaml="\n".join(lines))
    with pytest.raises(RenderError, match="once aliases are expanded"):
        render(Render(plain="m"), tmp_path, {}, OPTIONS)


@pytest.mark.parametrize(
    "base",
    [
        "https://example.com/base",
        "github.com/acme/base?ref=v1",
        "git@github.com:acme/base",
        "ssh://git@host/x",
        "../base//x?ref=main",
    ],
)
def test_a_remote_base_is_refused(tmp_path: Path, base: str) -> None:
    put(tmp_path, o__kustomization_yaml=f"resources: ['{base}']\n")
    with pytest.raises(RenderError, match="remote base"):
        render(Render(kustomize="o"), tmp_path, {}, OPTIONS)


def test_a_remote_base_deep_down_is_refused(tmp_path: Path) -> None:
    put(
        tmp_path,
        o__kustomization_yaml="resources: [../b]\n",
        b__kustomization_yaml="components: ['https://x.example/c']\n",
    )
    with pytest.raises(RenderError, match=r"b/kustomization.yaml names the remote base"):
        render(Render(kustomize="o"), tmp_path, {}, OPTIONS)


@pytest.mark.parametrize("how", [Render(plain="../out"), Render(kustomize="../out"), Render(plain="link")])
def test_nothing_outside_the_checkout_is_read(tmp_path: Path, how: Render) -> None:
    put(tmp_path / "out", a_yaml=SERVICE, kustomization_yaml="resources: [a.yaml]\n")
    checkout = put(tmp_path / "in", m__a_yaml=SERVICE)
    (checkout / "link").symlink_to(tmp_path / "out")
    with pytest.raises(RenderError, match="leads out of the repository"):
        render(how, checkout, {}, OPTIONS)


def test_a_missing_overlay_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"deploy/prod does not exist at this commit; add it, or correct `render`"):
        render(Render(kustomize="deploy/prod"), tmp_path, {}, OPTIONS)


def test_a_renderer_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    put(tmp_path, o__kustomization_yaml="resources: [a.yaml]\n", o__a_yaml=SERVICE)
    with pytest.raises(RenderError, match="killed after"):
        render(Render(kustomize="o"), tmp_path, {}, Options("dev", "web", timeout=0.0001))


def test_a_thousand_objects_render(tmp_path: Path) -> None:
    objects = "---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i}}}\ndata: {{k: v{i}}}\n" for i in range(1000)
    )
    put(tmp_path, m__a_yaml=objects)
    assert len(render(Render(plain="m"), tmp_path, {}, OPTIONS).files) == 1000


def test_names_that_are_no_file_names_stay_apart() -> None:
    def role(name: str) -> str:
        data = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}
        return file_name(Manifest(data))

    assert role("admin") == "clusterrole-admin.yaml"
    assert len({role("a:b"), role("a/b"), role("a-b"), role("A-b"), role("..")}) == 5
    assert not any("/" in role(n) for n in ("a/b", "../../x"))
