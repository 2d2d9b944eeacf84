"""Times `dr` and a peer doing the same on the same practice cloud, in turn. Used by bench.sh."""

import json
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from limits import client, fill, policy, run


def told(what, ours, peers, peer):
    ours, peers = statistics.median(ours), statistics.median(peers)
    print(json.dumps({"what": what, "dr_s": round(ours, 1), "peer": peer, "peer_s": round(peers, 1), "ratio": round(ours / peers, 2)}), flush=True)


def files(ready, place, dr, runs, count):
    """The copy of a bucket into the vault, each object with its lock and digest, beside a copy without them."""
    source, target = (client(ready, region) for region in ("eu-west-3", "eu-central-1"))
    ours, peers = [], []
    text = open(policy(place, False)[1]).read()
    for n in range(runs):
        # Files of its own each time: what is in the vault already is not put again.
        number, size = fill(ready, count, count // 20, f"bench{n}/")
        path = f"{place}/lab/bench{n}.yaml"
        changed = text.replace("name: central\n", f"name: bench{n}\n", 1).replace("\n\ntargets:", f"\n    prefix: bench{n}/\n\ntargets:", 1)
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
    ready, place, dr, runs, count = sys.argv[1:]
    ready = json.load(open(ready))
    files(ready, place, dr, int(runs), int(count))


if __name__ == "__main__":
    main()
