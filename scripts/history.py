"""Repeats one real backup's documents for thousands of slots before it, then times who reads them. Used by history.sh."""

import datetime
import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from limits import client, fill, policy, run

VAULT, REGION = "dr-vault-central", "eu-central-1"
FORM = "%Y%m%dT%H%M%SZ"


def lines(s3, prefix):
    keys = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=VAULT, Prefix=prefix) for o in page.get("Contents", [])]
    return [(key, s3.get_object(Bucket=VAULT, Key=key)["Body"].read().decode()) for key in sorted(keys)]


def entries(run_of, first, last):
    """The opening and the end of a run, as the two entries of a run of its own."""
    end = json.loads(last)
    end["seq"], end["prev"] = 1, hashlib.sha256(first.encode()).hexdigest()
    return [(f"{run_of}/00000000", first), (f"{run_of}/00000001", json.dumps(end, indent=2) + "\n")]


def copies(s3, name, slot, n):
    """Documents of each of the n slots before this one, with their keys."""
    journal, point = lines(s3, f"runs/{name}/backup-{slot}/"), lines(s3, f"points/{name}/{slot}/")
    at = datetime.datetime.strptime(slot, FORM)
    for back in range(1, n + 1):
        other = (at - datetime.timedelta(hours=back)).strftime(FORM)
        moved = lambda text: text.replace(slot, other)
        yield from ((moved(key), moved(text)) for key, text in point)
        yield from entries(f"runs/{name}/backup-{other}", moved(journal[0][1]), moved(journal[-1][1]))


def main():
    ready, place, dr, slots = sys.argv[1:]
    ready, slots = json.load(open(ready)), int(slots)
    fill(ready, 3, 0)
    name, path = policy(place, False)
    run(place, [dr, "vault", "init", "--policy", path, "--profile", "admin", "--json"])
    made, _, _ = run(place, [dr, "tick", "--policy", path, "--json"])
    slot = made["runs"][0]["slot"]
    s3 = client(ready, REGION)
    put = lambda item: s3.put_object(Bucket=VAULT, Key=item[0], Body=item[1].encode())
    with ThreadPoolExecutor(8) as pool:
        count = sum(1 for _ in pool.map(put, copies(s3, name, slot, slots - 1)))
    print(f"{slots} slots, {count} documents more", flush=True)
    vault = ["--from", f"s3://{VAULT}", "--region", REGION, "--endpoint", ready["endpoints"][REGION]["s3"]]
    first = (datetime.datetime.strptime(slot, FORM) - datetime.timedelta(days=30)).isoformat() + "Z"
    key = ready["roles"]["aws"]["restorer"]
    environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"]}
    for what, words in (
        ("dr status", ["status", "--policy", path]),
        ("dr log, 30 days", ["log", "--policy", path, "--since", first]),
        ("dr restore --from", ["restore", *vault]),
    ):
        answer, peak, wall = run(place, [dr, *words, "--json"], environment)
        assert slot in json.dumps(answer), f"{what} does not show the newest point {slot}"
        shown = len(answer["runs"]) if "runs" in answer else 1
        print(f"{what}: {wall:.2f} s, peak {peak / 1024:.0f} MiB, {shown} shown, the newest among them", flush=True)


if __name__ == "__main__":
    main()
