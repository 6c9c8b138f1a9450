"""Plans under a real Slurm of one node, started here as plain processes of this test.  Needs slurm-wlm and munge, and root (Debian's slurmd
runs jobs of other users only so); skipped with a reason otherwise.  SPDX-License-Identifier: Apache-2.0"""
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from reckon_cli import BINARY, SOURCES, environment, main

SCRIPTS = os.path.join(SOURCES, "scripts", "cluster")
# About a minute on one core, in 470 parts; and a short one for the scenarios that need no time.
SHORT = ["--model", "llama-3.1-405b", "--device", "h100", "--devices", "1024..4096+512", "--tokens", "15T", "--space", "whole"]
LONG = ["--model", "llama-3.1-405b", "--device", "h100", "--devices", "1024..24576+256", "--tokens", "15T", "--space", "whole"]


def missing():
    for program in ("slurmctld", "slurmd", "munged", "sbatch", "srun", "scontrol", "mpiexec"):
        if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
            return program + " is not installed (Debian: slurm-wlm, munge, mpich)"
    if os.geteuid() != 0:
        return "needs root"
    try:
        if not socket.gethostbyname(socket.gethostname()).startswith("127."):
            return "the host's name is not that of 127.0.0.1"
    except OSError:
        return "the host's name has no address"
    return ""


class Cluster:
    """munged, slurmctld and slurmd with folders, ports and a key of their own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="reckon-slurm-")
        os.chmod(self.folder, 0o755)
        self.processes = []
        host = socket.gethostname()
        munge = os.path.join(self.folder, "munge")
        os.mkdir(munge, 0o755)
        user = pwd.getpwnam("munge")
        with open(os.path.join(munge, "key"), "wb") as f:
            f.write(os.urandom(1024))
        os.chmod(os.path.join(munge, "key"), 0o400)
        for path in (munge, os.path.join(munge, "key")):
            os.chown(path, user.pw_uid, user.pw_gid)
        self.socket = os.path.join(munge, "socket")
        self.start(["/usr/sbin/munged", "-F", f"--socket={self.socket}", f"--key-file={munge}/key", f"--log-file={munge}/log", f"--pid-file={munge}/pid",
                    f"--seed-file={munge}/seed"], user=user)
        self.conf = os.path.join(self.folder, "slurm.conf")
        ports = [self.free_port(), self.free_port()]
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(f"""ClusterName=reckon
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={self.socket}
CredType=cred/munge
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool
SlurmctldPidFile={self.folder}/slurmctld.pid
SlurmdPidFile={self.folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
KillWait=4
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
""")
        for name in ("state", "spool"):
            os.mkdir(os.path.join(self.folder, name))
        self.host = host
        self.env = environment(SLURM_CONF=self.conf, PATH=os.environ["PATH"] + ":/usr/sbin", RECKON=BINARY)

    def up(self):
        self.wait(lambda: os.path.exists(self.socket), "munged")
        self.start(["/usr/sbin/slurmctld", "-D", "-f", self.conf])
        self.start(["/usr/sbin/slurmd", "-D", "-f", self.conf, "-N", self.host])
        self.wait(lambda: "idle" in self.run("sinfo", "-h", "-o", "%t", check=False), "an idle node")

    @staticmethod
    def free_port():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def start(self, command, user=None):
        become = {"user": user.pw_uid, "group": user.pw_gid} if user else {}
        with open(os.path.join(self.folder, os.path.basename(command[0]) + ".out"), "wb") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=getattr(self, "env", None), **become))

    def run(self, *command, check=True):
        done = subprocess.run(command, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, cwd=self.folder)
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stderr}")
        return done.stdout

    @staticmethod
    def wait(condition, what, seconds=60.0):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"no {what} after {seconds:.0f} s")
            time.sleep(0.2)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@unittest.skipIf(missing(), missing())
class Slurm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.up()
        cls.expected = {}

    def path(self, name):
        return os.path.join(self.cluster.folder, name)

    def digest(self, name):
        with open(self.path(name), "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def unbroken(self, words):
        """The digest of the file of the same plan outside of Slurm."""
        key = " ".join(words)
        if key not in self.expected:
            subprocess.run([BINARY, "plan", *words, "--out", self.path("expected.h5"), "--force", "--quiet"], env=environment(), check=True,
                           stdout=subprocess.DEVNULL, timeout=600)
            self.expected[key] = self.digest("expected.h5")
        return self.expected[key]

    def submit(self, script, result, words, *options):
        out = self.cluster.run("sbatch", "--parsable", "--output", self.path("%A_%a.log"), *options, os.path.join(SCRIPTS, script), self.path(result), *words)
        return out.strip().split(";")[0]

    def state(self, job):
        return self.cluster.run("scontrol", "show", "job", job, check=False)

    def finished(self, job, seconds=300):
        ends = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")
        def done():
            states = [word[9:] for word in self.state(job).split() if word.startswith("JobState=")]
            return states and all(s.startswith(ends) for s in states)
        self.cluster.wait(done, f"end of job {job}", seconds)
        return self.state(job)

    def logs(self, most=3000):
        out = ""
        for name in sorted(os.listdir(self.cluster.folder)):
            if name.endswith(".log"):
                with open(self.path(name), encoding="utf-8", errors="replace") as f:
                    out += f"--- {name}\n" + f.read()[-most:]
        return out

    def test_srun(self):
        state = self.finished(self.submit("plan.sbatch", "srun.h5", SHORT, "--ntasks=2", "--time=5"))
        self.assertIn("JobState=COMPLETED", state, self.logs())
        self.assertEqual(self.digest("srun.h5"), self.unbroken(SHORT))
        self.assertFalse(os.path.exists(self.path("srun.h5.journal")))

    def test_mpiexec(self):
        state = self.finished(self.submit("plan-mpiexec.sbatch", "mpiexec.h5", SHORT, "--ntasks=2", "--time=5"))
        self.assertIn("JobState=COMPLETED", state, self.logs())
        self.assertEqual(self.digest("mpiexec.h5"), self.unbroken(SHORT))

    def test_array_of_four(self):
        state = self.finished(self.submit("plan-array.sbatch", "array.h5", SHORT, "--array=0-3", "--time=5"))
        self.assertEqual(state.count("JobState=COMPLETED"), 4, state + self.logs())
        self.assertEqual(self.digest("array.h5"), self.unbroken(SHORT))

    def test_the_singleton_trap_is_noticed(self):
        done = subprocess.run(["srun", "-n", "2", BINARY, "plan", *SHORT, "--out", self.path("trap.h5")], env=self.cluster.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, cwd=self.cluster.folder)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("srun --mpi=pmi2", done.stderr)
        self.assertFalse(os.path.exists(self.path("trap.h5")))

    def begun(self, result):
        """Some parts are in the journal."""
        def some():
            folder = self.path(result + ".journal")
            return os.path.isdir(folder) and sum(os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder)) > 2000
        self.cluster.wait(some, "progress of " + result, 120)

    def test_scancel_then_the_same_command(self):
        # what is cancelled stays so: a script that requeued itself would come back, and the job would be pending
        job = self.submit("plan.sbatch", "cancel.h5", LONG, "--ntasks=2", "--time=10")
        self.begun("cancel.h5")
        self.cluster.run("scancel", job)
        self.assertIn("JobState=CANCELLED", self.finished(job))
        self.assertFalse(os.path.exists(self.path("cancel.h5")))
        state = self.finished(self.submit("plan.sbatch", "cancel.h5", LONG, "--ntasks=3", "--time=10"), 600)
        self.assertIn("JobState=COMPLETED", state, self.logs())
        self.assertEqual(self.digest("cancel.h5"), self.unbroken(LONG))

    def test_requeue_goes_on(self):
        job = self.submit("plan.sbatch", "requeue.h5", LONG, "--ntasks=2", "--time=10")
        self.begun("requeue.h5")
        self.cluster.run("scancel", "--signal=USR1", job)  # as --signal=USR1@60 does: the ranks stop, the script requeues itself
        self.cluster.wait(lambda: "Restarts=1" in self.state(job), "the restart", 120)
        self.cluster.run("scontrol", "release", job, check=False)
        state = self.finished(job, 600)
        self.assertIn("JobState=COMPLETED", state, self.logs())
        self.assertIn("stopped at", self.logs(most=10**7))
        self.assertEqual(self.digest("requeue.h5"), self.unbroken(LONG))

    def test_the_time_limit_requeues_until_it_is_done(self):
        # one minute is the shortest limit; USR1 comes up to a minute earlier than asked for, so most of the work is cut into pieces
        job = self.submit("plan-mpiexec.sbatch", "limit.h5", LONG, "--ntasks=1", "--time=1", "--signal=USR1@50")
        state = self.finished(job, 1800)
        self.assertIn("JobState=COMPLETED", state, self.logs())
        self.assertEqual(self.digest("limit.h5"), self.unbroken(LONG))


if __name__ == "__main__":
    main()
