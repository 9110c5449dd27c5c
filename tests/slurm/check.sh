#!/usr/bin/env bash
# A run on a real SLURM of one node: six cohorts, whose results must have the bytes of a local run.
#
# Installs Debian's slurm-wlm and munge if they are missing, starts their daemons on the loopback interface with
# files in a temporary folder, and stops them again, whatever happens. Needs root on Debian or Ubuntu.
# Exit status: 0 only if the results are the same bytes; 2 if it cannot be tried here.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/.venv/bin

refuse() { echo "slurm-check: $*" >&2; exit 2; }
fail() { echo "slurm-check: FAILED: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || refuse "needs root, to install and start SLURM; nothing was done."
command -v apt-get >/dev/null || refuse "needs Debian or Ubuntu (apt-get); nothing was done."
[ -x "$bin/compendium" ] || refuse "the environment is missing: run 'make setup' first."
pgrep -x slurmctld >/dev/null && refuse "a slurmctld runs on this machine already; it is left alone."

work=$(mktemp -d /tmp/slurm-check.XXXXXX)
started=()

stop() {
    status=$?
    trap - EXIT INT TERM
    if [ "$status" != 0 ]; then
        for log in "$work"/slurm*.log; do [ -f "$log" ] && { echo "--- $log"; tail -n 15 "$log"; } >&2; done
        for log in "$work"/here/.compendium/cluster/* "$work"/there/.compendium/cluster/*; do
            [ -f "$log" ] && { echo "--- $log"; tail -n 15 "$log"; } >&2
        done
    fi
    command -v scancel >/dev/null && SLURM_CONF=$work/slurm.conf timeout 10 scancel --user=root 2>/dev/null
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        kill "${started[i]}" 2>/dev/null && wait "${started[i]}" 2>/dev/null
    done
    rm -rf "$work"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
    echo "== installing slurm-wlm and munge"
    # Their services are not to start by themselves: this script has a configuration of its own.
    policy=/usr/sbin/policy-rc.d
    made_policy=
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made_policy=yes; }
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends slurm-wlm munge \
        >"$work/apt.log" 2>&1
    installed=$?
    [ -z "$made_policy" ] || rm -f "$policy"
    [ "$installed" = 0 ] || { tail -n 20 "$work/apt.log" >&2; refuse "slurm-wlm and munge cannot be installed."; }
fi

echo "== starting munged, slurmctld and slurmd"
host=$(hostname -s)
export SLURM_CONF=$work/slurm.conf
mkdir -p "$work/state" "$work/spool" "$work/munge"
chmod 711 "$work"
dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
chmod 700 "$work/munge" && chmod 600 "$work/munge/key"
munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge.socket" \
    --pid-file="$work/munge/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed" \
    >"$work/munged.out" 2>&1 &
started+=($!)

cat >"$SLURM_CONF" <<CONF
ClusterName=check
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc=$work/jobs.txt
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=3000 State=UNKNOWN
PartitionName=check Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
slurmctld -D >"$work/slurmctld.out" 2>&1 &
started+=($!)
slurmd -D -N "$host" >"$work/slurmd.out" 2>&1 &
started+=($!)
for _ in $(seq 60); do
    [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && break
    sleep 0.5
done
sinfo || fail "SLURM does not answer: $(tail -n 3 "$work"/slurm*.out)"
[ "$(sinfo --noheader --format=%T)" = idle ] || fail "the node is not idle"

echo "== six cohorts"
"$bin/python" "$here/make_cohorts.py" "$root/data/cohorts/rdmas_reconstructed" "$work/cohorts" 6 || fail "no cohorts"
cat >"$work/cluster.toml" <<TOML
[slurm]
jobs = 2
cores = 1
memory = "1 GB"
walltime = "00:30:00"
queue = "check"
scheduler_options = { host = "127.0.0.1", dashboard_address = "127.0.0.1:0" }
TOML

cd "$root" || fail "cannot enter $root"
echo "== on SLURM"
COMPENDIUM_OUTPUT=$work/there timeout 1500 "$bin/compendium" run "$work"/cohorts/* \
    --cluster slurm --cluster-settings "$work/cluster.toml" &
run=$!
seen=0
while kill -0 "$run" 2>/dev/null; do
    running=$(squeue --noheader --name=compendium --states=RUNNING | wc -l)
    if [ "$running" -gt "$seen" ]; then
        seen=$running
        squeue --name=compendium
    fi
    sleep 1
done
wait "$run" || fail "the run on SLURM ended with status $?"
[ "$seen" -ge 1 ] || fail "no SLURM job was seen running"
sleep 3
echo "== jobs as SLURM recorded them"
cut -c1-150 "$work/jobs.txt"
left=$(squeue --noheader | wc -l)
[ "$left" = 0 ] || fail "$left jobs are left in the queue"

echo "== the same here"
COMPENDIUM_OUTPUT=$work/here "$bin/compendium" run "$work"/cohorts/* || fail "the local run ended with status $?"
number=$(cd "$work/there" && find results figures -type f | wc -l)
[ "$number" -gt 100 ] || fail "only $number files were written"
diff --recursive "$work/here/results" "$work/there/results" || fail "results differ"
diff --recursive "$work/here/figures" "$work/there/figures" || fail "figures differ"
echo "slurm-check: $number files of 6 cohorts have the same bytes from SLURM and from here; $seen jobs ran at a time."
