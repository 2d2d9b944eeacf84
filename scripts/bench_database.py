"""Times dumps, loads and fingerprints by `dr` and by PostgreSQL's own programs, in turn, on the practice cloud. Used by bench-database.sh.

What `dr` takes is the time of its step, as it says itself; its whole process is told beside it. Of a peer it is the whole process.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

from limits import run

# Values of several kinds and lengths, half of which compress well; keys and indexes to build.
WIDE = """
CREATE TABLE wide (id bigint PRIMARY KEY, account int NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, body text NOT NULL, document jsonb NOT NULL);
INSERT INTO wide SELECT n, 1 + n %% %(accounts)d, '2024-01-01'::timestamptz + n * interval '7 s', 'kind ' || n %% 40,
  repeat(md5(n::text) || ' lorem ipsum dolor sit amet ', 8),
  jsonb_build_object('id', n, 'name', md5((n + 1)::text), 'paid', n %% 3 = 0, 'lines', (SELECT jsonb_agg(jsonb_build_object('sku', md5((n * 10 + l)::text), 'count', l, 'price', l * 1.25)) FROM generate_series(1, 6) l))
  FROM generate_series(1, %(rows)d) n;
CREATE INDEX ON wide (at);
CREATE INDEX ON wide (kind, account);
CREATE INDEX ON wide (left(body, 32));
ALTER TABLE wide ADD FOREIGN KEY (account) REFERENCES pgbench_accounts;
"""

# 1.2 GB of rows, as they are in COPY.
LONG = """
CREATE TABLE long (id bigint PRIMARY KEY, at timestamptz NOT NULL, total numeric NOT NULL, note text NOT NULL);
INSERT INTO long SELECT n, '2024-01-01'::timestamptz + n * interval '1 s', n * 1.5, md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text) || repeat('x', 60)
  FROM generate_series(1, %(rows)d) n;
"""

MANY = """
DO $$ BEGIN FOR s IN %(from)d..%(to)d LOOP
  EXECUTE format('CREATE SCHEMA tenant_%%s', s);
  FOR t IN 1..6 LOOP
    EXECUTE format('CREATE TABLE tenant_%%s.t%%s (id int PRIMARY KEY, name text NOT NULL, parent int)', s, t);
    EXECUTE format('INSERT INTO tenant_%%s.t%%s SELECT n, md5(n::text), n FROM generate_series(1, 50) n', s, t);
    EXECUTE format('CREATE INDEX ON tenant_%%s.t%%s (name)', s, t);
    IF t > 1 THEN EXECUTE format('ALTER TABLE tenant_%%s.t%%s ADD FOREIGN KEY (parent) REFERENCES tenant_%%s.t%%s', s, t, s, t - 1); END IF;
  END LOOP; END LOOP; END $$;
"""

# What somebody would write who has no program for it: every row as text, hashed, summed.
SUM = "SELECT count(*), sum(('x' || substr(md5(t::text), 1, 16))::bit(64)::bigint::numeric) FROM long t"

POLICY = """version: 1
name: %(name)s
sources:
  - id: server
    kind: postgres
    host: 127.0.0.1
    port: %(port)s
    databases: [%(database)s]
    reader: {user: %(user)s, password_file: bench.password}
targets:
  - name: central
    region: eu-central-1
    bucket: dr-vault-central
    account: "222222222222"
    lock: {mode: COMPLIANCE, retention: 1d, grace: 1h, max_lock_days: 3}
endpoints: %(endpoints)s
credentials:
  file: credentials
  profiles: {scheduler: scheduler, copier: copier, dumper: dumper, driller: driller, prober: prober, auditor: auditor, restorer: restorer}
schedule: {cron: "0 0 1 1 *", deadline: 2h}
runner: {alive_every: 5s, takeover_after: 40s, margin: 5s}
timeouts: {connect: 1s, call: 30s, poll_every: 1s}
retry: {requests: 3, steps: 3, backoff: 1s}
probe: {control: 2s, lock: 1m}
"""


def peaks(root, largest):
    """The largest VmHWM of a process and of what it started, while it runs."""
    while True:
        pids, at = [root], 0
        while at < len(pids):
            try:
                with open(f"/proc/{pids[at]}/task/{pids[at]}/children") as children:
                    pids += [int(p) for p in children.read().split()]
            except OSError:
                pass
            at += 1
        for pid in pids:
            try:
                with open(f"/proc/{pid}/status") as status:
                    kib = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
                    largest[0] = max(largest[0], kib)
            except OSError:
                pass
        if largest[1]:
            return
        time.sleep(0.02)


def timed(command, environment=None):
    """Seconds, and the peak in KiB of the largest of its processes."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
    largest = [0, False]
    watcher = threading.Thread(target=peaks, args=(child.pid, largest))
    watcher.start()
    said = child.communicate()[1]
    took = time.monotonic() - began
    largest[1] = True
    watcher.join()
    if child.returncode != 0:
        sys.exit(f"{command[0]} ended with {child.returncode}: {said.decode()[-2000:]}")
    return took, largest[0]


def mib(kib):
    return round(kib / 1024)


class Bench:
    def __init__(self, ready, place, dr, s5cmd, percent, runs):
        self.ready, self.place, self.dr, self.s5cmd, self.runs = ready, place, dr, s5cmd, runs
        self.share = percent / 100
        self.url = ready["clusters"][0]["url"]
        self.server = self.url.rsplit("/", 1)[0]
        user, rest = self.server.removeprefix("postgres://").removeprefix("postgresql://").split("@")
        self.user, self.password = user.split(":")
        self.port = rest.split(":")[1]
        self.slots = 0
        with open(f"{place}/lab/bench.password", "w") as file:
            file.write(self.password)

    def at(self, database):
        return f"{self.server}/{database}"

    def sql(self, database, *statements):
        commands = [word for statement in statements for word in ("--command", statement)]
        asked = ["psql", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", self.at(database), *commands]
        return subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout.decode().strip()

    def make(self, database):
        self.sql("postgres", "SET client_min_messages = error", f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database} TEMPLATE template0")

    def settled(self, database):
        """Nothing is left over from filling it that would be paid for by whoever reads first."""
        self.sql(database, "SET client_min_messages = error", "VACUUM ANALYZE")
        size = self.sql(database, f"SELECT pg_database_size('{database}')")
        print(json.dumps({"database": database, "GB": round(int(size) / 1e9, 2)}), flush=True)

    def backup(self, database):
        """A dump into one target: the policy of it, seconds of the step, of the whole process, KiB."""
        self.slots += 1
        name = f"{database}{self.slots}"
        path = f"{self.place}/lab/{name}.yaml"
        with open(path, "w") as file:
            endpoints = json.dumps({"eu-central-1": {"s3": self.ready["endpoints"]["eu-central-1"]["s3"]}})
            file.write(POLICY % {"name": name, "port": self.port, "database": database, "user": self.user, "endpoints": endpoints})
        run(self.place, [self.dr, "vault", "init", "--policy", path, "--profile", "admin", "--json"])
        answer, peak, wall = run(self.place, [self.dr, "tick", "--policy", path, "--json"])
        assert answer["runs"][0]["result"] == "complete", answer
        took = {step["name"]: step["s"] for step in answer["runs"][0]["steps_done"]}
        step = next(s for n, s in took.items() if n.startswith("dump"))
        print(json.dumps({"what": f"steps of the backup of {database}", "dr_s": {n: round(s, 1) for n, s in took.items()}, "wall_s": round(wall, 1)}), flush=True)
        return path, step, wall, peak

    def restore(self, path):
        """Its load into an empty database, and the comparison: seconds of each, KiB."""
        self.make("loaded")
        command = [self.dr, "restore", "--json", "--policy", path, "--target", "central", "--method", "dump", "--into", self.at("loaded")]
        # Without the hash of its plan nothing is done, and that is no success.
        shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "HOME": self.place})
        plan = json.loads(shown.stdout)["plan"]["hash"]
        answer, peak, wall = run(self.place, [*command, "--yes", "--plan", plan])
        took = {phase["name"]: phase["s"] for phase in answer["phases"]}
        assert answer["differs"] == [] and answer["undone"] == [], answer
        load = next(s for n, s in took.items() if n.startswith("load"))
        check = next(s for n, s in took.items() if n.startswith("check"))
        print(json.dumps({"what": "steps of the restore", "dr_s": {n: round(s, 1) for n, s in took.items()}, "wall_s": round(wall, 1)}), flush=True)
        return load, check, peak

    def told(self, what, ours, peers, peer, goal):
        """`ours` and `peers`: seconds and KiB of each run."""
        mine, theirs = (statistics.median(s for s, _ in all) for all in (ours, peers))
        line = {"what": what, "dr_s": round(mine, 1), "peer": peer, "peer_s": round(theirs, 1), "ratio": round(mine / theirs, 2), "goal": goal}
        line["dr_mib"], line["peer_mib"] = (mib(max(k for _, k in all)) for all in (ours, peers))
        print(json.dumps(line), flush=True)

    def pg_dump(self, database):
        folder = f"{self.place}/peer"
        shutil.rmtree(folder, ignore_errors=True)
        return folder, timed(["pg_dump", "--format=directory", "--jobs=2", f"--file={folder}", self.at(database)])

    def upload(self, folder):
        key = self.ready["roles"]["aws"]["admin"]
        environment = {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"], "AWS_REGION": "eu-central-1"}
        endpoint = self.ready["endpoints"]["eu-central-1"]["s3"]
        return timed([self.s5cmd, "--endpoint-url", endpoint, "cp", f"{folder}/", "s3://recovered-files/peer/"], environment)

    def pg_restore(self, folder):
        self.make("peer")
        return timed(["pg_restore", "--jobs=2", "--no-owner", f"--dbname={self.at('peer')}", folder])

    def dump(self):
        scale = max(1, round(40 * self.share))
        self.make("bench")
        subprocess.run(["pgbench", "--initialize", "--quiet", "--foreign-keys", "--scale", str(scale), self.at("bench")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.sql("bench", WIDE % {"accounts": scale * 100_000, "rows": round(700_000 * self.share)})
        self.settled("bench")
        dumps, loads, compared, locals_, uploads, restores = [], [], [], [], [], []
        for _ in range(self.runs):
            path, step, _, peak = self.backup("bench")
            dumps.append((step, peak))
            folder, took = self.pg_dump("bench")
            locals_.append(took)
            more, kib = self.upload(folder)
            uploads.append((took[0] + more, max(took[1], kib)))
            load, check, peak = self.restore(path)
            loads.append((load, peak))
            compared.append((load + check, peak))
            restores.append(self.pg_restore(folder))
        self.told("dump into one target", dumps, locals_, "pg_dump -Fd -j2 to a local folder", 1.0)
        self.told("dump into one target", dumps, uploads, "pg_dump -Fd -j2, then s5cmd cp", 0.77)
        self.told("load", loads, restores, "pg_restore -j2", 1.0)
        self.told("load and comparison", compared, restores, "pg_restore -j2", 1.2)
        self.sql("postgres", "DROP DATABASE bench")

    def fingerprint(self):
        self.make("bench")
        self.sql("bench", LONG % {"rows": round(5_000_000 * self.share)})
        self.settled("bench")
        path, _, _, _ = self.backup("bench")
        ours, copies, sums = [], [], []
        for _ in range(self.runs):
            _, check, peak = self.restore(path)
            ours.append((check, peak))
            copies.append(timed(["psql", self.at("loaded"), "--command", "COPY long TO STDOUT"]))
            sums.append(timed(["psql", self.at("loaded"), "--command", SUM]))
        self.told("fingerprint of a long table", ours, copies, "psql COPY, thrown away", 1.2)
        self.told("fingerprint of a long table", ours, sums, "sum of md5 of each row by the server", 1.2)
        self.sql("postgres", "DROP DATABASE bench")

    def many(self):
        schemas = max(1, round(400 * self.share))
        self.make("bench")
        # Each table is locked until its transaction ends.
        for first in range(1, schemas + 1, 20):
            self.sql("bench", MANY % {"from": first, "to": min(first + 19, schemas)})
        self.settled("bench")
        ours, peers = [], []
        for _ in range(self.runs):
            path, step, _, peak = self.backup("bench")
            load, _, more = self.restore(path)
            ours.append((step + load, max(peak, more)))
            folder, took = self.pg_dump("bench")
            back = self.pg_restore(folder)
            peers.append((took[0] + back[0], max(took[1], back[1])))
        self.told(f"{schemas * 6} tables in {schemas} schemas, dump and load", ours, peers, "pg_dump -Fd -j2, then pg_restore -j2", "60 s")
        self.sql("postgres", "DROP DATABASE bench")


def main():
    ready, place, dr, s5cmd, percent, runs, only = sys.argv[1:]
    bench = Bench(json.load(open(ready)), place, dr, s5cmd, float(percent), int(runs))
    for what in only.split(","):
        getattr(bench, what)()


if __name__ == "__main__":
    main()
