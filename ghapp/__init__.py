"""ghapp: software delivery from GitHub to Kubernetes, run entirely from pull requests."""

__version__ = "0.1.0"
