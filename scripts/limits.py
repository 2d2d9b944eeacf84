"""Fills the practice cloud's source bucket, backs it up with `dr` and samples its peak memory (VmHWM). Used by check-limits.sh and history.py."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config


def client(ready, region):
    key = ready["roles"]["aws"]["admin"]
    return boto3.client(
        "s3",
        endpoint_url=ready["endpoints"][region]["s3"],
        region_name=region,
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        config=Config(max_pool_connections=8),
    )


def fill(ready, small, large, prefix=""):
    """Many files of 0.5 MB, and some of 5 to 20 MB, so that multipart runs with concurrency; seeded."""
    s3 = client(ready, "eu-west-3")
    rng = random.Random(4)
    sizes = [(f"{prefix}small/{n:05}", 500_000) for n in range(small)] + [(f"{prefix}large/{n:05}", rng.randrange(5 << 20, 20 << 20)) for n in range(large)]
    block = rng.randbytes(1 << 20)

    def put(item):
        name, size = item
        body = (name.encode() + block) * (size // len(block) + 1)
        s3.put_object(Bucket="app-files", Key=name, Body=body[:size])
        return size

    with ThreadPoolExecutor(4) as pool:
        return len(sizes), sum(pool.map(put, sizes))


def policy(place, other):
    """The lab's policy without its cluster and drill; with or without the other provider."""
    text = open(f"{place}/lab/policy.yaml").read()
    head, rest = text.split("\n  - id: shop\n", 1)
    text = head + "\n  - id: app-files" + rest.split("\n  - id: app-files", 1)[1]
    head, rest = text.split("\n    snapshots:", 1)
    text = head + "\n  # Another provider" + rest.split("\n  # Another provider", 1)[1]
    head, rest = text.split("\nobjectives:", 1)
    text = head + "\nconcurrency:" + rest.split("\nconcurrency:", 1)[1]
    if not other:
        head, rest = text.split("\n  # Another provider", 1)
        text = head + "\nendpoints:" + rest.split("\nendpoints:", 1)[1]
    name = "both" if other else "central"
    text = text.replace("\nname: shop", f"\nname: {name}", 1).replace('cron: "0 * * * *"', 'cron: "0 0 1 1 *"').replace("deadline: 30m", "deadline: 2h")
    path = f"{place}/lab/{name}.yaml"
    open(path, "w").write(text)
    return name, path


def peak_kib(pid):
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def run(place, arguments, more=None):
    """The answer, the peak in KiB, the seconds."""
    began = time.monotonic()
    environment = {"PATH": os.environ["PATH"], "HOME": place, **(more or {})}
    # A file, because an answer can be longer than a pipe takes before it is read.
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(arguments, stdout=out, stderr=subprocess.DEVNULL, env=environment)
        peak = 0
        while child.poll() is None:
            peak = max(peak, peak_kib(child.pid))
            time.sleep(0.02)
        out.seek(0)
        answer = out.read().decode()
    if child.returncode != 0:
        sys.exit(f"check-limits: {' '.join(arguments)} ended with {child.returncode}: {answer[-2000:]}")
    return json.loads(answer), peak, time.monotonic() - began


def main():
    ready, place, dr, most_mib, small, large = sys.argv[1:]
    ready = json.load(open(ready))
    count, size = fill(ready, int(small), int(large))
    over = []
    for other in (False, True):
        name, path = policy(place, other)
        profiles = ["--profile", "admin"] + (["--profile", "other=other-admin"] if other else [])
        run(place, [dr, "vault", "init", "--policy", path, *profiles, "--json"])
        answer, peak, wall = run(place, [dr, "tick", "--policy", path, "--json"])
        assert answer["runs"][0]["result"] == "complete", answer
        print(f"backup to {name}: {count} files, {size / 1e9:.2f} GB, peak {peak / 1024:.0f} MiB, {wall:.0f} s", flush=True)
        checked, peak_verify, _ = run(place, [dr, "verify", "--policy", path, "--json"])
        assert checked["tested"] == checked["population"] >= count, checked
        print(f"verify of {name}: {checked['tested']} objects, peak {peak_verify / 1024:.0f} MiB", flush=True)
        over += [what for what, kib in ((f"backup to {name}", peak), (f"verify of {name}", peak_verify)) if kib > int(most_mib) * 1024]
    if over:
        sys.exit(f"check-limits: above {most_mib} MiB: {', '.join(over)}")
    print(f"check-limits: 4 peaks at or below {most_mib} MiB")


if __name__ == "__main__":
    main()
