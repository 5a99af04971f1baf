"""GitHub as this app sees it: signing in, calling, counting calls, and what each call is for.

Start at :class:`ghapp.github.app.GitHubApp`. Nothing here decides anything. Importing a module here stays cheap:
githubkit is loaded by the first call.
"""
