"""``junit``: what tests say in JUnit's XML, as pytest and most others write it; failures become remarks at lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError, XMLParser

from pydantic import Field

from ghapp.github.checks import Annotation
from jobs.pipeline.files import Outside, matching, read_plain
from jobs.pipeline.result import Ended
from jobs.plugins.interface import Inputs, Place, PluginError, failed, passed
from jobs.plugins.scan import checkout
from jobs.scanners.interface import Checkout, clean

_MOST_BYTES = 100_000_000
_MOST_FAILURES = 200
_PLACE = re.compile(r"([^\s:\"']{1,300}):([1-9][0-9]{0,6})(?::|\s|\Z)")


class JunitInputs(Inputs):
    files: tuple[str, ...] = Field(description="globs of the reports", min_length=1)
    fail: bool = Field(True, description="fail the step if a test has failed")


@dataclass
class Counted:
    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0


class Junit:
    name = "junit"
    version = "1.0.0"
    description = "Test results in JUnit's XML."
    inputs = JunitInputs

    def run(self, inputs: JunitInputs, at: Place) -> Ended:
        patterns = [p if at.directory == "." else f"{at.directory}/{p}" for p in inputs.files]
        try:
            files = matching(at.workspace, patterns)
        except Outside as e:
            raise PluginError(str(e)) from None
        if not files:
            raise PluginError(f"no file fits {', '.join(inputs.files)}: the tests come first, and must write a report")
        counted, remarks = Counted(), []
        for file in files:
            root = parse(read_plain(at.workspace / file, _MOST_BYTES) or b"", file)
            remarks += list(_failures(root, counted, checkout(at), at.directory))
        outputs = {name: str(value) for name, value in vars(counted).items()}
        bad = counted.failures + counted.errors
        facts = {"tests": vars(counted)}
        if bad and inputs.fail:
            sentence = f"{bad} of {counted.tests} tests failed"
            return failed(sentence, outputs=outputs, facts=facts, annotations=remarks[:_MOST_FAILURES], exit_code=1)
        if not counted.tests:
            return failed("the reports name no test", outputs=outputs, facts=facts, exit_code=1)
        return passed(outputs=outputs, facts=facts, annotations=remarks[:_MOST_FAILURES])


def parse(data: bytes, file: str) -> Element:
    """The XML of a report. Declarations of entities, which can blow up, are refused. Raises ``PluginError``."""
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise PluginError(f"{file} declares entities, which no test report needs")
    parser = XMLParser()  # noqa: S314 - entities, which are the danger, were refused above
    try:
        parser.feed(data)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError) as e:
        raise PluginError(f"{file} is not XML: {e}") from None
    return root


def _failures(root: Element, counted: Counted, checkout: Checkout, directory: str) -> Iterator[Annotation]:
    for case in root.iter("testcase"):
        counted.tests += 1
        if case.find("skipped") is not None:
            counted.skipped += 1
        for kind in ("failure", "error"):
            for problem in case.findall(kind)[:1]:
                if kind == "failure":
                    counted.failures += 1
                else:
                    counted.errors += 1
                if (remark := _remark(case, problem, checkout, directory)) is not None:
                    yield remark


def _remark(case: Element, problem: Element, checkout: Checkout, directory: str) -> Annotation | None:
    text = (problem.text or "")[-20_000:]
    message = clean(problem.get("message"), 1_000) or clean(text, 1_000)
    title = clean(f"{case.get('classname', '')}.{case.get('name', '')}".strip("."), 200)
    file, line = checkout.path(case.get("file"), directory), case.get("line", "")
    places = [(checkout.path(m[1], directory), int(m[2])) for m in _PLACE.finditer(text)]
    own = [(path, number) for path, number in places if path and checkout.context(path, number)]
    if own and (not file or own[-1][0] == file):
        file, number = own[-1]
    else:
        number = int(line) + 1 if line.isdecimal() and len(line) < 8 else 1
    if not file:
        return None
    return Annotation(file, number, number, "failure", message or "failed", title, text[-4_000:].strip())


plugin = Junit()
