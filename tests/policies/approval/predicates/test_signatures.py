"""has_valid_signatures, has_valid_signatures_by, has_valid_signatures_by_keys."""

import pytest


def signed(signer="alice", key_id="K1", valid=True, kind="GpgSignature"):
    return {"valid": valid, "signer": signer, "key_id": key_id, "type": kind}


def commits(*signatures):
    return {"commits": [{"oid": f"c{i}", "signature": s} for i, s in enumerate(signatures)]}


@pytest.mark.parametrize(
    ("facts", "valid", "by_alice", "by_key"),
    [
        (commits(signed()), True, True, True),
        (commits(signed(), signed()), True, True, True),
        (commits(signed(), None), False, False, False),
        (commits(signed(valid=False)), False, False, False),
        (commits(signed(signer="bob")), True, False, True),
        (commits(signed(), signed(signer="bob", key_id="K2")), True, False, False),
        (commits(signed(signer=None)), True, False, True),
        (commits(signed(key_id="K2")), True, True, False),
        (commits(signed(kind="SshSignature", key_id="")), True, True, False),
        (commits(signed(kind="SmimeSignature")), True, True, False),
        (commits(signed(kind="Mystery")), False, False, False),  # a kind that nobody knows is no signature
    ],
)
def test_signatures(holds, facts, valid, by_alice, by_key):
    assert holds("has_valid_signatures", True, facts) is valid
    assert holds("has_valid_signatures", False, facts) is not valid
    assert holds("has_valid_signatures_by", {"users": ["alice"]}, facts) is by_alice
    assert holds("has_valid_signatures_by_keys", {"key_ids": ["K1", "K9"]}, facts) is by_key


def test_by_nobody(holds):
    assert holds("has_valid_signatures_by", {}, commits(signed())) is False
    assert holds("has_valid_signatures_by_keys", {}, commits(signed())) is False


def test_a_signer_whose_team_cannot_be_read(holds):
    sentence = holds("has_valid_signatures_by", {"teams": ["other/t"]}, commits(signed()))
    assert sentence == "the team other/t cannot be read; install the app on the organisation other"
