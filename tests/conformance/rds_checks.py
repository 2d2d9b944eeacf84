#!/usr/bin/env python3
"""Drives the lab's RDS with boto3 alone: snapshot, copy to another region, share, restore, SQL, delete, and refusals.

    rds_checks.py --lab READY.json      the line that `dr-lab up --json` prints, in a file

Prints `PASS name` or `FAIL name detail` per check and a closing count; exit status 1 if any failed.
"""
import argparse
import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PRIMARY, SECOND = "eu-west-3", "eu-central-1"
VAULT_ACCOUNT, DRILL_ACCOUNT = "222222222222", "333333333333"
RUN = f"{int(time.time()) % 1000000}"


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def note(self, name, ok, detail=""):
        self.passed, self.failed = self.passed + bool(ok), self.failed + (not ok)
        print(f"{'PASS' if ok else 'FAIL'} {name}{'' if ok else ' ' + str(detail)[:300]}", flush=True)
        return ok

    def check(self, name, work, want=lambda answer: True):
        """`work` answers without an error and `want` accepts the answer."""
        try:
            answer = work()
        except Exception as error:
            self.note(name, False, error)
            return None
        self.note(name, want(answer), answer)
        return answer

    def refused(self, name, code, work):
        """`work` is refused with exactly this code."""
        try:
            answer = work()
        except ClientError as error:
            return self.note(name, error.response["Error"]["Code"] == code, error)
        except Exception as error:
            return self.note(name, False, error)
        return self.note(name, False, f"answered instead of {code}: {answer}")


class Lab:
    def __init__(self, ready):
        self.ready = ready
        self.keys = ready["kms_keys"]

    def rds(self, role, region, secret=None, key_id=None, service="rds"):
        key = self.ready["roles"]["aws"][role]
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)
        return boto3.client(
            service, region_name=region, endpoint_url=self.ready["endpoints"][region][service], config=config,
            aws_access_key_id=key_id or key["access_key_id"], aws_secret_access_key=secret or key["secret_access_key"])

    def control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.ready["control"].rstrip("/") + path, data=data, method="GET" if body is None else "POST")
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None

    def kms(self, key, state):
        self.control("/kms", {"key": key, "state": state})


def psql(url, sql):
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", url, "-c", sql], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "PGCONNECT_TIMEOUT": "5"})
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip()


def heartbeat(lab, url):
    """The newest heartbeat, asked of the lab: the master user of a cluster reads no table of the application."""
    return lab.control("/digest?url=" + urllib.parse.quote(url, safe=""))["heartbeat"] or 0


def wait(describe, status="available", seconds=60):
    """Polls until the thing has the status; a status that ends all hope ends the wait."""
    deadline = time.monotonic() + seconds
    while True:
        found = describe()
        if found == status or found == "failed" or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def snapshot_status(rds, name):
    return rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name, IncludeShared=True)["DBClusterSnapshots"][0]["Status"]


def cluster_status(rds, name):
    return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Status"]


def instance_status(rds, name):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"]


def tags(role):
    return [{"Key": "dr:role", "Value": role}, {"Key": "dr:run", "Value": "checks " + RUN}]


def with_port(url, port, user=None, password=None, database=None):
    parts = urllib.parse.urlsplit(url)
    user = user or parts.username
    password = parts.password if password is None else urllib.parse.quote(password, safe="")
    return f"postgres://{user}:{password}@127.0.0.1:{port}/{database or parts.path.lstrip('/')}"


def take_and_copy(c, lab, names):
    scheduler, copier = lab.rds("scheduler", PRIMARY), lab.rds("copier", SECOND)
    before = heartbeat(lab, names["url"])
    answer = c.check("create snapshot: answers creating", lambda: scheduler.create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier=names["snapshot"], DBClusterIdentifier="shop", Tags=tags("backup")),
        lambda a: a["DBClusterSnapshot"]["Status"] == "creating")
    arn = answer["DBClusterSnapshot"]["DBClusterSnapshotArn"]
    c.check("snapshot becomes available", lambda: wait(lambda: snapshot_status(scheduler, names["snapshot"])), lambda s: s == "available")
    after = heartbeat(lab, names["url"])
    c.check("snapshot is described whole", lambda: scheduler.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=arn)["DBClusterSnapshots"][0],
            lambda s: s["PercentProgress"] == 100 and s["StorageEncrypted"] and s["KmsKeyId"] in lab.keys[PRIMARY] and s["MasterUsername"] == "master"
            and s["Engine"] == "aurora-postgresql" and {t["Key"] for t in s["TagList"]} == {"dr:role", "dr:run"} and s["SnapshotCreateTime"].tzinfo)
    c.check("tags are listed by ARN", lambda: scheduler.list_tags_for_resource(ResourceName=arn)["TagList"], lambda t: len(t) == 2)
    c.check("a tag is added", lambda: (scheduler.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "more", "Value": "ü & <b>"}]),
            scheduler.list_tags_for_resource(ResourceName=arn)["TagList"])[1], lambda t: {"Key": "more", "Value": "ü & <b>"} in t)
    key = lab.keys[SECOND][0]
    copy = lambda name, **more: copier.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=arn, TargetDBClusterSnapshotIdentifier=name, **{"KmsKeyId": key, "Tags": tags("backup"), **more})
    c.refused("not shared: the copier sees nothing", "DBClusterSnapshotNotFoundFault", lambda: copy(names["copy"]))
    c.check("share with the vault account", lambda: scheduler.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=names["snapshot"], AttributeName="restore", ValuesToAdd=[VAULT_ACCOUNT])["DBClusterSnapshotAttributesResult"],
        lambda r: r["DBClusterSnapshotAttributes"][0]["AttributeValues"] == [VAULT_ACCOUNT])
    c.check("the share is read back", lambda: scheduler.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=names["snapshot"]),
            lambda r: r["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"][0]["AttributeValues"] == [VAULT_ACCOUNT])
    c.check("shared: seen by ARN with IncludeShared", lambda: lab.rds("copier", PRIMARY).describe_db_cluster_snapshots(
        DBClusterSnapshotIdentifier=arn, IncludeShared=True)["DBClusterSnapshots"], lambda s: len(s) == 1)
    c.refused("shared: not seen without IncludeShared", "DBClusterSnapshotNotFoundFault",
              lambda: lab.rds("copier", PRIMARY).describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=arn))
    c.refused("copy with a key of the wrong region", "KMSKeyNotAccessibleFault", lambda: copy(names["copy"], KmsKeyId=lab.keys[PRIMARY][0]))
    c.refused("copy across regions without a key", "InvalidParameterCombination", lambda: copier.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=arn, TargetDBClusterSnapshotIdentifier=names["copy"]))
    lab.kms(key, "disabled")
    c.refused("copy under a disabled key", "KMSKeyNotAccessibleFault", lambda: copy(names["copy"]))
    lab.kms(key, "absent")
    c.refused("copy under a deleted key", "KMSKeyNotAccessibleFault", lambda: copy(names["copy"]))
    lab.kms(key, "enabled")
    c.check("copy: answers copying", lambda: copy(names["copy"]), lambda a: a["DBClusterSnapshot"]["Status"] == "copying")
    c.refused("a second copy of that name", "DBClusterSnapshotAlreadyExistsFault", lambda: copy(names["copy"]))
    c.check("copy becomes available", lambda: wait(lambda: snapshot_status(copier, names["copy"])), lambda s: s == "available")
    copied = c.check("the copy is encrypted under the other key and names its source",
                     lambda: copier.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=names["copy"])["DBClusterSnapshots"][0],
                     lambda s: s["KmsKeyId"] == key and s["SourceDBClusterSnapshotArn"] == arn and f":{VAULT_ACCOUNT}:" in s["DBClusterSnapshotArn"])
    return arn, copied["DBClusterSnapshotArn"], before, after


def restore(c, lab, names, copy_arn, before, after):
    driller = lab.rds("driller", SECOND)
    make = lambda **more: driller.restore_db_cluster_from_snapshot(
        **{"DBClusterIdentifier": names["cluster"], "SnapshotIdentifier": copy_arn, "Engine": "aurora-postgresql", "DeletionProtection": True, "Tags": tags("scratch"), **more})
    c.refused("restore of a snapshot that is not shared", "DBClusterSnapshotNotFoundFault", make)
    c.check("share the copy with the drill account", lambda: lab.rds("copier", SECOND).modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=names["copy"], AttributeName="restore", ValuesToAdd=[DRILL_ACCOUNT]))
    c.refused("restore without the scratch tag by the driller", "AccessDenied", lambda: make(Tags=[]))
    c.refused("restore to an unknown version", "InvalidParameterCombination", lambda: make(EngineVersion="9.6"))
    lab.kms(lab.keys[SECOND][0], "disabled")
    c.refused("restore under a disabled key", "KMSKeyNotAccessibleFault", make)
    lab.kms(lab.keys[SECOND][0], "enabled")
    c.check("restore: answers creating", make, lambda a: a["DBCluster"]["Status"] == "creating" and f":{DRILL_ACCOUNT}:" in a["DBCluster"]["DBClusterArn"])
    c.refused("a second cluster of that name", "DBClusterAlreadyExistsFault", make)
    c.check("cluster becomes available", lambda: wait(lambda: cluster_status(driller, names["cluster"])), lambda s: s == "available")
    found = driller.describe_db_clusters(DBClusterIdentifier=names["cluster"])["DBClusters"][0]
    url = with_port(names["url"], found["Port"])
    c.note("no server answers before the first instance", subprocess.run(["psql", "-X", url, "-c", "SELECT 1"], capture_output=True).returncode != 0)
    c.refused("an instance of no cluster", "DBClusterNotFoundFault", lambda: driller.create_db_instance(
        DBInstanceIdentifier=names["instance"], DBClusterIdentifier="nowhere", DBInstanceClass="db.serverless", Engine="aurora-postgresql", Tags=tags("scratch")))
    instance = lambda: driller.create_db_instance(DBInstanceIdentifier=names["instance"], DBClusterIdentifier=names["cluster"],
                                                  DBInstanceClass="db.serverless", Engine="aurora-postgresql", Tags=tags("scratch"))
    c.refused("a serverless instance without capacity", "InvalidDBClusterStateFault", instance)
    c.refused("capacity with one end", "InvalidParameterValue", lambda: driller.modify_db_cluster(
        DBClusterIdentifier=names["cluster"], ServerlessV2ScalingConfiguration={"MinCapacity": 0.5}))
    c.check("capacity is set", lambda: driller.modify_db_cluster(
        DBClusterIdentifier=names["cluster"], ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 2}))
    c.check("instance: answers creating", instance, lambda a: a["DBInstance"]["DBInstanceStatus"] == "creating")
    c.refused("a second instance of that name", "DBInstanceAlreadyExists", instance)
    c.check("instance becomes available", lambda: wait(lambda: instance_status(driller, names["instance"])), lambda s: s == "available")
    c.check("the cluster lists its member", lambda: driller.describe_db_clusters(DBClusterIdentifier=names["cluster"])["DBClusters"][0],
            lambda d: d["DBClusterMembers"][0]["DBInstanceIdentifier"] == names["instance"] and d["Endpoint"] == "127.0.0.1")
    c.check("SQL with the snapshot's password", lambda: psql(url, "SELECT current_user"), lambda t: t == "master")
    newest = c.check("its newest heartbeat", lambda: heartbeat(lab, url))
    c.note("it holds what was committed before and nothing from later", newest is not None and before <= newest <= after + 2, (before, newest, after))
    c.check("row-level security is there, forced", lambda: psql(url, "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'app' AND relname = 'orders'"), lambda t: t == "t")
    c.check("the master user is no superuser, and reads no table of the application", lambda: subprocess.run(
        ["psql", "-X", url, "-c", "SELECT 1 FROM app.orders"], capture_output=True, text=True).stderr, lambda t: "permission denied" in t)
    equality(c, lab, url)
    c.check("a new master password", lambda: driller.modify_db_cluster(DBClusterIdentifier=names["cluster"], MasterUserPassword="new-Passw0rd", ApplyImmediately=True))
    c.check("the new password opens", lambda: psql(with_port(url, found["Port"], password="new-Passw0rd"), "SELECT 1"), lambda t: t == "1")
    c.note("the old password does not", subprocess.run(["psql", "-X", url, "-c", "SELECT 1"], capture_output=True).returncode != 0)
    c.refused("a password that the service refuses", "InvalidParameterValue", lambda: driller.modify_db_cluster(
        DBClusterIdentifier=names["cluster"], MasterUserPassword="short"))


def equality(c, lab, url):
    def compare():
        found = lab.control("/digest?url=" + urllib.parse.quote(url, safe=""))
        wanted = lab.control(f"/expected?n={found['heartbeat']}")
        return found["tables"], wanted["tables"]
    c.check("every table has the digest of expected(n)", compare, lambda pair: pair[0] == pair[1] and len(pair[0]) >= 10)


def empty_cluster(c, lab, names):
    driller = lab.rds("driller", SECOND)
    name, instance = names["cluster"] + "-empty", names["instance"] + "-empty"
    c.check("create an empty cluster", lambda: driller.create_db_cluster(
        DBClusterIdentifier=name, Engine="aurora-postgresql", MasterUsername="owner", MasterUserPassword="first-Passw0rd", DatabaseName="fresh",
        StorageEncrypted=True, ServerlessV2ScalingConfiguration={"MinCapacity": 0.5, "MaxCapacity": 2},
        Tags=tags("scratch")), lambda a: a["DBCluster"]["Status"] == "creating")
    c.check("it becomes available", lambda: wait(lambda: cluster_status(driller, name)), lambda s: s == "available")
    c.check("a password is set before there is an instance", lambda: driller.modify_db_cluster(DBClusterIdentifier=name, MasterUserPassword="second-Passw0rd"))
    driller.create_db_instance(DBInstanceIdentifier=instance, DBClusterIdentifier=name, DBInstanceClass="db.serverless", Engine="aurora-postgresql", Tags=tags("scratch"))
    c.check("its instance becomes available", lambda: wait(lambda: instance_status(driller, instance)), lambda s: s == "available")
    port = driller.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Port"]
    url = with_port(names["url"], port, user="owner", password="second-Passw0rd", database="fresh")
    c.check("its database is empty and writable", lambda: psql(url, "CREATE TABLE t AS SELECT 7 AS x; SELECT sum(x) FROM t"), lambda t: t == "7")
    c.refused("delete with instances", "InvalidDBClusterStateFault", lambda: driller.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True))
    driller.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    c.check("delete it", lambda: driller.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True), lambda a: a["DBCluster"]["Status"] == "deleting")
    c.refused("it is gone", "DBClusterNotFoundFault", lambda: driller.describe_db_clusters(DBClusterIdentifier=name))


def refusals(c, lab, names, arn):
    scheduler = lab.rds("scheduler", PRIMARY)
    create = lambda name, cluster="shop": scheduler.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster)
    c.refused("snapshot that exists", "DBClusterSnapshotAlreadyExistsFault", lambda: create(names["snapshot"]))
    c.refused("snapshot of no cluster", "DBClusterNotFoundFault", lambda: create("x" + RUN, "nowhere"))
    c.refused("snapshot with a bad name", "InvalidParameterValue", lambda: create("double--hyphen"))
    c.refused("snapshot that is not there", "DBClusterSnapshotNotFoundFault",
              lambda: scheduler.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier="nothing"))
    c.refused("instance that is not there", "DBInstanceNotFound", lambda: scheduler.describe_db_instances(DBInstanceIdentifier="nothing"))
    c.refused("sharing with what is no account", "InvalidParameterValue", lambda: scheduler.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=names["snapshot"], AttributeName="restore", ValuesToAdd=["all"]))
    c.refused("the scheduler deletes nothing", "AccessDenied", lambda: scheduler.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=names["snapshot"]))
    c.refused("the driller may not touch production", "DBClusterNotFoundFault", lambda: lab.rds("driller", PRIMARY).delete_db_cluster(
        DBClusterIdentifier="shop", SkipFinalSnapshot=True))
    c.refused("the prober has no RDS", "AccessDenied", lambda: lab.rds("prober", SECOND).describe_db_clusters())
    c.refused("production is protected", "InvalidParameterCombination", lambda: lab.rds("admin", PRIMARY).delete_db_cluster(
        DBClusterIdentifier="shop", SkipFinalSnapshot=True))
    c.refused("a wrong secret", "SignatureDoesNotMatch", lambda: lab.rds("scheduler", PRIMARY, secret="x" * 40).describe_db_clusters())
    c.refused("an unknown key", "InvalidClientTokenId", lambda: lab.rds("scheduler", PRIMARY, key_id="AKIANOBODYNOBODY1234").describe_db_clusters())
    c.check("the caller's account", lambda: lab.rds("scheduler", PRIMARY, service="sts").get_caller_identity()["Account"], lambda a: a == "111111111111")
    lab.kms(lab.keys[PRIMARY][0], "disabled")
    c.refused("snapshot under a disabled key", "KMSKeyNotAccessibleFault", lambda: create("y" + RUN))
    lab.kms(lab.keys[PRIMARY][0], "enabled")


def quotas(c, lab, names, arn):
    admin = lab.rds("admin", SECOND)
    copy = lambda name: admin.copy_db_cluster_snapshot(SourceDBClusterSnapshotIdentifier=arn, TargetDBClusterSnapshotIdentifier=name, KmsKeyId=lab.keys[SECOND][0])
    made = [f"quota-{RUN}-{i}" for i in range(5)]
    lab.control("/states", {"snapshot_s": 0, "copy_s": 30, "cluster_s": 0, "instance_s": 0})
    for name in made:
        copy(name)
    c.refused("a sixth copy at the same time", "SnapshotQuotaExceeded", lambda: copy(f"quota-{RUN}-6"))
    c.refused("restore from a copy under way", "InvalidDBClusterSnapshotStateFault", lambda: admin.restore_db_cluster_from_snapshot(
        DBClusterIdentifier=f"early-{RUN}", SnapshotIdentifier=made[0], Engine="aurora-postgresql"))
    lab.control("/clock", {"advance_s": 31})
    c.check("states go by the lab's clock", lambda: [wait(lambda: snapshot_status(admin, name)) for name in made], lambda s: set(s) == {"available"})
    lab.control("/states", {"snapshot_s": 0, "copy_s": 0, "cluster_s": 0, "instance_s": 0})
    for name in made:
        wait(lambda: snapshot_status(admin, name))
        admin.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
    c.refused("deleted snapshots are gone", "DBClusterSnapshotNotFoundFault", lambda: snapshot_status(admin, made[0]))


def pages(c, lab, names):
    driller = lab.rds("driller", SECOND)
    more = [f"{names['instance']}-r{i:02}" for i in range(20)]
    for name in more:
        driller.create_db_instance(DBInstanceIdentifier=name, DBClusterIdentifier=names["cluster"], DBInstanceClass="db.serverless",
                                   Engine="aurora-postgresql", Tags=tags("scratch"))
    listed = lambda: list(driller.get_paginator("describe_db_instances").paginate(PaginationConfig={"PageSize": 20}))
    c.check("listings have pages", listed, lambda p: len(p) == 2 and [i["DBInstanceIdentifier"] for q in p for i in q["DBInstances"]] == [names["instance"], *more])
    for name in more:
        driller.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


def delete(c, lab, names):
    driller = lab.rds("driller", SECOND)
    left = lab.control("/leftovers")
    c.note("the scratch cluster counts as left over", left["clusters"] == 1 and left["instances"] == 1 and left["processes"] == 0, left)
    drop = lambda: driller.delete_db_cluster(DBClusterIdentifier=names["cluster"], SkipFinalSnapshot=True)
    c.refused("delete a protected cluster", "InvalidParameterCombination", drop)
    c.check("lift the protection", lambda: driller.modify_db_cluster(DBClusterIdentifier=names["cluster"], DeletionProtection=False),
            lambda a: a["DBCluster"]["DeletionProtection"] is False)
    c.check("delete the instance", lambda: driller.delete_db_instance(DBInstanceIdentifier=names["instance"], SkipFinalSnapshot=True),
            lambda a: a["DBInstance"]["DBInstanceStatus"] == "deleting")
    c.refused("the instance is gone", "DBInstanceNotFound", lambda: instance_status(driller, names["instance"]))
    c.check("delete the cluster", drop)
    c.refused("the cluster is gone", "DBClusterNotFoundFault", drop)
    admin = lab.rds("admin", SECOND)
    c.check("delete the copy", lambda: admin.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=names["copy"]))
    c.check("delete the snapshot", lambda: lab.rds("admin", PRIMARY).delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=names["snapshot"]))
    left = lab.control("/leftovers")
    c.note("nothing is left over", left["clusters"] == left["instances"] == left["processes"] == 0, left)


def region_loss(c, lab, names):
    c.check("the region goes down", lambda: lab.control(f"/regions/{PRIMARY}/down", {}))
    c.note("its server does not answer", subprocess.run(["psql", "-X", names["url"], "-c", "SELECT 1"], capture_output=True).returncode != 0)
    last = lab.control("/workload")["last_operation"]
    c.check("the region comes up", lambda: lab.control(f"/regions/{PRIMARY}/up", {}))
    newest = c.check("every acknowledged commit is there", lambda: heartbeat(lab, names["url"]), lambda n: n >= last)

    def goes_on():
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            now = lab.control("/workload")
            if now["running"] and now["last_operation"] > (newest or 0) + 20:
                return True
            time.sleep(0.1)
        return now
    c.check("the writer goes on", goes_on, lambda ok: ok is True)
    equality(c, lab, names["url"])


def modelled(c, lab):
    """The errors that dr knows for its calls are those of the service's model."""
    model = lab.rds("scheduler", PRIMARY).meta.service_model
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/aws/error/modelled.txt")
    with open(here, encoding="utf-8") as file:
        listed = set(file.read().splitlines())
    wanted = set()
    for operation in {line.split()[0] for line in listed}:
        for shape in model.operation_model(operation).error_shapes:
            error = shape.metadata.get("error", {})
            wanted.add(f"{operation} {error.get('code', shape.name)} {error.get('httpStatusCode')}")
    c.check("the listed errors are the model's", lambda: sorted(listed ^ wanted), lambda odd: odd == [])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--lab", required=True, help="file with the ready line of `dr-lab up --json`")
    with open(arguments.parse_args().lab, encoding="utf-8") as file:
        ready = json.loads(file.readline())
    lab, c = Lab(ready), Checks()
    production = next(x for x in ready["clusters"] if x["id"] == "shop")
    names = {"url": production["url"], "snapshot": f"check-{RUN}", "copy": f"check-{RUN}-copy", "cluster": f"dr-drill-check-{RUN}", "instance": f"dr-drill-check-{RUN}-1"}
    arn, copy_arn, before, after = take_and_copy(c, lab, names)
    restore(c, lab, names, copy_arn, before, after)
    empty_cluster(c, lab, names)
    refusals(c, lab, names, arn)
    quotas(c, lab, names, arn)
    pages(c, lab, names)
    delete(c, lab, names)
    region_loss(c, lab, names)
    modelled(c, lab)
    print(f"{c.passed} passed, {c.failed} failed")
    return 1 if c.failed else 0


if __name__ == "__main__":
    sys.exit(main())
