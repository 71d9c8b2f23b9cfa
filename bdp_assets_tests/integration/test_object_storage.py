"""The lake in an S3-compatible store: moto's server, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from urllib.parse import quote

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from bdp_assets.clients.lake import Lake, LakeUnavailable, VersionGone
from bdp_assets.clients.lake_upkeep import tend
from bdp_assets.contracts.erasure import customer_hash, until
from bdp_assets.ingest.erased import admission, bury
from bdp_assets.ingest.tables import TABLES
from bdp_assets.operations.erasure import lake as tables
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.runtime import ports
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import PAN_KEY
from bdp_assets_tests.integration.erasure.everywhere import OTHER, START, VICTIM, file_text, lake_rows

DAY = date(2026, 3, 1)
HIS_DAY = f"event_date = '{START:%Y-%m-%d}'"
SOMEBODY = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260301/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
"""Moto gives objects to everybody who says who he is."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """URL of a store with the bucket `lake`; the keys are in the environment."""
    port = ports.choose_free(["s3"])["s3"]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_REGION", "us-east-1")
        try:
            _make_bucket(server, f"{url}/lake")
            yield url
        finally:
            server.terminate()
            server.wait(10)


def _make_bucket(server: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(300):
        assert server.poll() is None, "moto's server ended: is it installed (make setup)?"
        try:
            httpx.put(url).raise_for_status()
        except httpx.ConnectError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("moto's server does not answer")


def lake_in(bucket: str, endpoint: str) -> Lake:
    return Lake.of(Settings(lake_url=f"s3://{bucket}/tables/", lake_endpoint=endpoint))


def land(lake: Lake, start: int, end: int) -> bool:
    frame = pl.DataFrame({"offset": range(start, end), "event_date": [DAY] * (end - start)})
    return lake.land_range("raw", frame, application_id="raw:u:0", start=start, end=end)


def test_landing_replacing_upkeep_and_old_versions_are_as_in_a_folder(endpoint: str) -> None:
    lake = lake_in("lake", endpoint)
    assert not lake.exists("raw")
    land(lake, 0, 2)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: land(lake, 2, 5), range(4))) == 1
    named = lake.version("raw")
    land(lake, 5, 6)
    lake.replace("raw", pl.DataFrame({"offset": [9], "event_date": [DAY]}), "offset >= 5")
    assert sorted(lake.read("raw", dates=(DAY, DAY))["offset"]) == [0, 1, 2, 3, 4, 9]

    done = tend(lake, "raw", retention=timedelta(), named=[named])
    assert (done.before.files, done.after.files, done.after.rows, done.kept) == (3, 1, 6, [named])
    assert sorted(lake.read("raw", version=named)["offset"]) == [0, 1, 2, 3, 4]
    tend(lake, "raw", retention=timedelta())
    with pytest.raises(VersionGone):
        lake.read("raw", version=named)
    assert (lake.landed("raw", "raw:u:0"), lake.count("raw")) == (6, 6)


def objects(endpoint: str, bucket: str) -> dict[str, bytes]:
    """Every object of a bucket, by its key."""
    listed = httpx.get(f"{endpoint}/{bucket}?list-type=2").raise_for_status().text
    assert "<IsTruncated>false" in listed
    keys = re.findall("<Key>(.*?)</Key>", listed)
    return {
        key: httpx.get(f"{endpoint}/{bucket}/{quote(key)}", headers=SOMEBODY).raise_for_status().content
        for key in keys
    }


def test_an_erased_customer_is_in_no_object_of_the_bucket_and_stays_out(endpoint: str) -> None:
    httpx.put(f"{endpoint}/erasure").raise_for_status()
    lake = lake_in("erasure", endpoint)
    customer = Customer(VICTIM, customer_hash(VICTIM, PAN_KEY))
    his = re.compile(re.escape(VICTIM) + r"(?!\d)")

    def found() -> set[str]:
        texts = {key: file_text(key, content) for key, content in objects(endpoint, "erasure").items()}
        return {key for key, text in texts.items() if his.search(text)}

    for who in (VICTIM, OTHER):
        for table, frame in lake_rows(who, 0).items():
            lake.append(table, frame)
    rows = {table: lake.count(table) for table in TABLES}
    lake.replace("raw", lake.read("raw"), "event_date >= '2026-01-01'")
    lake.delta("features").create_checkpoint()
    assert {key.split("/")[1] for key in found()} == set(TABLES), "each table has him"

    bury(lake, customer.hashed, until(int(START.timestamp() * 1000)))
    assert {table for table, _, _ in tables.erase(lake, customer)} == set(TABLES)

    assert found() == set()
    assert {table: lake.count(table) for table in TABLES} == {table: n // 2 for table, n in rows.items()}
    assert list(tables.erase(lake, customer)) == []
    own = Settings(lake_url=lake.url, lake_endpoint=endpoint, pan_hash_key=SecretStr(PAN_KEY.decode()))
    for who in (VICTIM, OTHER):
        lake.replace("validated", lake_rows(who, 0)["validated"], HIS_DAY, admission(own, lake))
    assert lake.read("validated")["customer_id"].to_list() == [OTHER]
    assert found() == set()


def test_a_bucket_or_a_store_that_is_not_there_says_what_to_check(endpoint: str) -> None:
    away = f"http://127.0.0.1:{ports.choose_free(['away'])['away']}"
    with pytest.raises(LakeUnavailable, match="BDP_LAKE_URL"):
        lake_in("elsewhere", endpoint).exists("raw")
    with pytest.raises(LakeUnavailable, match="AWS_ACCESS_KEY_ID"):
        lake_in("elsewhere", endpoint).read("raw")
    with pytest.raises(LakeUnavailable, match="BDP_LAKE_ENDPOINT"):
        lake_in("lake", away).read("raw")
