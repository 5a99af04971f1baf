"""`ghapp agent`: make a cluster equal to an environment branch, once or for as long as it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.group("agent", invoke_without_command=True)
@click.option("--repo", envvar="GHAPP_AGENT_REPO", help="Repository: a path, or an http(s) or ssh URL.")
@click.option("--branch", envvar="GHAPP_AGENT_BRANCH", help="The environment's branch, such as env/prod.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Default: KUBECONFIG, else the pod's own account.")
@click.option("--context", "context_", default="", help="The kubeconfig's context.")
@click.option("--namespace", envvar="GHAPP_AGENT_NAMESPACE", help="Where objects without a namespace go.")
@click.option("--app", "apps", multiple=True, help="Only this app; can be repeated.")
@click.option("--once", is_flag=True, help="One pass, then end.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (with --once).")
@click.option("--plan", is_flag=True, help="Print what would change; change nothing. Implies --once.")
@click.option("--no-wait", is_flag=True, help="Do not wait for health.")
@click.option("--timeout", default=300.0, show_default=True, help="Seconds that health may take.")
@click.option(
    "--verify",
    type=click.Choice(["release", "commit", "none"]),
    default="release",
    show_default=True,
    envvar="GHAPP_VERIFY",
    help="What must be signed; `none` is for branches that ghapp did not write.",
)
@click.option(
    "--verify-key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    envvar="GHAPP_VERIFY_KEYS",
    help="A trusted public key (PEM); with --verify commit an allowed-signers file. Can be repeated.",
)
@click.option("--service-account", default="", help="Impersonate this account of the namespace.")
@click.option("--suspend", is_flag=True, help="Apply nothing and prune nothing.")
@click.option("--delete", is_flag=True, help="Prune the whole environment. Implies --once.")
@click.option("--allow-prune", is_flag=True, help="Prune even what asks first, or is more than the limit.")
@click.option("--prune-limit", default=50, show_default=True, help="Percent of the members that may go at once.")
@click.option("--no-heal", is_flag=True, help="Report drift, leave it.")
@click.option("--depends-on", multiple=True, metavar="APP=OTHER[,OTHER]", help="Apps that must be healthy before one.")
@click.option("--token-file", type=click.Path(path_type=Path), help="A token for git over https, read before each use.")
@click.option("--ssh-key", default="", help="A deploy key for git over ssh.")
@click.option("--interval", default=60.0, show_default=True, help="Seconds between passes, without --once.")
@click.option("--config", type=click.Path(path_type=Path), help="A file with many environments, instead of --repo.")
@click.option("--server", default="", envvar="GHAPP_SERVER", help="ghapp's server: tokens, pokes and reports.")
@click.option("--server-token-file", type=click.Path(path_type=Path), help="What the agent shows to the server.")
@click.option(
    "--github-api-url", default="https://api.github.com", show_default=True, help="Where to report without a server."
)
@click.option("--github-token-file", type=click.Path(path_type=Path), help="A token that may write statuses.")
@click.option("--metrics-port", default=0, help="Serve /metrics, /healthz and /readyz here.")
@click.option("--metrics-host", default="0.0.0.0", show_default=True)  # noqa: S104 - probes come from outside
@click.pass_context
def agent(ctx: click.Context, /, **options: Any) -> None:
    """Make a cluster equal to an environment branch.

    Objects come from every *.yaml, *.yml and *.json below each app's folder of the branch.
    """
    if ctx.invoked_subcommand is not None:
        return
    from ghapp.agent.command import run

    raise SystemExit(run(options))


@agent.command("manifests")
@click.option("--engine", type=click.Choice(["argocd", "flux"]), required=True, help="What is to do the deploying.")
@click.option("--repo", required=True, help="The repository's https URL.")
@click.option("--branch", required=True, help="The environment's branch, such as env/prod.")
@click.option("--namespace", required=True, help="Where objects without a namespace go.")
@click.option("--app", "apps", multiple=True, help="An app on the branch; can be repeated. Default: all of them.")
@click.option("--depends-on", multiple=True, metavar="APP=OTHER[,OTHER]", help="Apps that must be healthy before one.")
@click.option("--secret", default="ghapp-github", show_default=True, help="Secret with the credentials for GitHub.")
@click.option("--engine-namespace", default="", help="Where the engine's resources go (argocd, flux-system).")
@click.option("--service-account", default="", help="Flux: the account that objects are applied as.")
@click.option("--sops-secret", default="", help="Flux: the Secret with the age key that decrypts.")
@click.option("--project", default="default", show_default=True, help="Argo CD: the project.")
@click.option(
    "--cluster", default="https://kubernetes.default.svc", show_default=True, help="Argo CD: the destination."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list instead of YAML.")
def manifests(**options: Any) -> None:
    """Print what makes Argo CD or Flux deploy an environment branch, and report back through GitHub."""
    from ghapp.agent.command import print_manifests

    print_manifests(options)
