#!/usr/bin/env python3
"""A broker that delivers to Ceph's object gateway (radosgw): what s3_store_test.py asks of versitygw, asked of a server that is not like it.

    radosgw_test.py --build build/release

Ceph 16 takes no checksum behind the body of an upload: the first promise is that this is told with what to do about it. The others are kept without. The
gateway is away, dies in the middle, hangs, is slow; credentials are wrong; the bucket is missing; the user's quota is used up; the broker is killed between an
upload and its checkpoint; somebody else's object has the key. Objects are counted by pyarrow over S3, and looked at and changed by boto3. Exit code 0 kept,
1 broken (everything is left for a look), 77 cannot be run here: Debian's packages ceph-mon, ceph-osd and radosgw are missing.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import uuid

import s3_store_test as s3
import s3_world as world
from s3_world import Broken

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "compat"))

import packages  # noqa: E402

PROGRAMS = ["ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin"]
CEPH_TIMEOUT_S = 60
TAKES_CHECKSUMS = 18  # the version

# One monitor, one store in memory, no authentication between them, everything on loopback and below one directory. A gateway that was killed is not waited for.
CONFIGURATION = """
[global]
fsid = {fsid}
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
mon_host = [v2:127.0.0.1:{mon_port}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
admin_socket = {home}/$name.asok
log_file = {home}/$name.log
run_dir = {home}
pid_file =
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 0
osd_client_watch_timeout = 1
[mon.a]
mon_data = {home}/mon
[osd.0]
osd_data = {home}/osd
osd_objectstore = memstore
osd_class_dir = {classes}
memstore_device_bytes = 2147483648
[client.rgw]
rgw_data = {home}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{port}
rgw_dynamic_resharding = false
rgw_bucket_quota_ttl = 0
rgw_user_quota_bucket_sync_interval = 1
"""


class Gateway:
    """radosgw before a cluster of its own; stop and start are the gateway's. As world.Server otherwise."""

    def __init__(self, home):
        import boto3
        from botocore.config import Config

        self.home = home / "ceph"
        for part in ("mon", "osd", "rgw"):
            (self.home / part).mkdir(parents=True)
        self.port, mon_port = world.free_port(), world.free_port()
        self.configuration = self.home / "ceph.conf"
        fsid = str(uuid.uuid4())
        classes = next(pathlib.Path("/usr/lib").glob("**/rados-classes"))  # Debian 13's ceph-osd looks elsewhere
        self.configuration.write_text(CONFIGURATION.format(home=self.home, classes=classes, fsid=fsid, port=self.port, mon_port=mon_port))
        self.run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v2:127.0.0.1:{mon_port}]", self.home / "monmap")
        self.cluster, self.gateway = [], None
        self.client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1", aws_access_key_id=world.ACCESS,
                                   aws_secret_access_key=world.SECRET,
                                   config=Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"}))

    def run(self, program, *arguments):
        done = subprocess.run([program, "-c", self.configuration, *arguments], capture_output=True, text=True, check=False, timeout=CEPH_TIMEOUT_S)
        if done.returncode != 0:
            raise Broken(f"{program} {' '.join(map(str, arguments))}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        return done.stdout

    def spawn(self, *command):
        with (self.home / f"{command[0]}.out").open("ab") as out:
            return subprocess.Popen([*command, "-c", self.configuration, "-f"], stdout=out, stderr=out)

    def admin(self, *arguments):
        return self.run("radosgw-admin", "-n", "client.rgw", *arguments, f"--uid={world.ACCESS}")

    def begin(self):
        """The cluster, with a user in it."""
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", self.home / "monmap")
        self.cluster.append(self.spawn("ceph-mon", "-i", "a"))
        identity = str(uuid.uuid4())
        self.run("ceph", "osd", "new", identity)
        self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", identity)
        self.cluster.append(self.spawn("ceph-osd", "-i", "0"))
        self.admin("user", "create", f"--display-name={world.ACCESS}", f"--access-key={world.ACCESS}", f"--secret-key={world.SECRET}")
        self.start()

    def start(self):
        self.gateway = self.spawn("radosgw", "-n", "client.rgw")
        world.wait_for("the gateway listens", lambda: world.listens(self.port))

    def stop(self):
        self.end(self.gateway)
        self.gateway = None

    def close(self):
        for process in (self.gateway, *reversed(self.cluster)):
            self.end(process)

    @staticmethod
    def end(process):
        if process is not None:
            process.kill()
            process.wait()

    def make_bucket(self, bucket):
        self.client.create_bucket(Bucket=bucket)

    def objects(self, bucket):
        return sorted(item["Key"] for item in self.client.list_objects_v2(Bucket=bucket).get("Contents", []))

    def read(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def write(self, bucket, key, data):
        self.client.put_object(Bucket=bucket, Key=key, Body=data)

    def remove(self, bucket, key):
        self.client.delete_object(Bucket=bucket, Key=key)

    def version(self, bucket, key):
        return next(item["LastModified"] for item in self.client.list_objects_v2(Bucket=bucket)["Contents"] if item["Key"] == key)


def tells_of_checksums(test):
    """Where they are not turned off, and the gateway does not take them."""
    test.make("checksums")
    first = test.put
    test.put_ids("checksums")
    test.broker.stop()
    test.broker.start(delivery__s3__upload_checksums="true")
    version = subprocess.run(["radosgw", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    if int(version.partition(".")[0]) < TAKES_CHECKSUMS:
        test.flush_fails("checksums", "s3://checksums", "set delivery.s3.upload_checksums = false")
    else:
        test.flush("checksums")
    test.broker.stop()
    test.broker.start()
    test.flush("checksums")
    test.expect_ids("checksums", first, test.put)


def waits_for_quota(test):
    test.make("quota")
    first = test.put
    test.put_ids("quota")
    test.server.admin("quota", "set", "--quota-scope=user", "--max-size=1")
    test.server.admin("quota", "enable", "--quota-scope=user")
    test.flush_fails("quota", "s3://quota", "make room")
    test.expect_told("quota", "make room")
    test.server.admin("quota", "disable", "--quota-scope=user")
    test.flush("quota")
    test.expect_told("quota", "")
    test.expect_ids("quota", first, test.put)


PROMISES = [tells_of_checksums, s3.delivers, s3.delivers_in_parts, s3.finds_tampering, s3.waits_for_the_server, s3.waits_for_a_hanging_server,
            s3.waits_for_a_slow_server, s3.refuses_wrong_credentials, s3.waits_for_the_bucket, waits_for_quota, s3.survives_kill, s3.keeps_foreign_objects]


def run(arguments, _, python, home):
    server = Gateway(home)
    try:
        server.begin()
        s3.keep(PROMISES, s3.Test(arguments, server, python, home, upload_checksums="false"))
    finally:
        server.close()


def ceph(build):
    """Whether Ceph is installed; goes on in an environment that has boto3."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        print(f"skipped: there is no {', '.join(missing)}")
        return None
    packages.enter(build / "_boto3", packages.BOTO3)
    return "radosgw"


if __name__ == "__main__":
    world.main(__doc__, "radosgw", run, server=ceph)
