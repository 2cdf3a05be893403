#!/bin/busybox sh
# The first and only script of the emulated machine: mounts what programs expect, runs /job, switches the machine off.
# What it prints goes to the serial console; lines of capital words are read by machine.py.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tracefs tracefs /sys/kernel/tracing
ifconfig lo 127.0.0.1 up
ulimit -n 20000
calls=/sys/kernel/tracing/events/raw_syscalls/sys_enter

# pids EXE: the processes that run this executable.
pids() {
  for folder in /proc/[0-9]*; do
    case "$(readlink "$folder/exe" 2>/dev/null)" in */"$1") echo "${folder#/proc/}" ;; esac
  done
}

# load PORT CONNECTIONS REQUESTS [HEADER...]: closed loop; all must be answered.
load() {
  local port=$1 connections=$2 requests=$3
  shift 3
  loadgen "127.0.0.1:$port" --connections "$connections" --requests "$requests" --seconds 100000 "$@" >/tmp/load
  grep -q "\"200\": $requests\b" /tmp/load || { echo "FAILED"; cat /tmp/load /tmp/proxy.log; }
}

# until_ready PORT: a worker may still be starting. Sleeping costs no time here, the clock is moved on.
until_ready() {
  for _ in $(seq 200); do
    loadgen "127.0.0.1:$1" --connections 1 --requests 1 >/tmp/load && grep -q '"200": 1\b' /tmp/load && return
    sleep 0.1
  done
  echo "FAILED"
  cat /tmp/proxy.log
}

# take CELL EXE PORT CONNECTIONS REQUESTS [HEADER...]: prints the CPU time of all EXE before and after the load.
take() {
  local cell=$1 exe=$2 before
  shift 2
  before=$(meter $(pids "$exe"))
  load "$@"
  echo "TAKE $cell $3 $before $(meter $(pids "$exe"))"
}

# calls_of EXE: how often its threads have entered the kernel since the count was switched on.
calls_of() {
  for pid in $(pids "$1"); do ls "/proc/$pid/task"; done >/tmp/threads
  awk 'NR == FNR { wanted[$1]; next }
    /common_pid/ { gsub(/[{}:]/, " "); if ($2 in wanted) sum += $4 }
    END { print sum + 0 }' /tmp/threads "$calls/hist"
}

# count_calls CELL EXE PORT CONNECTIONS REQUESTS [HEADER...]: the same for entries into the kernel. They are counted
# apart, because counting them costs instructions.
count_calls() {
  local cell=$1 exe=$2 before
  shift 2
  echo 'hist:keys=common_pid' >"$calls/trigger"
  before=$(calls_of "$exe")
  load "$@"
  echo "CALLS $cell $3 $before $(calls_of "$exe")"
  echo '!hist:keys=common_pid' >"$calls/trigger"
}

# cell CELL EXE PORT CONNECTIONS WARM REQUESTS [HEADER...]: after WARM requests two loads of different length, whose
# difference is free of what opening the connections costs.
cell() {
  local action cell=$1 exe=$2 port=$3 connections=$4 warm=$5 requests=$6
  shift 6
  load "$port" "$connections" "$warm" "$@"
  for action in take count_calls; do
    "$action" "$cell" "$exe" "$port" "$connections" "$requests" "$@"
    "$action" "$cell" "$exe" "$port" "$connections" $((4 * requests)) "$@"
  done
}

meter --loop 10000000
. /job
poweroff -f
