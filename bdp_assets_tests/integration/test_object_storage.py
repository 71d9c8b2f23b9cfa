"""The lake in an S3-compatible store: moto's server, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import httpx
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake, LakeUnavailable, VersionGone
from bdp_assets.clients.lake_upkeep import tend
from bdp_assets.runtime import ports
from bdp_assets.settings import Settings

DAY = date(2026, 3, 1)


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


def test_a_bucket_or_a_store_that_is_not_there_says_what_to_check(endpoint: str) -> None:
    away = f"http://127.0.0.1:{ports.choose_free(['away'])['away']}"
    with pytest.raises(LakeUnavailable, match="BDP_LAKE_URL"):
        lake_in("elsewhere", endpoint).exists("raw")
    with pytest.raises(LakeUnavailable, match="AWS_ACCESS_KEY_ID"):
        lake_in("elsewhere", endpoint).read("raw")
    with pytest.raises(LakeUnavailable, match="BDP_LAKE_ENDPOINT"):
        lake_in("lake", away).read("raw")
