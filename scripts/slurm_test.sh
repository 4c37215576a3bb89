#!/usr/bin/env bash
# scripts/submit.sh on a real Slurm of two nodes on this machine: a job hears its time limit's signal, saves, is requeued,
# loses a step and then the tasks of one node to SIGKILL, is requeued each time, and ends with the bytes of a run that was never interrupted.
#   scripts/slurm_test.sh [--nodes 2] [--tasks-per-node 1] [--keep]
#
# 2 to 4 min on two cores. As root, with Debian's slurm-wlm and munge (installed when they are missing); exit code 77 where that cannot
# be. Everything lives in a folder of /tmp, with a key and a socket of its own, and is taken down at the end; --keep leaves
# the folder and Slurm running and says how to end them.
source "$(dirname "$0")/common.sh"
case ${1:-} in -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
nodes=2 tasks=1 keep=false root=$PWD
while [ $# -gt 0 ]; do
  case $1 in
    --nodes) nodes=${2:?}; shift 2 ;;
    --tasks-per-node) tasks=${2:?}; shift 2 ;;
    --keep) keep=true; shift ;;
    *) die "slurm_test" "unknown argument '$1'" "see --help" ;;
  esac
done
[ -x "$build/aha" ] || die "slurm_test" "$build/aha is not there" "run scripts/build.sh"
if [ "$(id -u)" != 0 ]; then say "slurm_test needs root: slurmd starts tasks as their users"; exit 77; fi
if ! command -v slurmctld slurmd munged >/dev/null; then
  apt-get install -y --no-install-recommends slurm-wlm munge >/dev/null 2>&1 ||
    { say "slurm_test: slurm-wlm and munge cannot be installed"; exit 77; }
fi

lab=$(mktemp -d /tmp/aha_slurm.XXXXXX) || exit 1
chmod 755 "$lab"
mkdir -p "$lab"/{state,log,spool/n1,spool/n2}
export SLURM_CONF=$lab/slurm.conf
host=$(hostname -s)
cores=$(nproc)

take_down() {
  local pid
  for pid in "$lab"/slurmd-n?.pid "$lab"/slurmctld.pid "$lab"/munge.pid; do
    [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null
  done
  sleep 1
}
leave() {
  local code=$?
  [ -z "${whole:-}" ] || kill "$whole" 2>/dev/null
  if $keep; then
    say "left running: export SLURM_CONF=$SLURM_CONF; end it by kill \$(cat $lab/*.pid), then remove $lab"
    return
  fi
  [ -z "${id:-}" ] || scancel --quiet "$id" 2>/dev/null
  take_down
  if [ $code = 0 ]; then rm -rf "${lab:?}"; else say "what happened is in $lab"; fi
}
trap leave EXIT

bring_up() {
  head -c 1024 /dev/urandom >"$lab/munge.key" && chmod 400 "$lab/munge.key"
  munged --force --key-file="$lab/munge.key" --socket="$lab/munge.socket" --pid-file="$lab/munge.pid" \
    --log-file="$lab/log/munge.log" --seed-file="$lab/munge.seed" || return
  cat >"$SLURM_CONF" <<END
ClusterName=aha
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$lab/munge.socket
StateSaveLocation=$lab/state
SlurmdSpoolDir=$lab/spool/%n
SlurmctldPidFile=$lab/slurmctld.pid
SlurmdPidFile=$lab/slurmd-%n.pid
SlurmctldLogFile=$lab/log/slurmctld.log
SlurmdLogFile=$lab/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
# each node may say that it has all of this machine's cores
SlurmdParameters=config_overrides
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=$cores State=UNKNOWN
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
END
  slurmctld -c && slurmd -N n1 && slurmd -N n2
}

# until_true SECONDS COMMAND...: waits for it to be true
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}
up() { [ "$(sinfo --noheader --states=idle --format=%D 2>/dev/null)" = 2 ]; }
if ! bring_up >"$lab/log/start" 2>&1 || ! until_true 20 up; then
  tail -n 3 "$lab"/log/*
  die "slurm_test" "Slurm does not come up" "see above"
fi
say "$(slurmctld -V) with $(sinfo --noheader --format='%D nodes: %N')"

cd "$lab" || exit 1
cat >job.yaml <<'END'
seed: 5
strict: true
output_dir: run
model:
  init: {hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 128, max_position_embeddings: 32}
data:
  max_prompt_length: 9
  train: {task: parity, bits: 8, long_fraction: 0.5}
rollout: {num_generations: 8, max_completion_length: 19}
reward:
  functions: [{name: parity}]
train: {threads: 1}
checkpoint: {save_steps: 20}
stages:
  - name: warm_start
    method: sft
    train: {max_steps: 100, per_device_train_batch_size: 32}
    optim: {learning_rate: 2.0e-3}
  - name: grpo
    method: grpo
    train: {max_steps: 1800, prompts_per_step: 64}
    optim: {learning_rate: 2.0e-4}
    objective: {beta: 0.01}
END
"$build/aha" train job.yaml --nproc 1 --set output_dir=whole >whole.log 2>&1 &
whole=$!

field() { scontrol show job "$id" | grep -o "\b$1=[^ ]*" | head -n 1 | cut -d= -f2; }
state_is() { [ "$(field JobState)" = "$1" ]; }
waits_after() { state_is PENDING && [ "$(field Restarts)" = "$1" ]; }
# Slurm waits two minutes before it starts a requeued job again, counted from when the old start has been cleaned up:
# an order that comes before is forgotten, and one within the same second is refused by the nodes (they take its
# credential for the old start's).
starts_now() { scontrol update JobId="$id" StartTime=now 2>/dev/null; sleep 0.5; state_is RUNNING; }
steps() { wc -l 2>/dev/null <run/metrics.jsonl || echo 0; }
more_steps_than() { [ "$(steps)" -gt "$1" ]; }
expect() { # WHAT SECONDS COMMAND...
  local what=$1 started=$SECONDS
  shift
  if ! until_true "$@"; then
    tail -n 20 slurm/*.log
    die "slurm_test" "no sign of: $what" "see above and $lab/log"
  fi
  say "$what: after $((SECONDS - started)) s, $(steps) rows"
}

# both nodes are this machine, and n1 is no name that it knows
export MASTER_ADDR=127.0.0.1
"$root/scripts/submit.sh" job.yaml --nodes "$nodes" --tasks-per-node "$tasks" --time 2 --warn 90 >submitted ||
  die "slurm_test" "the job was not submitted" "see above"
id=$(grep -o '[0-9]*$' submitted)
say "job $id: $nodes nodes x $tasks tasks"
expect "running" 20 state_is RUNNING
expect "the time limit's signal, a checkpoint, requeue" 110 waits_after 1
[ "$(readlink run/latest)" ] || die "slurm_test" "there is no checkpoint" "see $lab/slurm"
grep -q "^stopped .* exit code 85" slurm/*.starts || die "slurm_test" "the job did not stop by 85" "see $lab/slurm"
before=$(steps)
scontrol update JobId="$id" TimeLimit=15 || die "slurm_test" "the time limit was not changed" "see $lab/log"
sleep 3
expect "starts again" 60 starts_now
expect "goes on from there" 60 more_steps_than "$((before + 30))"
scancel --signal=KILL "$id.0"
expect "its step killed, requeue" 60 waits_after 2
grep -q "^failed " slurm/*.starts || die "slurm_test" "the killed step was not retried" "see $lab/slurm"
sleep 3
expect "starts again" 60 starts_now
before=$(steps)
expect "goes on again" 60 more_steps_than "$((before + 30))"
# the tasks that a node runs; of a job on one node all are its
tasks_of() {
  local process
  for process in $(pgrep -x aha); do
    grep -qsz "^SLURM_JOB_ID=$id\$" "/proc/$process/environ" && grep -qsz "^SLURMD_NODENAME=$1\$" "/proc/$process/environ" && echo "$process"
  done
}
# shellcheck disable=SC2046
kill -KILL $(tasks_of "n$nodes") || die "slurm_test" "node n$nodes runs no task" "see $lab/log"
expect "what one node ran killed, requeue" 60 waits_after 3
[ "$nodes" = 1 ] || grep -q "rank $((tasks * (nodes - 1))) (.*gives no sign of life" slurm/*.log ||
  die "slurm_test" "the other ranks did not name the one that was killed" "see $lab/slurm"
sleep 3
expect "starts again" 60 starts_now
# The bytes of every tensor, put together again from the shards of a folder: other ranks, other shards.
moments() {
  python3 - "$1" <<'END'
import glob, hashlib, json, re, sys
pieces = {}
for path in glob.glob(sys.argv[1] + "/*.safetensors"):
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__": continue
        whole, begin = re.fullmatch(r"(.*?)(?:\[(\d+):\d+\])?", name).groups()
        a, b = entry["data_offsets"]
        pieces.setdefault(whole, []).append((int(begin or 0), data[8 + size + a:8 + size + b]))
assert pieces, "no tensors"
for name in sorted(pieces):
    print(name, hashlib.sha256(b"".join(bytes for _, bytes in sorted(pieces[name]))).hexdigest())
END
}
expect "done" 300 state_is COMPLETED
grep '^==' slurm/*.log >&2

wait "$whole" || { tail -n 5 whole.log; die "slurm_test" "the unbroken run failed" "see above"; }
whole=
cmp "$(readlink -f whole/latest)/model.safetensors" "$(readlink -f run/latest)/model.safetensors" ||
  die "slurm_test" "the weights differ from the unbroken run's" "see $lab"
moments whole/latest/optimizer >whole.moments && moments run/latest/optimizer >run.moments &&
  cmp whole.moments run.moments ||
  die "slurm_test" "the optimizer's state differs from the unbroken run's" "see $lab"
say "PASS in $SECONDS s: weights and optimizer have the bytes of the unbroken run ($(sha256sum <run/latest/model.safetensors | cut -c1-16))"
