"""Blackout and maintenance windows: when promotions may go.

Reading order: :mod:`clock` (wall clocks and moments), one module for each way to recur, :mod:`model` (what is written),
:mod:`calendar` (expanded and remembered), :mod:`judge` (the verdict), :mod:`upcoming` (what is coming).
"""

from policies.window.judge import Asked, evaluate
from policies.window.model import Window
from policies.window.upcoming import Occurrence, to_ics, upcoming

__all__ = ["Asked", "Occurrence", "Window", "evaluate", "to_ics", "upcoming"]
