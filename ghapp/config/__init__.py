"""``.ghapp.yml``: what a user declares about an app. Reading it never touches the network or a clock."""

from ghapp.config.model import (
    AnyOf,
    App,
    Concurrency,
    Deploy,
    Environment,
    Image,
    Pipeline,
    Render,
    Resources,
    Step,
    Triggers,
)
from ghapp.config.read import AppFile, AppList, parse, parse_app

__all__ = [
    "AnyOf",
    "App",
    "AppFile",
    "AppList",
    "Concurrency",
    "Deploy",
    "Environment",
    "Image",
    "Pipeline",
    "Render",
    "Resources",
    "Step",
    "Triggers",
    "parse",
    "parse_app",
]
