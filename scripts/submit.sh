#!/usr/bin/env bash
# Writes a batch script for Slurm and submits it: `srun aha train` that saves before its time limit, requeues itself and
# goes on.   scripts/submit.sh CONFIG [OPTION...]        run it where CONFIG's relative paths hold, from any folder
#
#   --nodes N              1
#   --gpus-per-node G      one rank a GPU; without it ranks run on CPUs
#   --tasks-per-node T     ranks a node; G, else 1
#   --cpus-per-task C      cores a rank; without it Slurm's default
#   --time T               as of sbatch: minutes, HH:MM:SS, D-HH; without it the partition's
#   --partition P, --account A, --qos Q, --mem M      as of sbatch
#   --sbatch OPTION        any other, e.g. --sbatch --exclude=n7; repeatable
#   --name NAME            of the job and its files; the name of CONFIG
#   --set KEY=VALUE        as of aha train; repeatable
#   --sweep KEY=A,B,C      an array job with one element a value; repeated: every combination. Each writes to
#                          OUTPUT_DIR/sweep_I; values hold no comma
#   --max-requeues N       20: stops by the time limit's signal (exit code 85) that go on by themselves
#   --max-retries N        3: failures of a rank or the network (exit code 75 or a killed rank) that are tried again
#   --warn SECONDS         180: how long before the time limit the signal to save comes (Slurm: up to 60 s earlier)
#   --dry-run              prints the batch script; writes and submits nothing
#
# Files: slurm/NAME.sbatch, slurm/NAME_JOB.log (appended to by each start) and slurm/NAME_JOB.starts, which counts. The
# batch script can be read, changed and submitted again by sbatch. AHA_BUILD_DIR: where aha is.
here=$PWD
source "$(dirname "$0")/common.sh"
usage() { sed -n '2,24s/^# \{0,1\}//p' "$root/scripts/submit.sh"; }
root=$PWD
aha=$build/aha
[ -x "$root/aha" ] && aha=$root/aha # a package
cd "$here" || exit 1

config='' name='' nodes=1 gpus='' tasks='' warn=180 max_requeues=20 max_retries=3 dry_run=false
lines=() sets=() sweeps=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --dry-run) dry_run=true; shift; continue ;;
    --*) [ $# -ge 2 ] || die "submit" "$1 has no value" "see scripts/submit.sh --help" ;;
    *)
      [ -z "$config" ] || die "submit" "two configurations: $config and $1" "give one"
      config=$1; shift; continue ;;
  esac
  case $1 in
    --nodes) nodes=$2 ;;
    --gpus-per-node) gpus=$2 ;;
    --tasks-per-node) tasks=$2 ;;
    --cpus-per-task | --time | --partition | --account | --qos | --mem) lines+=("$1=$2") ;;
    --sbatch) lines+=("$2") ;;
    --name) name=$2 ;;
    --set) sets+=("$2") ;;
    --sweep) sweeps+=("$2") ;;
    --max-requeues) max_requeues=$2 ;;
    --max-retries) max_retries=$2 ;;
    --warn) warn=$2 ;;
    *) die "submit" "unknown option $1" "see scripts/submit.sh --help" ;;
  esac
  shift 2
done
[ -n "$config" ] || { usage >&2; exit 2; }
tasks=${tasks:-${gpus:-1}}
for number in "$nodes" "$tasks" "$warn" "${gpus:-1}"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || die "submit" "'$number' is no whole number above 0" "see scripts/submit.sh --help"
done
for number in "$max_requeues" "$max_retries"; do
  [[ $number =~ ^[0-9]+$ ]] || die "submit" "'$number' is no whole number" "see scripts/submit.sh --help"
done
name=${name:-$(basename "$config" .yaml)}
[[ $name =~ ^[A-Za-z0-9._-]+$ ]] || die "submit" "the name '$name' holds other than letters, digits, . _ -" "give --name"
[ -x "$aha" ] || die "submit" "$aha is not there" "run scripts/build.sh"

# The words of one start's --set, quoted for a shell.
words() { local one; for one in "$@"; do printf ' --set %q' "$one"; done; }

# What is wrong with the configuration is better known now than after hours in the queue.
resolved() { eval "\"\$aha\" config --file \"\$config\" $1"; }
settings=$(words ${sets+"${sets[@]}"})
output_dir=$(resolved "$settings" | sed -n 's/^output_dir: //p')
[ -n "$output_dir" ] || die "submit" "$config cannot be used as it is" "mend what is said above"

# Each element of the sweep as its --set words.
points=()
if [ ${#sweeps[@]} -gt 0 ]; then
  points=('')
  for sweep in "${sweeps[@]}"; do
    [[ $sweep == ?*=?* ]] || die "submit" "--sweep '$sweep' is no KEY=A,B" "name a key and its values"
    longer=()
    IFS=, read -r -a values <<<"${sweep#*=}"
    for point in "${points[@]}"; do
      for value in "${values[@]}"; do longer+=("$point$(words "${sweep%%=*}=$value")"); done
    done
    points=("${longer[@]}")
  done
  for i in "${!points[@]}"; do
    points[i]+=$(words "output_dir=$output_dir/sweep_$i")
    resolved "$settings${points[i]}" >/dev/null ||
      die "submit" "element $i of the sweep cannot be used" "mend what is said above"
  done
fi

job=%j
[ ${#points[@]} -eq 0 ] || job=%A_%a

batch_script() {
  cat <<END
#!/bin/bash
# $name: aha train $config on $nodes x $tasks ranks.  Written by scripts/submit.sh; submit it again by sbatch.
#SBATCH --job-name=$name
#SBATCH --nodes=$nodes
#SBATCH --ntasks-per-node=$tasks
END
  [ -z "$gpus" ] || echo "#SBATCH --gpus-per-node=$gpus"
  [ ${#lines[@]} -eq 0 ] || printf '#SBATCH %s\n' "${lines[@]}"
  [ ${#points[@]} -eq 0 ] || echo "#SBATCH --array=0-$((${#points[@]} - 1))"
  cat <<END
#SBATCH --output=slurm/${name}_$job.log
#SBATCH --open-mode=append
#SBATCH --requeue
# the ranks, not this script, hear that the time is nearly over: they save and exit with 85
#SBATCH --signal=USR1@$warn

most_requeues=$max_requeues
most_retries=$max_retries
settings=(${settings# })
END
  if [ ${#points[@]} -gt 0 ]; then
    printf 'case $%s in\n' SLURM_ARRAY_TASK_ID
    for i in "${!points[@]}"; do echo "  $i) settings+=(${points[i]# }) ;;"; done
    echo 'esac'
  fi
  cat <<END

aha=$(printf %q "$aha")
config=$(printf %q "$config")
starts=slurm/${name}_\${SLURM_ARRAY_JOB_ID:-\$SLURM_JOB_ID}\${SLURM_ARRAY_TASK_ID:+_\$SLURM_ARRAY_TASK_ID}.starts
END
  cat <<'END'
touch "$starts"
echo "== $(date '+%F %T') job $SLURM_JOB_ID on $SLURM_JOB_NODELIST, restart ${SLURM_RESTART_COUNT:-0}"

# A rank that stops early must not have the others killed while they save: ranks find lost peers themselves.
srun --kill-on-bad-exit=0 --wait=0 ${SLURM_CPUS_PER_TASK:+--cpus-per-task=$SLURM_CPUS_PER_TASK} \
  "$aha" train "$config" --resume auto "${settings[@]}"
code=$?

# again WHY MOST: puts this job back into the queue, unless WHY has happened MOST times before.
again() {
  local before
  before=$(grep -c "^$1 " "$starts")
  if [ "$before" -ge "$2" ]; then
    echo "== $1: $before times before, which is the most; submit it again to go on"
    return
  fi
  echo "$1 $(date '+%F %T') exit code $code" >>"$starts"
  echo "== $1 (exit code $code): requeue $((before + 1)) of $2"
  scontrol requeue "$SLURM_JOB_ID"
}

case $code in
  0) echo "== done" ;;
  85) again stopped "$most_requeues" ;;
  75 | 129 | 13? | 14? | 15? | 16?) again failed "$most_retries" ;; # a rank was lost or killed
  *) echo "== exit code $code: not tried again" ;;
esac
exit $code
END
}

if $dry_run; then
  batch_script
  exit 0
fi
command -v sbatch >/dev/null || die "submit" "sbatch is not there" "run it on a login node, or use --dry-run"
mkdir -p slurm || die "submit" "slurm/ cannot be made" "check $PWD"
batch_script >"slurm/$name.sbatch" || die "submit" "slurm/$name.sbatch cannot be written" "check $PWD"
exec sbatch "slurm/$name.sbatch"
