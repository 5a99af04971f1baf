"""changed_files, no_changed_files, only_changed_files."""

import pytest

TWO = {"files": [{"path": "src/app.go"}, {"path": "docs/guide.md"}]}
RENAME = {"files": [{"path": "new/a.go", "previous_path": "old/a.go", "status": "renamed"}]}
MODIFIED_WITH_PREVIOUS = {"files": [{"path": "new/a.go", "previous_path": "old/a.go", "status": "modified"}]}
NONE = {"files": []}


@pytest.mark.parametrize(
    ("facts", "value", "any_changed"),
    [
        (TWO, {"paths": ["^src/"]}, True),
        (TWO, {"paths": ["^SRC/"]}, False),
        (TWO, {"paths": ["(?i)^SRC/"]}, True),
        (TWO, {"paths": ["nope", "\\.md$"]}, True),
        (TWO, {"paths": ["app"]}, True),  # unanchored
        (TWO, {"paths": ["^src/"], "ignore": ["\\.go$"]}, False),
        (TWO, {"paths": [".*"], "ignore": ["\\.go$"]}, True),
        (TWO, {"paths": [".*"], "ignore": ["\\.go$", "^docs/"]}, False),
        (TWO, {"paths": [".*"], "ignore": [None]}, True),
        (TWO, {"paths": [""]}, True),  # an empty pattern matches everything
        (TWO, {"paths": [None]}, False),  # a missing one nothing
        (TWO, {"paths": []}, False),
        (TWO, {}, False),
        (TWO, {"ignore": ["x"]}, False),
        (NONE, {"paths": [".*"]}, False),
        (RENAME, {"paths": ["^old/"]}, True),
        (RENAME, {"paths": ["^new/"]}, True),
        (RENAME, {"paths": ["^(old|new)/"], "ignore": ["^old/"]}, True),
        (MODIFIED_WITH_PREVIOUS, {"paths": ["^old/"]}, False),
    ],
)
def test_changed_files_and_its_negation(holds, facts, value, any_changed):
    assert holds("changed_files", value, facts) is any_changed
    assert holds("no_changed_files", value, facts) is not any_changed


@pytest.mark.parametrize(
    ("facts", "value", "expected"),
    [
        (TWO, {"paths": ["^src/", "^docs/"]}, True),
        (TWO, {"paths": ["^src/"]}, False),
        (TWO, {"paths": [""]}, True),
        (TWO, {"paths": [None]}, False),
        (TWO, {}, False),
        (NONE, {"paths": [".*"]}, False),
        (RENAME, {"paths": ["^new/"]}, False),
        (RENAME, {"paths": ["^new/", "^old/"]}, True),
    ],
)
def test_only_changed_files(holds, facts, value, expected):
    assert holds("only_changed_files", value, facts) is expected


@pytest.mark.parametrize("key", ["changed_files", "no_changed_files", "only_changed_files"])
def test_a_list_that_could_not_be_read_in_full_is_an_error(holds, key):
    cut = TWO | {"incomplete": {"files": "GitHub lists 3000 of 4000 files"}}
    assert holds(key, {"paths": [".*"]}, cut) == "GitHub lists 3000 of 4000 files"


def test_three_thousand_files_are_judged(holds):
    many = {"files": [{"path": f"src/{i}.go"} for i in range(3500)] + [{"path": "last.md"}]}
    assert holds("changed_files", {"paths": ["^last"]}, many) is True
    assert holds("only_changed_files", {"paths": ["^src/"]}, many) is False
