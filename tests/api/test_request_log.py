"""What the log says of a request that went wrong: which one, and no secret that stood in its address."""

import logging

import pytest

from portal.api.request_log import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.WARNING)

    def read():
        return "\n".join(str(record.msg) + record.getMessage() for record in caplog.records)

    return read


def test_a_token_in_the_address_is_not_written_to_the_log(as_, personas, network, lines):
    """Network Integration clients send it so; refused and failed requests are logged with their address."""
    api = as_(personas.member)
    path = f"/api/2015-05-01/{network.pk}/advertisers/unknown.json"
    answer = api.client.get(path, {"page": "2", "oauth_token": api.key})
    assert answer.status_code == 404
    assert path in lines() and "page=2" in lines(), "it is logged: the test shows something"
    assert api.key not in lines()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/a/", "/a/"), ("/a/?q=roof", "/a/?q=roof"), ("/a/?oauth_token=hr_x&q=1", "/a/?oauth_token=…&q=1"),
        ("/a/?q=1&OAuth_Token=hr_x", "/a/?q=1&OAuth_Token=…"), ("/a/?oauth%5Ftoken=hr_x", "/a/?oauth%5Ftoken=…"),
        ("/a/?ring_pool_key=k&param1=x", "/a/?ring_pool_key=…&param1=x"), ("/a/?oauth_token", "/a/?oauth_token"),
        ("/a/?;oauth_token=x", "/a/?;oauth_token=…"),
    ],
)  # fmt: skip
def test_what_is_shown_of_an_address(address, expected):
    assert shown(address) == expected
