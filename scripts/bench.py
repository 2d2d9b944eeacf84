"""Times `dr` and a peer doing the same on the same practice cloud, in turn. Used by bench.sh."""

import json
import shutil
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from limits import client, fill, policy, run


def timed(command):
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.monotonic() - began


def told(what, ours, peers, peer):
    ours, peers = statistics.median(ours), statistics.median(peers)
    print(json.dumps({"what": what, "dr_s": round(ours, 1), "peer": peer, "peer_s": round(peers, 1), "ratio": round(ours / peers, 2)}), flush=True)


def database(ready, place, dr, scale, runs):
    """The dump and its load, as a drill does them, beside pg_dump and pg_restore of the same database to a local folder."""
    url = ready["clusters"][0]["url"]
    timed(["pgbench", "--initialize", "--quiet", "--scale", scale, url])
    path = f"{place}/lab/policy.yaml"
    dumps, loads, peer_dumps, peer_loads = [], [], [], []
    run(place, [dr, "vault", "init", "--policy", path, "--profile", "admin", "--profile", "other=other-admin", "--json"])
    run(place, [dr, "tick", "--policy", path, "--role", "scheduler", "--json"])
    run(place, [dr, "tick", "--policy", path, "--role", "copier", "--json"])
    for _ in range(runs):
        answer, _, _ = run(place, [dr, "drill", "--policy", path, "--json"])
        took = {phase["name"]: phase["s"] for phase in answer["phases"]}
        dumps.append(next(s for name, s in took.items() if name.startswith("dump") and "central" in name))
        loads.append(next(s for name, s in took.items() if name.startswith("load") and "central" in name))
        folder = f"{place}/peer"
        shutil.rmtree(folder, ignore_errors=True)
        peer_dumps.append(timed(["pg_dump", "--format=directory", "--jobs=2", f"--file={folder}", url]))
        empty = url.rsplit("/", 1)[0] + "/peer"
        timed(["psql", "--quiet", url, "--command", "DROP DATABASE IF EXISTS peer", "--command", "CREATE DATABASE peer TEMPLATE template0"])
        peer_loads.append(timed(["pg_restore", "--jobs=2", "--no-owner", f"--dbname={empty}", folder]))
    told("dump", dumps, peer_dumps, "pg_dump -Fd -j2")
    told("load of it, compared", loads, peer_loads, "pg_restore -j2")


def files(ready, place, dr, runs, count):
    """The copy of a bucket into the vault, each object with its lock and digest, beside a copy without them."""
    source, target = (client(ready, region) for region in ("eu-west-3", "eu-central-1"))
    ours, peers = [], []
    text = open(policy(place, False)[1]).read()
    for n in range(runs):
        # Files of its own each time: what is in the vault already is not put again.
        number, size = fill(ready, count, count // 20, f"bench{n}/")
        path = f"{place}/lab/bench{n}.yaml"
        changed = text.replace("name: central\n", f"name: bench{n}\n", 1).replace("\n\ntargets:", f"\n      prefix: bench{n}/\n\ntargets:", 1)
        open(path, "w").write(changed)
        run(place, [dr, "vault", "init", "--policy", path, "--profile", "admin", "--json"])
        answer, _, wall = run(place, [dr, "tick", "--policy", path, "--json"])
        took = {step["name"]: step["s"] for step in answer["runs"][0]["steps_done"]}
        print(json.dumps({"what": "steps of that backup", "dr_s": {name: round(s, 1) for name, s in took.items()}, "wall_s": round(wall, 1)}), flush=True)
        ours.append(took["copy-objects:app-files:central"])
        began = time.monotonic()
        pages = source.get_paginator("list_objects_v2").paginate(Bucket="app-files", Prefix=f"bench{n}/")
        keys = [o["Key"] for page in pages for o in page.get("Contents", [])]
        assert len(keys) == number, (len(keys), number)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda k: target.copy_object(Bucket="recovered-files", Key=k, CopySource={"Bucket": "app-files", "Key": k}), keys))
        peers.append(time.monotonic() - began)
    told(f"{number} files, {size / 1e9:.2f} GB, copied by the store with locks, each read back", ours, peers, "boto3 copy_object, 8 threads, no locks, nothing read back")


def main():
    ready, place, dr, scale, runs, count = sys.argv[1:]
    ready = json.load(open(ready))
    files(ready, place, dr, int(runs), int(count))
    database(ready, place, dr, scale, int(runs))


if __name__ == "__main__":
    main()
